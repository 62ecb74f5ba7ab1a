"""Updates of functions: states, revisions, refusals, and environments that are replaced."""

import json
import threading

import pytest

from deployment import RUNTIME, deploy, invoke, make_role, wait_for, zip_of
from refusals import refusal

INVALID = "InvalidParameterValueException"
STALE = (
    412, "PreconditionFailedException",
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API "
    "to retrieve the latest Revision Id",
)  # fmt: skip
ECHO = "import os\ndef handler(event, context): return os.environ.get('COLOUR', 'none')\n"


def slow_to_unpack(word):
    """Files whose bytecode takes seconds to make: none of the modules was ever seen before."""
    lines = "\n".join(f"x{i} = [{i}] * {i}" for i in range(4000))
    return {"app.py": ECHO, **{f"part{n}.py": f"# {word} {n}\n{lines}" for n in range(60)}}


@pytest.fixture(scope="module")
def functions(local_cloud):
    return local_cloud.client("lambda")


def state_of(functions, name):
    found = functions.get_function_configuration(FunctionName=name)
    return {key: found.get(key) for key in ("State", "LastUpdateStatus", "StateReasonCode")}


SETTLED = {"State": "Active", "LastUpdateStatus": "Successful", "StateReasonCode": None}


def test_update_answers_in_progress(local_cloud, functions):
    deploy(local_cloud, "progress", ECHO)
    for made in (
        functions.update_function_configuration(FunctionName="progress", Timeout=9),
        functions.update_function_code(FunctionName="progress", ZipFile=zip_of({"app.py": ECHO})),
    ):
        assert (made["State"], made["LastUpdateStatus"]) == ("Active", "InProgress")
        assert made["LastUpdateStatusReason"] == "The function is being created."
        assert made["LastUpdateStatusReasonCode"] == "Creating"
        assert state_of(functions, "progress") == SETTLED
    functions.get_waiter("function_updated_v2").wait(FunctionName="progress")


def test_function_is_pending_until_it_is_unpacked(local_cloud, functions):
    deploy(local_cloud, "slow", slow_to_unpack("slow"))
    assert state_of(functions, "slow") == {
        "State": "Pending", "LastUpdateStatus": None, "StateReasonCode": "Creating"
    }  # fmt: skip
    assert refusal(functions.update_function_configuration, FunctionName="slow", Timeout=9) == (
        409, "ResourceConflictException",
        "The operation cannot be performed at this time. The function is currently in the following "
        "state: Pending",
    )  # fmt: skip
    # An invocation waits for the package, where AWS's would be refused.
    assert invoke(local_cloud, "slow")[:2] == ("none", None)
    wait_for(lambda: state_of(functions, "slow") == SETTLED)
    functions.update_function_configuration(FunctionName="slow", Timeout=9)


def test_update_while_one_runs(local_cloud, functions):
    arn = deploy(local_cloud, "busy", ECHO)["FunctionArn"]
    slow = zip_of(slow_to_unpack("busy"))
    functions.update_function_code(FunctionName="busy", ZipFile=slow)
    in_progress = (
        409, "ResourceConflictException",
        f"The operation cannot be performed at this time. An update is in progress for resource: {arn}",
    )  # fmt: skip
    assert (
        refusal(functions.update_function_configuration, FunctionName="busy", Timeout=9)
        == in_progress
    )
    assert (
        refusal(
            functions.update_function_code, FunctionName="busy", ZipFile=zip_of({"app.py": ECHO})
        )
        == in_progress
    )
    assert refusal(functions.publish_version, FunctionName="busy") == in_progress
    wait_for(lambda: state_of(functions, "busy") == SETTLED)
    functions.update_function_configuration(FunctionName="busy", Timeout=9)


