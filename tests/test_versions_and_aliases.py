"""Published versions, aliases and weighted routing."""

import collections
import json

import pytest

from deployment import deploy, invoke, unchecked, wait_for, zip_of
from refusals import refusal

ARN = "arn:aws:lambda:us-east-1:000000000000:function"
INVALID = "InvalidParameterValueException"
SOURCE = "import os\ndef handler(event, context): return [{}, os.environ.get('COLOUR')]\n"


@pytest.fixture(scope="module")
def functions(local_cloud):
    return unchecked(local_cloud, "lambda")


@pytest.fixture
def two_versions(local_cloud, functions, request):
    """The name of a function with versions 1 and 2."""
    name = request.node.name.removeprefix("test_")[:60].replace("[", "-").replace("]", "")
    deploy(local_cloud, name, SOURCE.format(1))
    functions.publish_version(FunctionName=name)
    functions.update_function_code(FunctionName=name, ZipFile=zip_of({"app.py": SOURCE.format(2)}))
    functions.publish_version(FunctionName=name, Description="the second")
    return name


def test_publish_version(local_cloud, functions):
    deploy(local_cloud, "fn", SOURCE.format(1), Description="mine")
    made = functions.publish_version(FunctionName="fn")
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["FunctionArn"] == f"{ARN}:fn:1"
    assert (made["Version"], made["State"], made["Description"]) == ("1", "Pending", "mine")
    found = functions.get_function(FunctionName="fn", Qualifier="1")["Configuration"]
    assert (found["State"], found["Version"]) == ("Active", "1")
    functions.get_waiter("published_version_active").wait(FunctionName="fn", Qualifier="1")
    again = functions.publish_version(FunctionName="fn", Description="other")
    assert (again["Version"], again["Description"]) == ("1", "mine"), "nothing has changed"
    functions.update_function_configuration(FunctionName="fn", Timeout=9)
    assert functions.publish_version(FunctionName="fn")["Version"] == "2"
    assert functions.publish_version(FunctionName="fn")["Version"] == "2"


def test_numbers_are_not_used_again(functions, two_versions):
    functions.delete_function(FunctionName=two_versions, Qualifier="2")
    assert functions.publish_version(FunctionName=two_versions)["Version"] == "3"


def test_code_that_is_not_the_latest(functions, two_versions):
    sha = functions.get_function_configuration(FunctionName=two_versions)["CodeSha256"]
    functions.update_function_configuration(FunctionName=two_versions, Timeout=9)
    assert refusal(functions.publish_version, FunctionName=two_versions, CodeSha256="other") == (
        400, INVALID,
        f"CodeSHA256 (other) is different from current CodeSHA256 in $LATEST ({sha}). Please try again "
        "with the CodeSHA256 in $LATEST.",
    )  # fmt: skip
    assert functions.publish_version(FunctionName=two_versions, CodeSha256=sha)["Version"] == "3"


def test_versions_are_frozen(local_cloud, functions, two_versions):
    functions.update_function_configuration(
        FunctionName=two_versions, Environment={"Variables": {"COLOUR": "red"}}, Timeout=77
    )
    assert invoke(local_cloud, two_versions)[0] == [2, "red"]
    assert invoke(local_cloud, two_versions, Qualifier="2")[0] == [2, None]
    assert invoke(local_cloud, f"{two_versions}:1")[0] == [1, None]
    version = functions.get_function_configuration(FunctionName=two_versions, Qualifier="2")
    assert version["Timeout"] == 10
    assert version["Description"] == "the second"
    answer = refusal(
        functions.update_function_configuration, FunctionName=f"{two_versions}:2", Timeout=5
    )
    assert answer[:2] == (400, INVALID)


def test_list_versions(functions, two_versions):
    listed = functions.list_versions_by_function(FunctionName=two_versions)["Versions"]
    assert [each["Version"] for each in listed] == ["$LATEST", "1", "2"]
    assert [each["FunctionArn"] for each in listed] == [
        f"{ARN}:{two_versions}:{qualifier}" for qualifier in ("$LATEST", "1", "2")
    ]
    assert "State" not in listed[0]
    first = functions.list_versions_by_function(FunctionName=two_versions, MaxItems=2)
    rest = functions.list_versions_by_function(
        FunctionName=two_versions, Marker=first["NextMarker"]
    )
    assert [len(first["Versions"]), len(rest["Versions"])] == [2, 1]
    assert "NextMarker" not in rest


def test_all_versions_of_all_functions(functions, two_versions):
    arns = [each["FunctionArn"] for page in functions.get_paginator("list_functions").paginate(
        FunctionVersion="ALL", MaxItems=1) for each in page["Functions"]]  # fmt: skip
    own = [arn for arn in arns if f":{two_versions}:" in arn]
    assert own == [f"{ARN}:{two_versions}:{qualifier}" for qualifier in ("$LATEST", "1", "2")]
    plain = [each["FunctionArn"] for each in functions.list_functions()["Functions"]]
    assert f"{ARN}:{two_versions}" in plain
    assert len(plain) == len(set(plain))


