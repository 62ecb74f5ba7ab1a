"""Stacks and other stacks: exports and imports, nested stacks, and protection from deletion."""

import json

import pytest
from botocore.exceptions import ClientError

from stacks import create, delete, described, events, gone, outputs, reason, update

QUEUE = {"Type": "AWS::SQS::Queue"}


pytestmark = pytest.mark.usefixtures("no_stack_left")


def exporting(export="shared", value="1", **resources):
    out = {"Out": {"Value": value, "Export": {"Name": {"Fn::Sub": export}}}}
    return {"Resources": {"Q": QUEUE, **resources}, "Outputs": out}


def importing(export="shared"):
    value = {"Fn::ImportValue": {"Fn::Sub": export}}
    parameter = {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": "/imported", "Type": "String", "Value": value},
    }
    return {"Resources": {"P": parameter}}


NOTHING = {"Resources": {"Q": QUEUE}}


# -- exports --------------------------------------------------------------------------------------


def test_an_import_gets_the_value(cfn, local_cloud):
    create(cfn, "owner", exporting("${AWS::StackName}-out", "42"))
    create(cfn, "user", importing("owner-out"))
    ssm = local_cloud.client("ssm")
    assert ssm.get_parameter(Name="/imported")["Parameter"]["Value"] == "42"
    (export,) = cfn.list_exports()["Exports"]
    owner = described(cfn, "owner")
    assert export["ExportingStackId"] == owner["StackId"]
    assert owner["Outputs"][0]["ExportName"] == "owner-out"
    assert cfn.list_imports(ExportName="owner-out")["Imports"] == ["user"]


def test_an_import_in_an_update_of_an_older_stack(cfn):
    create(cfn, "user", NOTHING)
    create(cfn, "owner", exporting())
    assert update(cfn, "user", importing())["StackStatus"] == "UPDATE_COMPLETE"


def test_an_import_of_nothing_is_rolled_back(cfn):
    assert create(cfn, "user", importing("nowhere"))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert reason(cfn, "user", "user", "ROLLBACK_IN_PROGRESS") == (
        "No export named nowhere found. Rollback requested by user."
    )
    with pytest.raises(ClientError, match="Export 'nowhere' is not imported by any stack."):
        cfn.list_imports(ExportName="nowhere")


def test_a_name_is_exported_once(cfn):
    create(cfn, "first", exporting(value="1"))
    second = create(cfn, "second", exporting(value="2"))
    assert second["StackStatus"] == "ROLLBACK_COMPLETE"
    assert reason(cfn, "second", "second", "ROLLBACK_IN_PROGRESS") == (
        "Export with name shared is already exported by stack first. Rollback requested by user."
    )
    assert [e["Value"] for e in cfn.list_exports()["Exports"]] == ["1"]
    delete(cfn, "first")
    assert create(cfn, "third", exporting(value="3"))["StackStatus"] == "CREATE_COMPLETE"


def test_an_update_into_another_stacks_name_is_rolled_back(cfn):
    create(cfn, "first", exporting())
    create(cfn, "second", exporting("own"))
    stack = update(cfn, "second", exporting("shared"))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    names = {e["Name"] for e in cfn.list_exports()["Exports"]}
    assert names == {"shared", "own"}


@pytest.mark.parametrize(
    ("changed", "verb"), [(NOTHING, "deleted"), (exporting(value="2"), "updated")]
)
def test_an_export_in_use_stays_as_it_is(cfn, changed, verb):
    create(cfn, "owner", exporting())
    create(cfn, "user", importing())
    assert update(cfn, "owner", changed)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    told = reason(cfn, "owner", "owner", "UPDATE_ROLLBACK_IN_PROGRESS")
    assert told == f"Export shared cannot be {verb} as it is in use by user. "
    assert outputs(described(cfn, "owner")) == {"Out": "1"}
    delete(cfn, "user")
    assert update(cfn, "owner", changed)["StackStatus"] == "UPDATE_COMPLETE"


