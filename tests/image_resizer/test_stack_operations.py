"""The image resizer's stack is updated, rolled back, refused and deleted as on AWS."""

import re

import pytest
from botocore.exceptions import ClientError

from resizer_stack import (
    DESTINATION,
    SOURCE,
    STACK,
    TEMPLATE,
    create,
    delete,
    describe,
    empty,
    outputs,
    parameters,
    reasons,
    update,
)


def test_update_changes_what_changed_and_nothing_else(cloud, stack):
    cfn, functions = cloud("cloudformation"), cloud("lambda")
    before = functions.get_function_configuration(FunctionName="image-resizer")
    stack = update(cfn, MemorySize="1024", FunctionKey="app-2.zip")
    after = functions.get_function_configuration(FunctionName="image-resizer")
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert after["MemorySize"] == 1024
    assert after["CodeSha256"] != before["CodeSha256"]
    assert after["Layers"] == before["Layers"]
    assert set(reasons(cfn, "UPDATE_COMPLETE")) == {STACK, "ResizeFunction"}


def test_new_layer_content_is_a_new_version_and_the_function_uses_it(cloud, stack):
    functions = cloud("lambda")
    old = outputs(stack)["LayerArn"]
    new = outputs(update(cloud("cloudformation"), LayerKey="pillow-2.zip"))["LayerArn"]
    assert int(new.rsplit(":", 1)[1]) == int(old.rsplit(":", 1)[1]) + 1
    configuration = functions.get_function_configuration(FunctionName="image-resizer")
    assert [layer["Arn"] for layer in configuration["Layers"]] == [new]
    versions = functions.list_layer_versions(LayerName="image-resizer-pillow")["LayerVersions"]
    assert [version["LayerVersionArn"] for version in versions] == [new]


def test_update_of_the_prefix_moves_the_trigger(cloud, stack, events):
    template = TEMPLATE.read_text().replace("Value: raw/", "Value: incoming/")
    update(cloud("cloudformation"), template)
    for key in ("raw/a.jpg", "incoming/b.jpg"):
        cloud("s3").put_object(Bucket=SOURCE, Key=key, Body=b"x")
    assert [e["Records"][0]["s3"]["object"]["key"] for _, e in events] == ["incoming/b.jpg"]


def test_new_name_replaces_every_named_resource(cloud, stack):
    stack = update(cloud("cloudformation"), Name="thumbs")
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    names = {bucket["Name"] for bucket in cloud("s3").list_buckets()["Buckets"]}
    assert names == {
        "artifacts",
        SOURCE.replace("image-resizer", "thumbs"),
        DESTINATION.replace("image-resizer", "thumbs"),
    }
    listed = cloud("lambda").list_functions()["Functions"]
    names = {function["FunctionName"] for function in listed}
    assert "thumbs" in names and "image-resizer" not in names


def test_update_without_a_change_is_refused(cloud, stack):
    with pytest.raises(ClientError, match="No updates are to be performed."):
        update(cloud("cloudformation"))


def test_failed_update_is_rolled_back(cloud, stack):
    cfn, functions = cloud("cloudformation"), cloud("lambda")
    before = functions.get_function_configuration(FunctionName="image-resizer")
    stack = update(cfn, MemorySize="1024", LayerKey="pillow-2.zip", FunctionKey="missing.zip")
    after = functions.get_function_configuration(FunctionName="image-resizer")
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "NoSuchKey" in reasons(cfn, "UPDATE_FAILED")["ResizeFunction"]
    assert after["MemorySize"] == before["MemorySize"]
    assert after["Layers"] == before["Layers"]
    assert outputs(stack)["LayerArn"] == before["Layers"][0]["Arn"]


def test_deleting_the_stack_removes_everything(cloud, artifacts):
    cfn = cloud("cloudformation")
    create(cfn)
    role = cloud("lambda").get_function_configuration(FunctionName="image-resizer")["Role"]
    assert delete(cfn)["StackStatus"] == "DELETE_COMPLETE"
    assert [b["Name"] for b in cloud("s3").list_buckets()["Buckets"]] == ["artifacts"]
    assert cloud("lambda").list_functions()["Functions"] == []
    assert cloud("lambda").list_layers()["Layers"] == []
    assert cloud("logs").describe_log_groups()["logGroups"] == []
    assert role not in [r["Arn"] for r in cloud("iam").list_roles()["Roles"]]


