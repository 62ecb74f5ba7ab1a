"""Reserved and provisioned concurrency as settings, and the account's limits."""

import pytest

from deployment import deploy, unchecked, wait_for
from refusals import refusal

ARN = "arn:aws:lambda:us-east-1:000000000000:function"
INVALID = "InvalidParameterValueException"
SOURCE = "def handler(event, context): pass\n"


@pytest.fixture(scope="module")
def functions(local_cloud):
    return unchecked(local_cloud, "lambda")


@pytest.fixture
def name(local_cloud, functions, request):
    """The name of a function with versions 1 and 2 and an alias `live` of version 1."""
    name = request.node.name.removeprefix("test_")[:60]
    deploy(local_cloud, name, SOURCE)
    functions.publish_version(FunctionName=name)
    functions.update_function_configuration(FunctionName=name, Timeout=9)
    functions.publish_version(FunctionName=name)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    yield name
    functions.delete_function(FunctionName=name)


def limits(functions):
    return functions.get_account_settings()["AccountLimit"]


def test_account_settings(functions, name):
    settings = functions.get_account_settings()
    settings.pop("ResponseMetadata")
    size = functions.get_function_configuration(FunctionName=name)["CodeSize"]
    assert settings == {
        "AccountLimit": {
            "TotalCodeSize": 300 * 1024**3,
            "CodeSizeUnzipped": 262144000,
            "CodeSizeZipped": 52428800,
            "ConcurrentExecutions": 1000,
            "UnreservedConcurrentExecutions": 1000,
        },
        "AccountUsage": {"TotalCodeSize": 3 * size, "FunctionCount": 1},
    }


def test_reserved(functions, name):
    given = {"FunctionName": name}
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(**given)
    made = functions.put_function_concurrency(**given, ReservedConcurrentExecutions=0)
    assert made["ReservedConcurrentExecutions"] == 0
    found = functions.get_function(**given)
    assert found["Concurrency"] == {"ReservedConcurrentExecutions": 0}
    functions.put_function_concurrency(**given, ReservedConcurrentExecutions=30)
    assert functions.get_function_concurrency(**given)["ReservedConcurrentExecutions"] == 30
    assert limits(functions)["UnreservedConcurrentExecutions"] == 970
    answer = functions.delete_function_concurrency(**given)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert "Concurrency" not in functions.get_function(**given)
    assert limits(functions)["UnreservedConcurrentExecutions"] == 1000


def test_a_hundred_stay_unreserved(functions, name):
    too_much = (
        400, INVALID,
        "Specified ReservedConcurrentExecutions for function decreases account's "
        "UnreservedConcurrentExecution below its minimum value of [100].",
    )  # fmt: skip
    put = functions.put_function_concurrency
    assert refusal(put, FunctionName=name, ReservedConcurrentExecutions=901) == too_much
    put(FunctionName=name, ReservedConcurrentExecutions=900)
    put(FunctionName=name, ReservedConcurrentExecutions=899)  # its own share is free again
    put(FunctionName=name, ReservedConcurrentExecutions=900)
    assert (
        functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 900
    )


def test_reserved_for_functions_only(functions, name):
    message = (
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this "
        "operation. Please specify either a function name or an unqualified function ARN."
    )
    for qualified in (f"{name}:1", f"{ARN}:{name}:live"):
        answer = refusal(
            functions.put_function_concurrency,
            FunctionName=qualified,
            ReservedConcurrentExecutions=1,
        )
        assert answer == (400, INVALID, message)
    answer = refusal(
        functions.put_function_concurrency, FunctionName="nobody", ReservedConcurrentExecutions=1
    )
    assert answer[2] == f"Function not found: {ARN}:nobody:$LATEST"
    assert refusal(functions.get_function_concurrency, FunctionName="nobody")[0] == 404
    answer = refusal(
        functions.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=-1
    )
    assert answer[1] == "ValidationException"


def ready(functions, **given):
    found = functions.get_provisioned_concurrency_config(**given)
    return found if found["Status"] == "READY" else None