def test_a_stack_whose_export_is_in_use_is_not_deleted(cfn):
    create(cfn, "owner", exporting())
    create(cfn, "user", importing())
    assert delete(cfn, "owner")["StackStatus"] == "CREATE_COMPLETE"
    assert reason(cfn, "owner", "owner", "CREATE_COMPLETE") == (
        "Delete canceled. Cannot delete export shared as it is in use by user"
    )


def test_an_export_is_there_while_its_stack_is_updated(cfn, monkeypatch):
    from localcloud.control_plane import cloudformation

    seen, exports_of = [], cloudformation.exports_of

    def watched(stack):
        seen.append([each["Name"] for each in cfn.list_exports()["Exports"]])
        return exports_of(stack)

    create(cfn, "exporter", exporting())
    monkeypatch.setattr(cloudformation, "exports_of", watched)
    update(cfn, "exporter", exporting(value="2"))
    assert seen == [["shared"]]
    update(cfn, "exporter", exporting(export="renamed"))
    assert [each["Name"] for each in cfn.list_exports()["Exports"]] == ["renamed"]


def test_a_stack_is_found_by_what_it_has_made(cfn):
    create(cfn, "found", {"Resources": {"Q": QUEUE, "R": QUEUE}})
    found = cfn.describe_stack_resources(StackName="found")["StackResources"]
    for each in found:
        asked = cfn.describe_stack_resources(PhysicalResourceId=each["PhysicalResourceId"])
        assert asked["StackResources"] == found
    with pytest.raises(ClientError, match="Stack for nothing does not exist") as caught:
        cfn.describe_stack_resources(PhysicalResourceId="nothing")
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_an_export_under_a_false_condition_is_none(cfn):
    template = exporting()
    template["Conditions"] = {"Never": {"Fn::Equals": ["a", "b"]}}
    template["Outputs"]["Out"]["Condition"] = "Never"
    assert create(cfn, "owner", template)["StackStatus"] == "CREATE_COMPLETE"
    assert cfn.list_exports()["Exports"] == []


# -- termination protection -----------------------------------------------------------------------


def test_a_protected_stack_is_not_deleted(cfn):
    create(cfn, "kept", NOTHING, EnableTerminationProtection=True)
    assert described(cfn, "kept")["EnableTerminationProtection"] is True
    with pytest.raises(ClientError) as caught:
        cfn.delete_stack(StackName="kept")
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert caught.value.response["Error"]["Message"] == (
        "Stack [kept] cannot be deleted while TerminationProtection is enabled"
    )
    assert described(cfn, "kept")["StackStatus"] == "CREATE_COMPLETE"
    answer = cfn.update_termination_protection(StackName="kept", EnableTerminationProtection=False)
    assert answer["StackId"] == described(cfn, "kept")["StackId"]
    cfn.delete_stack(StackName="kept")
    assert gone(cfn, "kept")


# -- nested stacks --------------------------------------------------------------------------------


@pytest.fixture
def nested(local_cloud):
    """A function that stores a template, and gives a resource that makes a stack of it."""
    s3 = local_cloud.client("s3")
    s3.create_bucket(Bucket="templates")

    def resource(template, **parameters):
        s3.put_object(Bucket="templates", Key="child.json", Body=json.dumps(template))
        url = f"{local_cloud.endpoint_url}/templates/child.json"
        properties = {"TemplateURL": url, "Parameters": parameters}
        return {"Type": "AWS::CloudFormation::Stack", "Properties": properties}

    yield resource
    s3.delete_object(Bucket="templates", Key="child.json")
    s3.delete_bucket(Bucket="templates")


