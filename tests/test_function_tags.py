"""Tags, recursion and runtime updates: the small settings of functions."""

import pytest

from deployment import deploy, unchecked
from refusals import refusal

ARN = "arn:aws:lambda:us-east-1:000000000000:function:fn"
INVALID = "InvalidParameterValueException"


@pytest.fixture(scope="module")
def functions(local_cloud):
    deploy(local_cloud, "fn", "def handler(event, context): pass\n", Tags={"team": "red"})
    client = unchecked(local_cloud, "lambda")
    client.publish_version(FunctionName="fn")
    return client


def test_tags(functions):
    assert functions.get_function(FunctionName="fn")["Tags"] == {"team": "red"}
    answer = functions.tag_resource(Resource=ARN, Tags={"team": "blue", "cost": "low"})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert functions.list_tags(Resource=ARN)["Tags"] == {"team": "blue", "cost": "low"}
    functions.untag_resource(Resource=ARN, TagKeys=["team", "never-there"])
    assert functions.get_function(FunctionName="fn")["Tags"] == {"cost": "low"}
    functions.untag_resource(Resource=ARN, TagKeys=["cost"])
    assert "Tags" not in functions.get_function(FunctionName="fn")


def test_tags_that_are_refused(functions):
    def refused(resource=ARN, tags=None):
        return refusal(functions.tag_resource, Resource=resource, Tags=tags or {"a": "b"})

    assert refused(f"{ARN}:1") == (
        400, INVALID,
        "Tags on function aliases and versions are not supported. Please specify a function ARN.",
    )  # fmt: skip
    assert refused(f"{ARN}x")[:2] == (404, "ResourceNotFoundException")
    assert refused("fn")[1] == "ValidationException"
    many = {f"tag{number}": "" for number in range(51)}
    assert refused(tags=many) == (400, INVALID, "Number of tags exceeds resource tag limit.")
    assert refused(tags={"k" * 129: ""})[1] == "ValidationException"
    assert refusal(functions.tag_resource, Resource=ARN, Tags={}) == (
        400, INVALID, "An error occurred and the request cannot be processed."
    )  # fmt: skip
    assert functions.list_tags(Resource=ARN)["Tags"] == {}


def test_recursion(functions):
    assert (
        functions.get_function_recursion_config(FunctionName="fn")["RecursiveLoop"] == "Terminate"
    )
    functions.put_function_recursion_config(FunctionName="fn", RecursiveLoop="Allow")
    assert functions.get_function_recursion_config(FunctionName="fn")["RecursiveLoop"] == "Allow"
    assert refusal(functions.put_function_recursion_config, FunctionName="fn", RecursiveLoop="No") == (
        400, "ValidationException",
        "1 validation error detected: Value 'No' at 'recursiveLoop' failed to satisfy constraint: Member "
        "must satisfy enum value set: [Allow, Terminate]",
    )  # fmt: skip
    assert refusal(functions.get_function_recursion_config, FunctionName="nobody")[0] == 404


def test_runtime_management(functions):
    found = functions.get_runtime_management_config(FunctionName="fn")
    assert (found["UpdateRuntimeOn"], found["FunctionArn"]) == ("Auto", f"{ARN}:$LATEST")
    functions.put_runtime_management_config(FunctionName="fn", UpdateRuntimeOn="FunctionUpdate")
    found = functions.get_runtime_management_config(FunctionName="fn")
    assert found["UpdateRuntimeOn"] == "FunctionUpdate"
    version = functions.get_runtime_management_config(FunctionName="fn", Qualifier="1")
    assert (version["UpdateRuntimeOn"], version["FunctionArn"]) == ("Auto", f"{ARN}:1")
    put = functions.put_runtime_management_config
    assert refusal(put, FunctionName="fn", UpdateRuntimeOn="Manual")[1] == INVALID
    assert refusal(put, FunctionName="fn", UpdateRuntimeOn="Never")[1] == "ValidationException"
