"""Change sets: what an update would do is told before it is done, and done when asked for."""

import json
import threading

import pytest
from botocore.exceptions import ClientError

from deployment import TRUST, wait_for
from stacks import create, described, ended, events, gone, update

NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a "
    "change set."
)


pytestmark = pytest.mark.usefixtures("no_stack_left")


def bucket(name, **more):
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}, **more}


def log_group(name, days=7):
    return {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {"LogGroupName": name, "RetentionInDays": days},
    }


def parameter(value, name="/value"):
    return {
        "Type": "AWS::SSM::Parameter",
        "Properties": {"Name": name, "Type": "String", "Value": value},
    }


def stack_of(**resources):
    return {"Resources": resources}


def propose(cfn, template, name="proposal", stack="changing", **options):
    """The change set of an update of the stack, as DescribeChangeSet shows it."""
    if template is not None:
        options["TemplateBody"] = json.dumps(template)
    made = cfn.create_change_set(StackName=stack, ChangeSetName=name, **options)
    return cfn.describe_change_set(ChangeSetName=made["Id"])


def proposed(cfn, template, **options):
    """The ResourceChanges of an update, by logical id."""
    found = propose(cfn, template, **options)
    assert (found["Status"], found["ExecutionStatus"]) == ("CREATE_COMPLETE", "AVAILABLE")
    assert {each["Type"] for each in found["Changes"]} <= {"Resource"}
    changes = [each["ResourceChange"] for each in found["Changes"]]
    return {each["LogicalResourceId"]: each for each in changes}


def details(change):
    """Each detail as (what, recreation, evaluation, source, entity)."""
    return [
        (
            each["Target"].get("Name", each["Target"]["Attribute"]),
            each["Target"]["RequiresRecreation"],
            each["Evaluation"],
            each["ChangeSource"],
            each.get("CausingEntity"),
        )
        for each in change["Details"]
    ]


@pytest.mark.parametrize("options", [{}, {"ChangeSetType": "UPDATE"}])
def test_what_is_added_modified_and_removed(cfn, local_cloud, options):
    kept = bucket("kept-as-it-is")
    create(cfn, "changing", stack_of(Kept=kept, Old=bucket("old-one"), Group=log_group("/group")))
    changed = stack_of(Kept=kept, New=bucket("new-one"), Group=log_group("/group", 14))
    changes = proposed(cfn, changed, **options)
    assert set(changes) == {"New", "Old", "Group"}

    added = {"Action": "Add", "LogicalResourceId": "New", "ResourceType": "AWS::S3::Bucket"}
    assert changes["New"] == {**added, "Scope": [], "Details": []}
    assert changes["Old"]["Action"] == "Remove"
    assert changes["Old"]["PhysicalResourceId"] == "old-one"
    assert changes["Old"]["PolicyAction"] == "Delete"
    assert changes["Group"] == {
        "Action": "Modify",
        "LogicalResourceId": "Group",
        "PhysicalResourceId": "/group",
        "ResourceType": "AWS::Logs::LogGroup",
        "Replacement": "False",
        "Scope": ["Properties"],
        "Details": [
            {
                "Target": {
                    "Attribute": "Properties",
                    "Name": "RetentionInDays",
                    "RequiresRecreation": "Never",
                },
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }
        ],
    }
    # Nothing has been done yet.
    names = [b["Name"] for b in local_cloud.client("s3").list_buckets()["Buckets"]]
    assert "old-one" in names
    assert "new-one" not in names
    assert described(cfn, "changing")["StackStatus"] == "CREATE_COMPLETE"


def test_a_replacement_and_what_refers_to_it(cfn):
    def template(name, policy="Delete"):
        return stack_of(
            Place=bucket(name, UpdateReplacePolicy=policy),
            ByRef=parameter({"Ref": "Place"}, "/by-ref"),
            BySub=parameter({"Fn::Sub": "at ${Place.Arn}"}, "/by-sub"),
            Apart=log_group("/apart"),
            Named=bucket("named-apart", Metadata={"Note": "x"}),
        )

    create(cfn, "changing", template("before-it"))
    changes = proposed(cfn, template("after-it"))
    assert set(changes) == {"Place", "ByRef", "BySub"}
    assert changes["Place"]["Replacement"] == "True"
    assert changes["Place"]["PolicyAction"] == "ReplaceAndDelete"
    assert details(changes["Place"]) == [
        ("BucketName", "Always", "Static", "DirectModification", None)
    ]
    ((name, _, evaluation, source, entity),) = details(changes["ByRef"])
    assert (name, evaluation, source, entity) == (
        "Value", "Dynamic", "ResourceReference", "Place",
    )  # fmt: skip
    ((name, _, evaluation, source, entity),) = details(changes["BySub"])
    assert (name, evaluation, source, entity) == (
        "Value", "Dynamic", "ResourceAttribute", "Place.Arn",
    )  # fmt: skip
    retained = proposed(cfn, template("after-it", "Retain"), name="another")
    assert retained["Place"]["PolicyAction"] == "ReplaceAndRetain"
    assert retained["Place"]["Scope"] == ["Properties", "UpdateReplacePolicy"]