CHILD = {
    "Parameters": {"Word": {"Type": "String"}, "Numbers": {"Type": "CommaDelimitedList"}},
    "Resources": {"Q": QUEUE},
    "Outputs": {
        "Said": {"Value": {"Ref": "Word"}},
        "Last": {"Value": {"Fn::Select": [1, {"Ref": "Numbers"}]}},
    },
}
# The function's code is nowhere, so that this resource can't be made.
BROKEN = {
    "Type": "AWS::Lambda::Function",
    "Properties": {
        "Code": {"S3Bucket": "nowhere", "S3Key": "x"}, "Handler": "a.b", "Runtime": "python3.13",
        "Role": "arn:aws:iam::000000000000:role/r",
    },
}  # fmt: skip


def parent(child, **more):
    return {"Resources": {"Child": child, **more}}


def child_of(cfn, name):
    (found,) = [
        r for r in cfn.list_stack_resources(StackName=name)["StackResourceSummaries"]
        if r["LogicalResourceId"] == "Child"
    ]  # fmt: skip
    return found


def test_a_nested_stack_takes_parameters_and_gives_outputs(cfn, nested):
    template = parent(nested(CHILD, Word="hello", Numbers=[1, 2]))
    template["Outputs"] = {
        "Said": {"Value": {"Fn::GetAtt": ["Child", "Outputs.Said"]}},
        "Whole": {"Value": {"Fn::Sub": "${Child.Outputs.Said} ${Child.Outputs.Last}"}},
        "Ref": {"Value": {"Ref": "Child"}},
    }
    stack = create(cfn, "parent", template)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    child = described(cfn, child_of(cfn, "parent")["PhysicalResourceId"])
    assert outputs(stack) == {"Said": "hello", "Whole": "hello 2", "Ref": child["StackId"]}
    assert (child["ParentId"], child["RootId"]) == (stack["StackId"], stack["StackId"])
    delete(cfn, "parent")
    assert described(cfn, child["StackId"])["StackStatus"] == "DELETE_COMPLETE"


def test_getatt_in_short_form(cfn, nested):
    nested(CHILD)
    url = nested(CHILD)["Properties"]["TemplateURL"]
    body = f"""
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: {{TemplateURL: "{url}", Parameters: {{Word: short, Numbers: "1,2"}}}}
Outputs:
  Said: {{Value: !GetAtt Child.Outputs.Said}}
"""
    cfn.create_stack(StackName="parent", TemplateBody=body)
    assert outputs(described(cfn, "parent")) == {"Said": "short"}


def test_a_failure_in_a_nested_stack_is_the_parents(cfn, nested):
    stack = create(cfn, "parent", parent(nested({"Resources": {"Q": QUEUE, "F": BROKEN}})))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    told = reason(cfn, "parent", "Child", "CREATE_FAILED")
    child_id = child_of(cfn, "parent")["PhysicalResourceId"]
    assert told == (
        f"Embedded stack {child_id} was not successfully created: "
        "The following resource(s) failed to create: [F]. "
    )
    assert described(cfn, child_id)["StackStatus"] == "DELETE_COMPLETE"
    statuses = [s for i, s, _ in events(cfn, child_id) if i == child_id.split("/")[1]]
    assert statuses == [
        "CREATE_IN_PROGRESS", "CREATE_FAILED", "DELETE_IN_PROGRESS", "DELETE_COMPLETE",
    ]  # fmt: skip
    assert "cannot be assumed by Lambda" in reason(cfn, child_id, "F", "CREATE_FAILED")


def test_an_update_reaches_the_nested_stack(cfn, nested):
    create(cfn, "parent", parent(nested(CHILD, Word="one", Numbers="1,2")))
    before = child_of(cfn, "parent")["PhysicalResourceId"]
    update(cfn, "parent", parent(nested(CHILD, Word="two", Numbers="1,2")))
    assert child_of(cfn, "parent")["PhysicalResourceId"] == before
    assert outputs(described(cfn, before))["Said"] == "two"
    # The same URL, another template behind it.
    longer = {**CHILD, "Resources": {"Q": QUEUE, "R": QUEUE}}
    changed = parent(nested(longer, Word="two", Numbers="1,2"))
    assert (
        update(cfn, "parent", {**changed, "Description": "n"})["StackStatus"] == "UPDATE_COMPLETE"
    )
    assert len(cfn.list_stack_resources(StackName=before)["StackResourceSummaries"]) == 2


