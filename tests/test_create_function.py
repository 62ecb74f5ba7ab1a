"""CreateFunction: what it answers, and what it refuses, in AWS's words."""

import io
import json
import zipfile

import pytest

from deployment import RUNTIME, TRUST, deploy, invoke, make_role, unchecked, zip_of
from refusals import refusal

SOURCE = "def handler(event, context): return 1\n"
ZIP = zip_of({"app.py": SOURCE})
ARN = "arn:aws:lambda:us-east-1:000000000000:function"
INVALID = "InvalidParameterValueException"


@pytest.fixture(scope="module")
def functions(local_cloud):
    return unchecked(local_cloud, "lambda")


@pytest.fixture(scope="module")
def role(local_cloud):
    return make_role(local_cloud, "creator")


@pytest.fixture
def refused(functions, role):
    """Calls CreateFunction with some parameters changed and returns how it was refused."""

    def refused(**changed):
        return refusal(functions.create_function, **settings(role, **changed))

    yield refused
    assert "wrong" not in {each["FunctionName"] for each in functions.list_functions()["Functions"]}


def settings(role, **changed):
    given = {
        "FunctionName": "wrong",
        "Runtime": RUNTIME,
        "Handler": "app.handler",
        "Role": role,
        "Code": {"ZipFile": ZIP},
        **changed,
    }
    return {name: value for name, value in given.items() if value is not None}


def broken(*problems):
    count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
    return 400, "ValidationException", count + "; ".join(problems)


def test_answer(functions, role):
    made = functions.create_function(**settings(role, FunctionName="answers"))
    metadata = made.pop("ResponseMetadata")
    assert metadata["HTTPStatusCode"] == 201
    assert made.pop("RevisionId") and made.pop("CodeSha256") and made.pop("LastModified")
    assert made.pop("RuntimeVersionConfig")["RuntimeVersionArn"].startswith(
        "arn:aws:lambda:us-east-1::"
    )
    assert made == {
        "FunctionName": "answers",
        "FunctionArn": f"{ARN}:answers",
        "Runtime": RUNTIME,
        "Role": role,
        "Handler": "app.handler",
        "CodeSize": len(ZIP),
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        "Version": "$LATEST",
        "TracingConfig": {"Mode": "PassThrough"},
        "State": "Pending",
        "StateReason": "The function is being created.",
        "StateReasonCode": "Creating",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": {"Size": 512},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/answers"},
    }


@pytest.mark.parametrize(
    "name", [f"{ARN}:by-arn", "000000000000:function:by-partial", "function:short"]
)
def test_name_may_be_an_arn(functions, role, name):
    made = functions.create_function(**settings(role, FunctionName=name))
    assert made["FunctionName"] == name.rpartition(":")[2]
    assert made["FunctionArn"] == f"{ARN}:{made['FunctionName']}"


def test_name_that_is_taken(local_cloud, functions, role):
    deploy(local_cloud, "taken", SOURCE)
    assert refusal(functions.create_function, **settings(role, FunctionName="taken")) == (
        409, "ResourceConflictException", "Function already exist: taken"
    )  # fmt: skip


def test_name_that_is_too_long(refused):
    name = "n" * 65
    assert refused(FunctionName=name) == (
        400, INVALID,
        f"1 validation error detected: Value '{name}' at 'functionName' failed to satisfy constraint: "
        "Member must have length less than or equal to 64",
    )  # fmt: skip


def test_name_with_bad_characters(refused):
    status, code, message = refused(FunctionName="my function")
    assert (status, code) == (400, INVALID)
    assert message.startswith(
        "1 validation error detected: Value 'my function' at 'functionName' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?"
    )