def test_revision_id(local_cloud, functions):
    made = deploy(local_cloud, "revised", ECHO)
    revision = functions.get_function_configuration(FunctionName="revised")["RevisionId"]
    assert revision != made["RevisionId"], "becoming active is a change"
    given = {"FunctionName": "revised", "RevisionId": revision}
    code = {"ZipFile": zip_of({"app.py": ECHO})}
    functions.update_function_configuration(**given, Timeout=5)
    assert refusal(functions.update_function_configuration, **given, Timeout=6) == STALE
    assert refusal(functions.update_function_code, **given, **code) == STALE
    assert refusal(functions.publish_version, **given) == STALE
    assert functions.get_function_configuration(FunctionName="revised")["Timeout"] == 5
    given["RevisionId"] = functions.get_function(FunctionName="revised")["Configuration"][
        "RevisionId"
    ]
    functions.update_function_code(**given, **code)


def test_dry_run_changes_nothing(local_cloud, functions):
    deploy(local_cloud, "dry", ECHO)
    before = functions.get_function_configuration(FunctionName="dry")
    other = {"ZipFile": zip_of({"app.py": "def handler(event, context): return 'other'\n"})}
    tried = functions.update_function_code(FunctionName="dry", DryRun=True, **other)
    assert tried["CodeSha256"] != before["CodeSha256"]
    after = functions.get_function_configuration(FunctionName="dry")
    assert before | {"ResponseMetadata": 0} == after | {"ResponseMetadata": 0}
    assert (
        refusal(functions.update_function_code, FunctionName="dry", DryRun=True, ZipFile=b"x")[1]
        == INVALID
    )
    assert invoke(local_cloud, "dry")[0] == "none"


def test_refused_update_changes_nothing(local_cloud, functions):
    deploy(local_cloud, "kept", ECHO)
    before = functions.get_function_configuration(FunctionName="kept")
    for changed in (
        {"Role": "arn:aws:iam::000000000000:role/nobody"},
        {"Runtime": "python2.7"},
        {"Environment": {"Variables": {"AWS_REGION": "x"}}},
        {"MemorySize": 10241},
        {"Layers": ["arn:aws:lambda:us-east-1:000000000000:layer:none:1"]},
        {"DeadLetterConfig": {"TargetArn": "arn:aws:s3:::bucket"}},
    ):
        answer = refusal(
            functions.update_function_configuration, FunctionName="kept", Timeout=77, **changed
        )
        assert answer[:2] == (400, INVALID), changed
    for code in (b"junk", b""):
        assert (
            refusal(functions.update_function_code, FunctionName="kept", ZipFile=code)[1] == INVALID
        )
    after = functions.get_function_configuration(FunctionName="kept")
    assert before | {"ResponseMetadata": 0} == after | {"ResponseMetadata": 0}
    assert invoke(local_cloud, "kept")[0] == "none"


def test_code_of_the_other_package_type(local_cloud, functions):
    deploy(local_cloud, "zipped", ECHO)
    assert refusal(functions.update_function_code, FunctionName="zipped", ImageUri="a/b:c") == (
        400, INVALID, "Please don't provide ImageUri when updating a function with packageType Zip."
    )  # fmt: skip


def test_missing_function(functions):
    missing = (
        404, "ResourceNotFoundException",
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody",
    )  # fmt: skip
    assert (
        refusal(functions.update_function_configuration, FunctionName="nobody", Timeout=1)
        == missing
    )
    assert refusal(functions.update_function_code, FunctionName="nobody", ZipFile=b"x") == missing
    assert refusal(functions.get_function, FunctionName="nobody") == missing
    assert refusal(functions.get_function_configuration, FunctionName="nobody") == missing


def test_dead_letter_config(local_cloud, functions):
    target = "arn:aws:sqs:us-east-1:000000000000:buried"
    role = make_role(local_cloud, "buries", {"Action": "sqs:SendMessage", "Resource": target})
    made = deploy(local_cloud, "buries", ECHO, role, DeadLetterConfig={"TargetArn": target})
    assert made["DeadLetterConfig"] == {"TargetArn": target}
    made = functions.update_function_configuration(
        FunctionName="buries", DeadLetterConfig={"TargetArn": ""}
    )
    assert "DeadLetterConfig" not in made


def test_architecture(local_cloud, functions):
    deploy(local_cloud, "arm", ECHO)
    made = functions.update_function_code(
        FunctionName="arm", ZipFile=zip_of({"app.py": ECHO}), Architectures=["arm64"]
    )
    assert made["Architectures"] == ["arm64"]