def test_get_by_every_form_of_a_name(functions, two_versions):
    functions.create_alias(FunctionName=two_versions, Name="live", FunctionVersion="1")
    arn = f"{ARN}:{two_versions}"
    for name, qualifier, shown, version in (
        (two_versions, None, arn, "$LATEST"),
        (arn, None, arn, "$LATEST"),
        (f"000000000000:function:{two_versions}", None, arn, "$LATEST"),
        (two_versions, "$LATEST", f"{arn}:$LATEST", "$LATEST"),
        (f"{arn}:2", None, f"{arn}:2", "2"),
        (f"{two_versions}:2", "2", f"{arn}:2", "2"),
        (two_versions, "live", f"{arn}:live", "1"),
        (f"{arn}:live", None, f"{arn}:live", "1"),
    ):
        given = {"FunctionName": name, **({"Qualifier": qualifier} if qualifier else {})}
        for found in (
            functions.get_function(**given)["Configuration"],
            functions.get_function_configuration(**given),
        ):
            assert (found["FunctionArn"], found["Version"]) == (shown, version)
    assert refusal(functions.get_function, FunctionName=f"{two_versions}:1", Qualifier="2") == (
        400, INVALID,
        "The derived qualifier from the function name does not match the specified qualifier.",
    )  # fmt: skip
    assert refusal(functions.get_function, FunctionName=two_versions, Qualifier="9") == (
        404, "ResourceNotFoundException", f"Function not found: {arn}:9"
    )  # fmt: skip


def test_delete_version(functions, two_versions):
    functions.create_alias(
        FunctionName=two_versions, Name="live", FunctionVersion="2",
        RoutingConfig={"AdditionalVersionWeights": {"1": 0.1}},
    )  # fmt: skip
    functions.create_alias(FunctionName=two_versions, Name="beta", FunctionVersion="2")
    given = {"FunctionName": two_versions}
    referenced = "Unable to delete version because the following aliases reference it:"
    assert refusal(functions.delete_function, **given, Qualifier="2") == (
        409, "ResourceConflictException", f"{referenced} [beta, live]"
    )  # fmt: skip
    assert refusal(functions.delete_function, **given, Qualifier="1")[2] == f"{referenced} [live]"
    assert refusal(functions.delete_function, **given, Qualifier="live") == (
        400, INVALID, "Deletion of aliases is not currently supported."
    )  # fmt: skip
    assert refusal(functions.delete_function, **given, Qualifier="$LATEST") == (
        400, INVALID, "$LATEST version cannot be deleted without deleting the function."
    )  # fmt: skip
    functions.delete_alias(**given, Name="live")
    functions.delete_function(**given, Qualifier="1")
    assert refusal(functions.get_function, **given, Qualifier="1")[0] == 404
    functions.delete_function(**given, Qualifier="1")  # once more is no fault
    assert functions.get_alias(**given, Name="beta")["FunctionVersion"] == "2"


def test_alias(functions, two_versions):
    given = {"FunctionName": two_versions}
    made = functions.create_alias(**given, Name="live", FunctionVersion="1", Description="now")
    assert made.pop("ResponseMetadata")["HTTPStatusCode"] == 201
    revision = made.pop("RevisionId")
    assert made == {
        "AliasArn": f"{ARN}:{two_versions}:live",
        "Name": "live",
        "FunctionVersion": "1",
        "Description": "now",
    }
    moved = functions.update_alias(**given, Name="live", FunctionVersion="2", RevisionId=revision)
    assert (moved["FunctionVersion"], moved["Description"]) == ("2", "now")
    assert moved["RevisionId"] != revision
    assert refusal(functions.update_alias, **given, Name="live", RevisionId=revision)[:2] == (
        412, "PreconditionFailedException"
    )  # fmt: skip
    assert functions.get_alias(**given, Name="live")["ResponseMetadata"]["HTTPStatusCode"] == 200
    functions.create_alias(**given, Name="beta", FunctionVersion="$LATEST")
    listed = functions.list_aliases(**given)["Aliases"]
    assert [each["Name"] for each in listed] == ["beta", "live"]
    only = functions.list_aliases(**given, FunctionVersion="2")["Aliases"]
    assert [each["Name"] for each in only] == ["live"]
    assert functions.delete_alias(**given, Name="live")["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(functions.get_alias, **given, Name="live") == (
        404, "ResourceNotFoundException", f"Cannot find alias arn: {ARN}:{two_versions}:live"
    )  # fmt: skip