def test_arn_of_another_region(refused):
    assert refused(FunctionName=f"{ARN}:x".replace("us-east-1", "eu-west-1")) == (
        404, "ResourceNotFoundException",
        "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "path", "value", "constraint"),
    [
        ("MemorySize", "memorySize", 127, "Member must have value greater than or equal to 128"),
        ("MemorySize", "memorySize", 32769, "Member must have value less than or equal to 32768"),
        ("Timeout", "timeout", 0, "Member must have value greater than or equal to 1"),
        ("Timeout", "timeout", 901, "Member must have value less than or equal to 900"),
        ("Handler", "handler", "a b", r"Member must satisfy regular expression pattern: [^\s]+"),
        ("PackageType", "packageType", "Jar", "Member must satisfy enum value set: [Zip, Image]"),
        ("Role", "role", "me", "Member must satisfy regular expression pattern: "
         r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"),
    ],
)  # fmt: skip
def test_setting_that_breaks_a_constraint(refused, setting, path, value, constraint):
    problem = f"Value '{value}' at '{path}' failed to satisfy constraint: {constraint}"
    assert refused(**{setting: value}) == broken(problem)


def test_memory_beyond_the_quota(refused):
    assert refused(MemorySize=10241) == (
        400, INVALID,
        "'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to "
        "10240",
    )  # fmt: skip


def test_ephemeral_storage_out_of_range(refused):
    prefix = "at 'ephemeralStorage.size' failed to satisfy constraint: Member must have value"
    assert refused(EphemeralStorage={"Size": 511}) == broken(
        f"Value '511' {prefix} greater than or equal to 512"
    )
    assert refused(EphemeralStorage={"Size": 10241}) == broken(
        f"Value '10241' {prefix} less than or equal to 10240"
    )


def test_architectures(refused):
    length = "Member must have length less than or equal to 1"
    prefix = "at 'architectures' failed to satisfy constraint:"
    assert refused(Architectures=["x86_64", "arm64"]) == broken(
        f"Value '[x86_64, arm64]' {prefix} {length}"
    )
    assert refused(Architectures=["mips"]) == broken(
        f"Value '[mips]' {prefix} Member must satisfy constraint: [Member must satisfy enum value set: "
        "[x86_64, arm64], Member must not be null]"
    )


def test_every_broken_constraint_is_told(refused):
    assert refused(MemorySize=1, Timeout=0) == broken(
        "Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or "
        "equal to 1",
        "Value '1' at 'memorySize' failed to satisfy constraint: Member must have value greater than or "
        "equal to 128",
    )


def test_parameter_that_is_missing(refused):
    assert refused(Role=None) == broken(
        "Value null at 'role' failed to satisfy constraint: Member must not be null"
    )
    message = "Runtime and Handler are mandatory parameters for functions created with deployment packages."
    assert refused(Runtime=None) == (400, INVALID, message)
    assert refused(Handler=None) == (400, INVALID, message)


def test_runtime_that_does_not_exist(refused):
    status, code, message = refused(Runtime="python4.0")
    assert (status, code) == (400, INVALID)
    assert message.startswith(
        "Value python4.0 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: ["
    )
    assert "python3.13" in message and message.endswith("] or be a valid ARN")


def test_runtime_that_is_gone(refused):
    assert refused(Runtime="python3.7") == (
        400, INVALID,
        "The runtime parameter of python3.7 is no longer supported for creating or updating AWS Lambda "
        "functions. We recommend you use a supported runtime while creating or updating functions.",
    )  # fmt: skip


def test_role_that_lambda_cannot_assume(local_cloud, refused):
    unassumable = (
        400, INVALID, "The role defined for the function cannot be assumed by Lambda."
    )  # fmt: skip
    assert refused(Role="arn:aws:iam::000000000000:role/nobody") == unassumable
    other = TRUST.replace("lambda.", "ec2.")
    made = local_cloud.client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=other)
    assert refused(Role=made["Role"]["Arn"]) == unassumable


def test_role_that_trusts_lambda_among_others(local_cloud, functions):
    trust = json.loads(TRUST)
    trust["Statement"][0]["Principal"]["Service"] = ["ec2.amazonaws.com", "lambda.amazonaws.com"]
    made = local_cloud.client("iam").create_role(
        RoleName="shared", AssumeRolePolicyDocument=json.dumps(trust)
    )
    functions.create_function(**settings(made["Role"]["Arn"], FunctionName="shared"))


ENVIRONMENT = (
    "Lambda was unable to configure your environment variables because the environment variables you "
    "have provided "
)


def test_environment_over_four_kilobytes(functions, role, refused):
    names = {"NAME": "x" * (4096 - len('{"NAME":""}'))}
    functions.create_function(
        **settings(role, FunctionName="full", Environment={"Variables": names})
    )
    names["NAME"] += "x"
    measured = json.dumps(names, separators=(",", ":"))
    assert refused(Environment={"Variables": names}) == (
        400, INVALID, f"{ENVIRONMENT}exceeded the 4KB limit. String measured: {measured}"
    )  # fmt: skip


def test_reserved_variables(refused):
    names = {"AWS_REGION": "x", "COLOUR": "red", "LAMBDA_TASK_ROOT": "x"}
    assert refused(Environment={"Variables": names}) == (
        400, INVALID,
        f"{ENVIRONMENT}contains reserved keys that are currently not supported for modification. "
        "Reserved keys used in this request: AWS_REGION, LAMBDA_TASK_ROOT",
    )  # fmt: skip


def test_variable_names(refused):
    for name in ("1ST", "a-b", "A"):  # a name has two characters at least
        _, code, message = refused(Environment={"Variables": {name: "secret"}})
        assert code == "ValidationException"
        assert "Value at 'environment.variables' failed to satisfy constraint: Map keys" in message
        assert "secret" not in message