def test_a_failed_update_of_a_nested_stack_is_rolled_back_with_its_parent(cfn, nested):
    create(cfn, "parent", parent(nested(NOTHING)))
    child_id = child_of(cfn, "parent")["PhysicalResourceId"]
    broken = parent(nested({"Resources": {"Q": QUEUE, "F": BROKEN}}))
    stack = update(cfn, "parent", {**broken, "Description": "n"})
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert reason(cfn, "parent", "Child", "UPDATE_FAILED") == (
        f"Embedded stack {child_id} was not successfully updated. Currently in "
        "UPDATE_ROLLBACK_IN_PROGRESS with reason: The following resource(s) failed to create: [F]. "
    )
    assert described(cfn, child_id)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"


def test_a_rollback_leaves_a_nested_stack_as_its_last_update_made_it(cfn, nested):
    create(cfn, "parent", parent(nested(CHILD, Word="one", Numbers="1,2"), A=QUEUE))
    update(cfn, "parent", parent(nested(CHILD, Word="two", Numbers="1,2"), A=QUEUE))
    # It fails before it comes to the nested stack.
    third = {**nested(CHILD, Word="three", Numbers="1,2"), "DependsOn": "F"}
    stack = update(cfn, "parent", parent(third, A=QUEUE, F=BROKEN))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert outputs(described(cfn, child_of(cfn, "parent")["PhysicalResourceId"]))["Said"] == "two"


def test_a_nested_stack_that_cannot_be_deleted(cfn, nested, local_cloud):
    bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "in-the-way"}}
    create(cfn, "parent", parent(nested({"Resources": {"B": bucket}})))
    s3 = local_cloud.client("s3")
    s3.put_object(Bucket="in-the-way", Key="a", Body=b"x")
    assert delete(cfn, "parent")["StackStatus"] == "DELETE_FAILED"
    child_id = child_of(cfn, "parent")["PhysicalResourceId"]
    assert reason(cfn, "parent", "Child", "DELETE_FAILED") == (
        f"Embedded stack {child_id} was not successfully deleted: "
        "The following resource(s) failed to delete: [B]. "
    )
    s3.delete_object(Bucket="in-the-way", Key="a")
    assert delete(cfn, "parent")["StackStatus"] == "DELETE_COMPLETE"


def test_a_nested_template_that_is_not_there_or_not_right(cfn, nested):
    lost = nested(NOTHING)
    lost["Properties"]["TemplateURL"] += "x"
    assert create(cfn, "lost", parent(lost))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "key does not exist" in reason(cfn, "lost", "Child", "CREATE_FAILED")
    assert create(cfn, "bad", parent(nested({"Resources": {"A": {}}})))["StackStatus"].startswith(
        "R"
    )
    assert "must contain a Type member" in reason(cfn, "bad", "Child", "CREATE_FAILED")


def test_an_update_that_changes_nothing_is_refused_also_without_properties(cfn):
    create(cfn, "same", NOTHING)
    with pytest.raises(ClientError, match="No updates are to be performed."):
        update(cfn, "same", NOTHING)


def test_what_is_not_done_is_refused_and_nothing_goes(cfn):
    create(cfn, "kept", {"Resources": {"Q": QUEUE}})
    with pytest.raises(ClientError, match="RetainResources is not done"):
        cfn.delete_stack(StackName="kept", RetainResources=["Q"])
    assert described(cfn, "kept")["StackStatus"] == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="InvalidAction"):
        cfn.cancel_update_stack(StackName="kept")