def test_a_replacement_that_depends_is_conditional(cfn):
    def template(name):
        group = log_group({"Fn::Sub": "/of/${Place}"})
        return stack_of(Place=bucket(name), Group=group, Role=role({"Ref": "Group"}))

    def role(group):
        return {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": json.loads(TRUST),
                "Description": {"Fn::Sub": ["writes to ${Group}", {"Group": group}]},
            },
        }

    capable = {"Capabilities": ["CAPABILITY_IAM"]}
    create(cfn, "changing", template("first-place"), **capable)
    changes = proposed(cfn, template("second-place"), **capable)
    assert changes["Group"]["Replacement"] == "Conditional"
    assert details(changes["Group"]) == [
        ("LogGroupName", "Always", "Dynamic", "ResourceReference", "Place")
    ]
    # Whether the group gets another name isn't known, so neither is what refers to it.
    assert changes["Role"]["Replacement"] == "False"
    assert details(changes["Role"]) == [
        ("Description", "Never", "Dynamic", "ResourceReference", "Group")
    ]


def test_a_changed_parameter_is_named(cfn):
    template = {
        "Parameters": {"Days": {"Type": "Number", "Default": 7}, "Name": {"Type": "String"}},
        **stack_of(Group=log_group({"Ref": "Name"}, {"Ref": "Days"}), Other=log_group("/other")),
    }
    create(cfn, "changing", template, Parameters=values(Name="/first"))
    same = {"ParameterKey": "Name", "UsePreviousValue": True}
    changes = proposed(
        cfn, None, UsePreviousTemplate=True, Parameters=[same, *values(Days="14")]
    )  # fmt: skip
    assert set(changes) == {"Group"}
    assert changes["Group"]["Replacement"] == "False"
    assert set(details(changes["Group"])) == {
        ("RetentionInDays", "Never", "Static", "ParameterReference", "Days"),
        ("RetentionInDays", "Never", "Dynamic", "DirectModification", None),
    }
    changes = proposed(cfn, template, name="renamed", Parameters=values(Name="/second"))
    assert changes["Group"]["Replacement"] == "True"


def values(**given):
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]


def test_tags_and_metadata_are_scopes_of_their_own(cfn):
    def template(purpose, note):
        made = bucket("tagged-one", Metadata={"Note": note})
        made["Properties"]["Tags"] = [{"Key": "purpose", "Value": purpose}]
        return stack_of(B=made)

    create(cfn, "changing", template("test", "one"))
    change = proposed(cfn, template("production", "two"))["B"]
    assert change["Scope"] == ["Tags", "Metadata"]
    assert details(change) == [
        ("Tags", "Never", "Static", "DirectModification", None),
        ("Metadata", "Never", "Static", "DirectModification", None),
    ]
    assert "Name" not in change["Details"][0]["Target"]


def test_a_condition_that_turns_removes_or_adds(cfn, local_cloud):
    template = {
        "Parameters": {"Extra": {"Type": "String"}},
        "Conditions": {"HasExtra": {"Fn::Equals": [{"Ref": "Extra"}, "yes"]}},
        **stack_of(
            Always=bucket("always-there"), Sometimes=bucket("extra-one", Condition="HasExtra")
        ),
    }
    create(cfn, "changing", template, Parameters=values(Extra="no"))
    change = proposed(cfn, template, Parameters=values(Extra="yes"))
    assert {name: each["Action"] for name, each in change.items()} == {"Sometimes": "Add"}
    update(cfn, "changing", template, Parameters=values(Extra="yes"))
    change = proposed(cfn, template, name="back", Parameters=values(Extra="no"))
    assert {name: each["Action"] for name, each in change.items()} == {"Sometimes": "Remove"}
    cfn.execute_change_set(ChangeSetName="back", StackName="changing")
    assert ended(cfn, "changing")["StackStatus"] == "UPDATE_COMPLETE"
    names = [b["Name"] for b in local_cloud.client("s3").list_buckets()["Buckets"]]
    assert "extra-one" not in names