def test_alias_that_cannot_be_made(functions, two_versions):
    functions.create_alias(FunctionName=two_versions, Name="live", FunctionVersion="1")

    def refused(name="other", version="1", weights=None):
        routing = {"RoutingConfig": {"AdditionalVersionWeights": weights}} if weights else {}
        return refusal(
            functions.create_alias, FunctionName=two_versions, Name=name, FunctionVersion=version,
            **routing,
        )  # fmt: skip

    arn = f"{ARN}:{two_versions}"
    assert refused("live") == (
        409, "ResourceConflictException", f"Alias already exists: {arn}:live"
    )  # fmt: skip
    assert refused("17") == (
        400, "ValidationException",
        "1 validation error detected: Value '17' at 'name' failed to satisfy constraint: Member must "
        "satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)",
    )  # fmt: skip
    assert refused(version="9") == (
        404, "ResourceNotFoundException", f"Function not found: {arn}:9"
    )  # fmt: skip
    assert refused(weights={"1": 0.5}) == (
        400, INVALID,
        "Invalid function version 1. Function version 1 is already included in routing configuration.",
    )  # fmt: skip
    assert refused(weights={"2": 0.5, "3": 0.1}) == (
        400, INVALID, "Number of items in AdditionalVersionWeights cannot be greater than 1"
    )  # fmt: skip
    assert refused(version="$LATEST", weights={"1": 0.5}) == (
        400, INVALID, "$LATEST is not supported for an alias pointing to more than 1 version"
    )  # fmt: skip
    assert refused(weights={"9": 0.5})[2] == f"Function not found: {arn}:9"
    prefix = "1 validation error detected: Value '{"
    assert refused(weights={"2": 1.5})[1:] == (
        "ValidationException",
        prefix
        + "2=1.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map "
        "value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must "
        "have value greater than or equal to 0.0, Member must not be null]",
    )
    assert refused(weights={"live": 0.5})[1:] == (
        "ValidationException",
        prefix
        + "live=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: "
        "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member "
        "must have length greater than or equal to 1, Member must satisfy regular expression pattern: "
        "[0-9]+, Member must not be null]",
    )
    assert [
        each["Name"] for each in functions.list_aliases(FunctionName=two_versions)["Aliases"]
    ] == ["live"]


def executed(functions, name, times):
    answers = (functions.invoke(FunctionName=name, Qualifier="live") for _ in range(times))
    return collections.Counter(answer["ExecutedVersion"] for answer in answers)


def test_weights_route_invocations(functions, two_versions):
    weights = {"AdditionalVersionWeights": {"2": 0.5}}
    made = functions.create_alias(
        FunctionName=two_versions, Name="live", FunctionVersion="1", RoutingConfig=weights
    )
    assert made["RoutingConfig"] == weights
    # That all of sixty go one way happens once in 2**59 times.
    assert set(executed(functions, two_versions, 60)) == {"1", "2"}
    functions.update_alias(FunctionName=two_versions, Name="live",
                           RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}})  # fmt: skip
    assert executed(functions, two_versions, 10) == {"2": 10}
    moved = functions.update_alias(FunctionName=two_versions, Name="live", RoutingConfig={})
    assert "RoutingConfig" not in moved
    assert executed(functions, two_versions, 10) == {"1": 10}


def test_function_knows_how_it_was_invoked(local_cloud, functions):
    deploy(
        local_cloud,
        "knows",
        "def handler(e, c): return [c.invoked_function_arn, c.function_version]\n",
    )
    functions.publish_version(FunctionName="knows")
    functions.create_alias(FunctionName="knows", Name="live", FunctionVersion="1")
    arn = f"{ARN}:knows"
    assert invoke(local_cloud, "knows")[0] == [arn, "$LATEST"]
    assert invoke(local_cloud, "knows", Qualifier="live")[0] == [f"{arn}:live", "1"]
    assert invoke(local_cloud, "knows:live")[0] == [f"{arn}:live", "1"]
    assert invoke(local_cloud, f"{arn}:1")[0] == [f"{arn}:1", "1"]


def test_alias_moved_between_two_invocations(local_cloud, functions, two_versions):
    functions.create_alias(FunctionName=two_versions, Name="live", FunctionVersion="1")
    assert invoke(local_cloud, two_versions, Qualifier="live")[0] == [1, None]
    functions.update_alias(FunctionName=two_versions, Name="live", FunctionVersion="2")
    assert invoke(local_cloud, two_versions, Qualifier="live")[0] == [2, None]


def test_publish_with_new_code(local_cloud, functions, two_versions):
    made = functions.update_function_code(
        FunctionName=two_versions, ZipFile=zip_of({"app.py": SOURCE.format(3)}), Publish=True
    )
    assert (made["FunctionArn"], made["Version"]) == (f"{ARN}:{two_versions}:3", "3")
    assert invoke(local_cloud, two_versions, Qualifier="3")[0] == [3, None]
    wait_for(
        lambda: json.loads(functions.invoke(FunctionName=two_versions)["Payload"].read())[0] == 3
    )
