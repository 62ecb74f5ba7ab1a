"""Function URL configurations as resources."""

import urllib.request

import pytest

from deployment import deploy, unchecked
from refusals import refusal

ARN = "arn:aws:lambda:us-east-1:000000000000:function:fn"
NOT_FOUND = "ResourceNotFoundException"


@pytest.fixture(scope="module")
def functions(local_cloud):
    deploy(local_cloud, "fn", "def handler(event, context): return context.invoked_function_arn\n")
    client = unchecked(local_cloud, "lambda")
    client.publish_version(FunctionName="fn")
    client.create_alias(FunctionName="fn", Name="live", FunctionVersion="1")
    return client


@pytest.fixture(autouse=True)
def no_urls(functions):
    yield
    for found in functions.list_function_url_configs(FunctionName="fn")["FunctionUrlConfigs"]:
        functions.delete_function_url_config(FunctionName=found["FunctionArn"])


def test_life(local_cloud, functions):
    given = {"FunctionName": "fn"}
    made = functions.create_function_url_config(
        **given, AuthType="NONE", Cors={"AllowOrigins": ["*"]}
    )
    assert made.pop("ResponseMetadata")["HTTPStatusCode"] == 201
    url, created = made.pop("FunctionUrl"), made.pop("CreationTime")
    assert made == {
        "FunctionArn": ARN,
        "AuthType": "NONE",
        "Cors": {"AllowOrigins": ["*"]},
        "InvokeMode": "BUFFERED",
    }
    identifier, _, rest = url.removeprefix("http://").partition(".")
    assert len(identifier) == 32 and identifier.isalnum()
    assert rest == f"lambda-url.us-east-1.localhost:{local_cloud.port}/"
    changed = functions.update_function_url_config(**given, AuthType="AWS_IAM")
    assert changed["AuthType"] == "AWS_IAM"
    assert changed["Cors"] == {"AllowOrigins": ["*"]}, "what isn't given stays"
    found = functions.get_function_url_config(**given)
    assert (found["FunctionUrl"], found["CreationTime"]) == (url, created)
    assert found["LastModifiedTime"] >= created
    assert found["ResponseMetadata"]["HTTPStatusCode"] == 200
    answer = functions.delete_function_url_config(**given)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(functions.get_function_url_config, **given) == (
        404, NOT_FOUND, "The resource you requested does not exist."
    )  # fmt: skip


def test_an_alias_has_a_url_of_its_own(functions):
    urls = {
        functions.create_function_url_config(FunctionName="fn", AuthType="NONE", **given)[
            "FunctionUrl"
        ]
        for given in ({}, {"Qualifier": "live"})
    }
    listed = functions.list_function_url_configs(FunctionName="fn")["FunctionUrlConfigs"]
    assert {each["FunctionUrl"] for each in listed} == urls
    assert [each["FunctionArn"] for each in listed] == [ARN, f"{ARN}:live"]
    found = functions.get_function_url_config(FunctionName="fn", Qualifier="live")
    assert found["FunctionArn"] == f"{ARN}:live"


def test_refusals(functions):
    create = functions.create_function_url_config
    create(FunctionName="fn", AuthType="NONE")
    assert refusal(create, FunctionName="fn", AuthType="NONE") == (
        409, "ResourceConflictException",
        f"Failed to create function url config for [functionArn = {ARN}]. Error message:  "
        "FunctionUrlConfig exists for this Lambda function",
    )  # fmt: skip
    missing = (404, NOT_FOUND, "Function does not exist")
    assert refusal(create, FunctionName="nobody", AuthType="NONE") == missing
    assert refusal(create, FunctionName="fn", Qualifier="beta", AuthType="NONE") == missing
    assert refusal(functions.list_function_url_configs, FunctionName="nobody") == missing
    update = functions.update_function_url_config
    assert refusal(update, FunctionName="fn", Qualifier="beta", AuthType="NONE") == missing
    assert refusal(update, FunctionName="fn", Qualifier="live", AuthType="NONE")[0] == 404
    for qualifier in ("1", "$LATEST"):
        assert refusal(create, FunctionName="fn", Qualifier=qualifier, AuthType="NONE") == (
            400, "ValidationException",
            f"1 validation error detected: Value '{qualifier}' at 'qualifier' failed to satisfy "
            r"constraint: Member must satisfy regular expression pattern: ((?!^\d+$)^[0-9a-zA-Z-_]+$)",
        )  # fmt: skip
    assert refusal(create, FunctionName="fn", Qualifier="live", AuthType="BASIC")[2] == (
        "1 validation error detected: Value 'BASIC' at 'authType' failed to satisfy constraint: Member "
        "must satisfy enum value set: [NONE, AWS_IAM]"
    )
    assert refusal(create, FunctionName="fn", AuthType="NONE", InvokeMode="FAST")[2].endswith(
        "Member must satisfy enum value set: [BUFFERED, RESPONSE_STREAM]"
    )


def test_a_url_of_an_alias_invokes_its_version(local_cloud, functions):
    given = {"FunctionName": "fn", "Qualifier": "live"}
    made = functions.create_function_url_config(**given, AuthType="NONE")
    for action in ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction"):
        functions.add_permission(
            **given, StatementId=action[7:], Action=action, Principal="*",
            **({"FunctionUrlAuthType": "NONE"} if action.endswith("Url") else {}),
        )  # fmt: skip
    identifier = made["FunctionUrl"].removeprefix("http://").partition(".")[0]
    address = f"{local_cloud.endpoint_url}/_aws/lambda-url/{identifier}/"
    with urllib.request.urlopen(address, timeout=60) as answer:
        assert answer.read().decode() == f"{ARN}:live"