def test_package_that_is_no_zip(refused):
    assert refused(Code={"ZipFile": b"junk"}) == (
        400, INVALID,
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
    )  # fmt: skip
    assert refused(Code={"ZipFile": b""}) == (
        400, INVALID, "Uploaded file must be a non-empty zip"
    )  # fmt: skip


def zeros(megabytes):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(megabytes // 50):
            archive.writestr(f"zeros-{number}", bytes(50 * 1024 * 1024))
        archive.writestr("app.py", SOURCE)
    return buffer.getvalue()


def test_unzipped_size_counts_layers(functions, role, refused):
    message = (400, INVALID, "Unzipped size must be smaller than 262144000 bytes")
    assert refused(Code={"ZipFile": zeros(250)}) == message
    layer = functions.publish_layer_version(LayerName="zeros", Content={"ZipFile": zeros(150)})
    functions.create_function(
        **settings(role, FunctionName="heavy", Layers=[layer["LayerVersionArn"]])
    )
    assert refused(Code={"ZipFile": zeros(100)}, Layers=[layer["LayerVersionArn"]]) == message


def test_zip_over_fifty_megabytes(refused):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("zeros", bytes(52428800))
    assert refused(Code={"ZipFile": buffer.getvalue()}) == (
        413, "RequestEntityTooLargeException", "Zipped size must be smaller than 52428800 bytes"
    )  # fmt: skip
    assert refused(Code={"ZipFile": bytes(53 * 1024 * 1024)}) == (
        413,
        "RequestEntityTooLargeException",
        "Request must be smaller than 70167211 bytes for the CreateFunction operation",
    )


def test_layers_that_a_function_cannot_have(functions, refused):
    content = {"ZipFile": zip_of({"python/one.py": ""})}
    arns = [
        functions.publish_layer_version(LayerName="one", Content=content)["LayerVersionArn"]
        for _ in range(2)
    ]
    assert refused(Layers=arns * 3) == (400, INVALID, "Cannot reference more than 5 layers.")
    assert refused(Layers=arns) == (
        400, INVALID,
        "Two different versions of the same layer are not allowed to be referenced in the same "
        f"function. {arns[0]} and {arns[1]} are versions of the same layer.",
    )  # fmt: skip
    missing = arns[0][:-1] + "99"
    assert refused(Layers=[missing]) == (
        400, INVALID, f"Layer version {missing} does not exist."
    )  # fmt: skip
    unversioned = arns[0].rpartition(":")[0]
    _, code, message = refused(Layers=[unversioned])
    assert code == "ValidationException"
    assert (
        f"Value '[{unversioned}]' at 'layers' failed to satisfy constraint: Member must" in message
    )


def test_tags_over_the_limit(refused):
    tags = {f"tag{number}": "" for number in range(51)}
    assert refused(Tags=tags) == (400, INVALID, "Number of tags exceeds resource tag limit.")


def test_dead_letter_target(local_cloud, functions, refused):
    assert refused(DeadLetterConfig={"TargetArn": "queue"})[1] == "ValidationException"
    assert refused(DeadLetterConfig={"TargetArn": "arn:aws:s3:::bucket"})[1] == INVALID
    lacking = "The provided execution role does not have permissions to call"
    for service, call in (("sqs", "SendMessage"), ("sns", "Publish")):
        target = {"TargetArn": f"arn:aws:{service}:us-east-1:000000000000:buried"}
        assert refused(DeadLetterConfig=target) == (
            400,
            INVALID,
            f"{lacking} {call} on {service.upper()}",
        )
        allowed = {"Action": f"{service}:{call}", "Resource": target["TargetArn"]}
        role = make_role(local_cloud, f"buries-{service}", allowed)
        name = f"buried-{service}"
        functions.create_function(**settings(role, FunctionName=name, DeadLetterConfig=target))
        found = functions.get_function_configuration(FunctionName=name)
        assert found["DeadLetterConfig"] == target


def test_snap_start_of_a_runtime_without_it(refused):
    assert refused(Runtime="python3.11", SnapStart={"ApplyOn": "PublishedVersions"}) == (
        400, INVALID, "python3.11 is not supported for SnapStart enabled functions."
    )  # fmt: skip


def test_publish_on_create(local_cloud, functions, role):
    made = functions.create_function(**settings(role, FunctionName="published", Publish=True))
    assert (made["Version"], made["State"]) == ("1", "Pending")
    assert invoke(local_cloud, "published", Qualifier="1")[0] == 1


def test_function_is_active_at_once(functions, role):
    functions.create_function(**settings(role, FunctionName="soon"))
    found = functions.get_function(FunctionName="soon")["Configuration"]
    assert (found["State"], found["LastUpdateStatus"]) == ("Active", "Successful")
    assert "StateReason" not in found
    functions.get_waiter("function_active_v2").wait(FunctionName="soon")