def test_bucket_that_is_not_empty_stops_the_deletion(cloud, artifacts):
    cfn, s3 = cloud("cloudformation"), cloud("s3")
    text = TEMPLATE.read_text()
    emptied = text[text.index("  EmptySourceBucket:") : text.index("  EmptyDestinationBucket:")]
    create(cfn, text.replace(emptied, ""))
    s3.put_object(Bucket=SOURCE, Key="kept.txt", Body=b"kept")
    assert delete(cfn)["StackStatus"] == "DELETE_FAILED"
    failed = reasons(cfn, "DELETE_FAILED")
    assert failed[STACK] == "The following resource(s) failed to delete: [SourceBucket]. "
    assert "The bucket you tried to delete is not empty" in failed["SourceBucket"]
    empty(s3, SOURCE)
    assert delete(cfn)["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="does not exist"):
        describe(cfn)


def test_failed_creation_is_rolled_back_with_the_reason(cloud, artifacts):
    cfn = cloud("cloudformation")
    stack = create(cfn, FunctionKey="missing.zip")
    failed = reasons(cfn, "CREATE_FAILED")
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "S3 Error Code: NoSuchKey" in failed["ResizeFunction"]
    assert "[ResizeFunction]" in reasons(cfn, "ROLLBACK_IN_PROGRESS")[STACK]
    assert "Outputs" not in stack
    assert [b["Name"] for b in cloud("s3").list_buckets()["Buckets"]] == ["artifacts"]
    with pytest.raises(ClientError, match="is in ROLLBACK_COMPLETE state and can not be updated"):
        update(cfn)


def test_notification_without_the_permission_fails_as_on_aws(cloud, artifacts):
    cfn = cloud("cloudformation")
    wrong = TEMPLATE.read_text().replace(
        "Principal: s3.amazonaws.com", "Principal: sns.amazonaws.com"
    )
    stack = create(cfn, wrong)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    reason = reasons(cfn, "CREATE_FAILED")["SourceBucket"]
    assert "Unable to validate the following destination configurations" in reason


def test_circular_dependency_is_refused_before_anything_is_made(cloud, artifacts):
    cfn = cloud("cloudformation")
    circle = re.sub(
        r"SourceArn: !Sub .*", "SourceArn: !GetAtt SourceBucket.Arn", TEMPLATE.read_text()
    )
    with pytest.raises(ClientError, match="Circular dependency between resources: .*SourceBucket"):
        create(cfn, circle)
    with pytest.raises(ClientError, match="does not exist"):
        describe(cfn)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("Resources: [", "YAML not well-formed"),
        ("Parameters: {}", "At least one Resources member must be defined"),
        ("Resources: {A: {Type: 'AWS::No::Such'}}", "Unrecognized resource types: .AWS::No::Such."),
        (
            "Resources: {A: {Type: 'AWS::S3::Bucket', DependsOn: B}}",
            r"Unresolved resource dependencies \[B\] in the Resources block",
        ),
    ],
)
def test_template_is_checked(cloud, body, message):
    with pytest.raises(ClientError, match=message) as caught:
        cloud("cloudformation").create_stack(StackName=STACK, TemplateBody=body)
    assert caught.value.response["Error"]["Code"] == "ValidationError"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"Runtime": "python3.9"}, "must be one of AllowedValues"),
        ({"Name": "Image-Resizer"}, "failed to satisfy constraint: 3 to 23 lower-case letters"),
        ({"MemorySize": "64"}, "must be a number not less than 128"),
    ],
)
def test_parameters_are_checked(cloud, artifacts, changed, message):
    with pytest.raises(ClientError, match=message):
        create(cloud("cloudformation"), **changed)


def test_capability_is_asked_for(cloud, artifacts):
    with pytest.raises(ClientError, match=r"Requires capabilities : \[CAPABILITY_IAM\]"):
        cloud("cloudformation").create_stack(
            StackName=STACK, TemplateBody=TEMPLATE.read_text(), Parameters=parameters()
        )


def test_change_set_deploys_the_template(cloud, artifacts):
    cfn = cloud("cloudformation")
    cfn.create_change_set(
        StackName=STACK,
        ChangeSetName="first",
        ChangeSetType="CREATE",
        TemplateBody=TEMPLATE.read_text(),
        Parameters=parameters(),
        Capabilities=["CAPABILITY_IAM"],
    )
    cfn.execute_change_set(StackName=STACK, ChangeSetName="first")
    assert describe(cfn)["StackStatus"] == "CREATE_COMPLETE"
    assert outputs(describe(cfn))["SourceBucket"] == SOURCE