def test_without_changes_it_fails(cfn):
    create(cfn, "changing", stack_of(B=bucket("just-one")))
    found = propose(cfn, stack_of(B=bucket("just-one")))
    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert found["StatusReason"] == NO_CHANGES
    assert found["Changes"] == []
    with pytest.raises(ClientError, match=r"in its current status of \[FAILED\]") as caught:
        cfn.execute_change_set(ChangeSetName="proposal", StackName="changing")
    assert caught.value.response["Error"]["Code"] == "InvalidChangeSetStatus"
    # Only tags: that is a change.
    tagged = propose(
        cfn, stack_of(B=bucket("just-one")), name="tags", Tags=[{"Key": "a", "Value": "b"}]
    )
    assert tagged["Status"] == "CREATE_COMPLETE"


def test_an_executed_change_set_leaves_no_others(cfn):
    create(cfn, "changing", stack_of(G=log_group("/g")))
    propose(cfn, stack_of(G=log_group("/g", 3)), name="three")
    propose(cfn, stack_of(G=log_group("/g", 14)), name="fourteen")
    listed = cfn.list_change_sets(StackName="changing")["Summaries"]
    assert {each["ChangeSetName"] for each in listed} == {"three", "fourteen"}
    cfn.execute_change_set(ChangeSetName="fourteen", StackName="changing")
    assert ended(cfn, "changing")["StackStatus"] == "UPDATE_COMPLETE"
    assert ("G", "UPDATE_COMPLETE", "") in events(cfn, "changing")
    (left,) = cfn.list_change_sets(StackName="changing")["Summaries"]
    assert (left["ChangeSetName"], left["ExecutionStatus"]) == ("fourteen", "EXECUTE_COMPLETE")
    with pytest.raises(ClientError, match=r"execution status of \[EXECUTE_COMPLETE\]"):
        cfn.execute_change_set(ChangeSetName="fourteen", StackName="changing")


@pytest.mark.parametrize(
    ("value", "outcome"), [("", "EXECUTE_FAILED"), ("one", "EXECUTE_COMPLETE")]
)
def test_a_change_set_tells_how_its_execution_goes(cfn, monkeypatch, value, outcome):
    from localcloud.control_plane import stack_deployment, stack_operations

    go_on, create_resource = threading.Event(), stack_operations._create_resource

    def held(*arguments):
        go_on.wait(60)
        create_resource(*arguments)

    def status():
        found = cfn.describe_change_set(ChangeSetName="proposal", StackName="new")
        return found["ExecutionStatus"]

    monkeypatch.setattr(stack_deployment, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(stack_operations, "_create_resource", held)
    propose(cfn, stack_of(P=parameter(value)), stack="new", ChangeSetType="CREATE")
    assert status() == "AVAILABLE"
    cfn.execute_change_set(ChangeSetName="proposal", StackName="new")
    assert status() == "EXECUTE_IN_PROGRESS"
    go_on.set()
    wait_for(lambda: status() != "EXECUTE_IN_PROGRESS")
    assert status() == outcome


def test_an_update_makes_change_sets_obsolete(cfn):
    create(cfn, "changing", stack_of(G=log_group("/g")))
    propose(cfn, stack_of(G=log_group("/g", 3)))
    update(cfn, "changing", stack_of(G=log_group("/g", 14)))
    found = cfn.describe_change_set(ChangeSetName="proposal", StackName="changing")
    assert found["ExecutionStatus"] == "OBSOLETE"


def test_a_new_stack(cfn):
    template = stack_of(B=bucket("brand-new"), P=parameter({"Ref": "B"}))
    changes = proposed(cfn, template, stack="new", ChangeSetType="CREATE")
    assert {name: each["Action"] for name, each in changes.items()} == {"B": "Add", "P": "Add"}
    assert described(cfn, "new")["StackStatus"] == "REVIEW_IN_PROGRESS"
    # A second one is of the same stack.
    proposed(cfn, template, stack="new", ChangeSetType="CREATE", name="second")
    assert len(cfn.list_change_sets(StackName="new")["Summaries"]) == 2
    cfn.execute_change_set(ChangeSetName="proposal", StackName="new")
    assert ended(cfn, "new")["StackStatus"] == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match=r"Stack \[new\] already exists and cannot be created"):
        propose(cfn, template, stack="new", ChangeSetType="CREATE", name="third")