def shutdowns(local_cloud, name):
    return [
        entry["reason"]
        for entry in local_cloud.record.entries()
        if entry["type"] == "shutdown" and entry["function"].endswith(f":{name}")
    ]


def test_new_code_replaces_environments(local_cloud, functions):
    deploy(local_cloud, "replaced", ECHO)
    invoke(local_cloud, "replaced")
    other = zip_of({"app.py": "def handler(event, context): return 'other'\n"})
    functions.update_function_code(FunctionName="replaced", ZipFile=other)
    payload, _, tail = invoke(local_cloud, "replaced")
    assert payload == "other"
    assert "Init Duration" in tail
    wait_for(lambda: shutdowns(local_cloud, "replaced") == ["replaced"])


def test_new_configuration_replaces_environments(local_cloud, functions):
    deploy(local_cloud, "recoloured", ECHO)
    invoke(local_cloud, "recoloured")
    functions.update_function_configuration(
        FunctionName="recoloured", Environment={"Variables": {"COLOUR": "red"}}
    )
    assert invoke(local_cloud, "recoloured")[0] == "red"
    wait_for(lambda: shutdowns(local_cloud, "recoloured") == ["replaced"])


def test_each_update_replaces_environments_whatever_it_sets(local_cloud, functions):
    deploy(local_cloud, "resized", ECHO, MemorySize=256)
    invoke(local_cloud, "resized")
    for size in (512, 256):
        functions.update_function_configuration(FunctionName="resized", MemorySize=size)
        functions.get_waiter("function_updated_v2").wait(FunctionName="resized")
    assert "Init Duration" in invoke(local_cloud, "resized")[2]
    wait_for(lambda: shutdowns(local_cloud, "resized") == ["replaced"])
    assert "Init Duration" not in invoke(local_cloud, "resized")[2]


def test_busy_environment_ends_when_it_is_done(local_cloud, functions):
    source = "import time\ndef handler(event, context):\n    time.sleep(event.get('s', 0))\n    return 1\n"
    deploy(local_cloud, "occupied", source)
    answers = []
    caller = threading.Thread(
        target=lambda: answers.append(invoke(local_cloud, "occupied", {"s": 6})[0])
    )
    caller.start()
    wait_for(lambda: [e for e in local_cloud.record.entries() if e["type"] == "invoke.start"
                      and e["function"].endswith(":occupied")])  # fmt: skip
    code = zip_of({"app.py": "def handler(event, context): return 2\n"})
    functions.update_function_code(FunctionName="occupied", ZipFile=code)
    assert invoke(local_cloud, "occupied")[0] == 2
    assert not answers, "the first invocation still runs"
    caller.join(timeout=60)
    assert answers == [1]
    wait_for(lambda: shutdowns(local_cloud, "occupied") == ["replaced"])


def test_function_made_by_cloudformation_has_states_too(local_cloud, functions):
    role = make_role(local_cloud, "stacked")
    template = {
        "Resources": {
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": "stacked",
                    "Runtime": RUNTIME,
                    "Handler": "index.handler",
                    "Role": role,
                    "Code": {"ZipFile": "def handler(event, context): return 1\n"},
                },
            }
        }
    }
    stacks = local_cloud.client("cloudformation")
    stacks.create_stack(StackName="stacked", TemplateBody=json.dumps(template))
    stacks.get_waiter("stack_create_complete").wait(StackName="stacked")
    wait_for(lambda: state_of(functions, "stacked") == SETTLED)
    template["Resources"]["Function"]["Properties"]["Role"] = role + "-missing"
    stacks.update_stack(StackName="stacked", TemplateBody=json.dumps(template))
    events = wait_for(
        lambda: [e for e in stacks.describe_stack_events(StackName="stacked")["StackEvents"]
                 if e["ResourceStatus"] == "UPDATE_FAILED"]
    )  # fmt: skip
    assert "cannot be assumed by Lambda" in events[0]["ResourceStatusReason"]