def test_provisioned(functions, name):
    given = {"FunctionName": name, "Qualifier": "live"}
    made = functions.put_provisioned_concurrency_config(**given, ProvisionedConcurrentExecutions=2)
    assert made.pop("ResponseMetadata")["HTTPStatusCode"] == 202
    modified = made.pop("LastModified")
    assert made == {
        "RequestedProvisionedConcurrentExecutions": 2,
        "AvailableProvisionedConcurrentExecutions": 0,
        "AllocatedProvisionedConcurrentExecutions": 0,
        "Status": "IN_PROGRESS",
    }
    found = functions.get_provisioned_concurrency_config(**given)
    assert (found["RequestedProvisionedConcurrentExecutions"], found["LastModified"]) == (
        2,
        modified,
    )
    [listed] = functions.list_provisioned_concurrency_configs(FunctionName=name)[
        "ProvisionedConcurrencyConfigs"
    ]
    assert listed["FunctionArn"] == f"{ARN}:{name}:live"
    assert limits(functions)["UnreservedConcurrentExecutions"] == 998
    for _ in range(2):  # once more is no fault
        answer = functions.delete_provisioned_concurrency_config(**given)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(functions.get_provisioned_concurrency_config, **given) == (
        404, "ProvisionedConcurrencyConfigNotFoundException",
        "No Provisioned Concurrency Config found for this function",
    )  # fmt: skip
    assert limits(functions)["UnreservedConcurrentExecutions"] == 1000


def provision(functions, name, qualifier, wanted):
    return {
        "operation": functions.put_provisioned_concurrency_config,
        "FunctionName": name,
        "Qualifier": qualifier,
        "ProvisionedConcurrentExecutions": wanted,
    }


def test_provisioned_of_versions_and_their_aliases(functions, name):
    conflict = (409, "ResourceConflictException")
    functions.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=1
    )
    assert refusal(**provision(functions, name, "1", 1)) == (
        *conflict, "Version is pointed by a Provisioned Concurrency alias"
    )  # fmt: skip
    functions.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="2", ProvisionedConcurrentExecutions=1
    )
    functions.create_alias(FunctionName=name, Name="beta", FunctionVersion="2")
    assert refusal(**provision(functions, name, "beta", 1)) == (
        *conflict,
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
    )


def test_provisioned_stays_with_an_alias_that_moves(functions, name):
    functions.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=3
    )
    wait_for(lambda: ready(functions, FunctionName=name, Qualifier="live"))
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    found = functions.get_provisioned_concurrency_config(FunctionName=name, Qualifier="live")
    assert (found["RequestedProvisionedConcurrentExecutions"], found["Status"]) == (
        3,
        "IN_PROGRESS",
    )
    wait_for(lambda: ready(functions, FunctionName=name, Qualifier="live"))
    functions.delete_alias(FunctionName=name, Name="live")
    configs = functions.list_provisioned_concurrency_configs(FunctionName=name)
    assert configs["ProvisionedConcurrencyConfigs"] == []


def test_provisioned_and_reserved(functions, name):
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=5)
    functions.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=3
    )
    assert limits(functions)["UnreservedConcurrentExecutions"] == 995, "within what is reserved"
    over = (
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for "
        "function"
    )
    assert refusal(**provision(functions, name, "2", 3)) == (400, INVALID, over)
    assert refusal(**provision(functions, name, "live", 6)) == (400, INVALID, over)
    functions.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="2", ProvisionedConcurrentExecutions=2
    )
    answer = refusal(
        functions.put_function_concurrency, FunctionName=name, ReservedConcurrentExecutions=4
    )
    assert answer == (
        400, INVALID,
        " ReservedConcurrentExecutions  4 should not be lower than function's total provisioned "
        "concurrency [5].",
    )  # fmt: skip


def test_provisioned_within_the_account(functions, name):
    functions.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="2", ProvisionedConcurrentExecutions=10
    )
    assert refusal(**provision(functions, name, "live", 1001)) == (
        400, INVALID,
        "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency "
        "[990].",
    )  # fmt: skip
    assert refusal(**provision(functions, name, "live", 891)) == (
        400, INVALID,
        "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
        "below its minimum value of [100].",
    )  # fmt: skip
    functions.put_provisioned_concurrency_config(
        FunctionName=name, Qualifier="live", ProvisionedConcurrentExecutions=890
    )


def test_provisioned_needs_something_published(functions, name):
    functions.create_alias(FunctionName=name, Name="newest", FunctionVersion="$LATEST")
    unpublished = (
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    )
    for qualifier in ("$LATEST", "newest"):
        assert refusal(**provision(functions, name, qualifier, 1)) == (400, INVALID, unpublished)
    message = "The function resource provided must be an alias or a published version."
    for operation in (
        functions.get_provisioned_concurrency_config,
        functions.delete_provisioned_concurrency_config,
    ):
        answer = refusal(operation, FunctionName=name, Qualifier="$LATEST")
        assert answer == (400, INVALID, message)
    assert refusal(**provision(functions, name, "9", 1))[2] == f"Function not found: {ARN}:{name}:9"
    assert refusal(**provision(functions, name, "beta", 1))[2] == (
        f"Cannot find alias arn: {ARN}:{name}:beta"
    )
    assert refusal(**provision(functions, name, "1", 0)) == (
        400, "ValidationException",
        "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to satisfy "
        "constraint: Member must have value greater than or equal to 1",
    )  # fmt: skip