def test_a_stack_in_review_is_deleted_with_its_change_sets(cfn):
    template = stack_of(B=bucket("never-made"))
    found = propose(cfn, template, stack="new", ChangeSetType="CREATE")
    cfn.delete_stack(StackName="new")
    assert ended(cfn, found["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    refused(
        cfn.describe_change_set, "ChangeSetNotFound", "does not exist",
        ChangeSetName=found["ChangeSetId"],
    )  # fmt: skip


def refused(call, code, words, **options):
    with pytest.raises(ClientError) as caught:
        call(**options)
    error = caught.value.response["Error"]
    assert error["Code"] == code
    assert words in error["Message"]


def test_names_that_are_not_there_or_taken(cfn):
    body = json.dumps(stack_of(B=bucket("b-one")))
    named = {"StackName": "changing", "ChangeSetName": "proposal"}
    refused(
        cfn.create_change_set, "ValidationError", "Stack [changing] does not exist",
        TemplateBody=body, **named,
    )  # fmt: skip
    assert gone(cfn, "changing")
    create(cfn, "changing", stack_of(B=bucket("b-two")))
    refused(
        cfn.describe_change_set, "ChangeSetNotFound", "ChangeSet [proposal] does not exist", **named
    )
    cfn.create_change_set(TemplateBody=body, **named)
    refused(
        cfn.create_change_set, "AlreadyExistsException", "ChangeSet [proposal] already exists",
        TemplateBody=body, **named,
    )  # fmt: skip
    refused(
        cfn.describe_change_set, "ValidationError", "StackName must be specified",
        ChangeSetName="proposal",
    )  # fmt: skip
    cfn.delete_change_set(**named)
    assert cfn.list_change_sets(StackName="changing")["Summaries"] == []
    refused(
        cfn.create_change_set, "ValidationError", "for a parameter key not in the previous template",
        UsePreviousTemplate=True, Parameters=[{"ParameterKey": "X", "UsePreviousValue": True}],
        **named,
    )  # fmt: skip


def test_a_nested_stack_is_modified_automatically(cfn, local_cloud):
    s3 = local_cloud.client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(
        Bucket="templates", Key="child.json", Body=json.dumps(stack_of(G=log_group("/c")))
    )
    child = {
        "Type": "AWS::CloudFormation::Stack",
        "Properties": {"TemplateURL": f"{local_cloud.endpoint_url}/templates/child.json"},
    }
    create(cfn, "changing", stack_of(Child=child))
    changes = proposed(cfn, stack_of(Child=child, G=log_group("/g")))
    assert changes["G"]["Action"] == "Add"
    assert changes["Child"]["Replacement"] == "False"
    assert details(changes["Child"]) == [("Properties", "Never", "Dynamic", "Automatic", None)]


@pytest.mark.parametrize(
    ("made", "executed", "status"),
    [
        ({"OnStackFailure": "DO_NOTHING"}, {}, "CREATE_FAILED"),
        ({}, {"DisableRollback": True}, "CREATE_FAILED"),
        ({}, {}, "ROLLBACK_COMPLETE"),
    ],
)
def test_what_becomes_of_a_new_stack_that_fails(cfn, made, executed, status):
    wrong = stack_of(Wrong=parameter(""))
    propose(cfn, wrong, stack="new", ChangeSetType="CREATE", **made)
    cfn.execute_change_set(ChangeSetName="proposal", StackName="new", **executed)
    assert ended(cfn, "new")["StackStatus"] == status


def test_an_update_that_is_not_to_be_rolled_back_is_refused(cfn):
    create(cfn, "changing", stack_of(P=parameter("one")))
    second = stack_of(P=parameter("two"))
    with pytest.raises(ClientError, match="rolls back every update"):
        update(cfn, "changing", second, DisableRollback=True)
    with pytest.raises(ClientError, match="rolls back every update"):
        propose(cfn, second, OnStackFailure="DO_NOTHING")
    propose(cfn, second)
    with pytest.raises(ClientError, match="rolls back every update"):
        cfn.execute_change_set(ChangeSetName="proposal", StackName="changing", DisableRollback=True)
    cfn.execute_change_set(ChangeSetName="proposal", StackName="changing")
    assert ended(cfn, "changing")["StackStatus"] == "UPDATE_COMPLETE"
