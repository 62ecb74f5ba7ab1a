"""cloudformation/image-resizer.yaml, deployed by boto3 as it stands."""

import functools
import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, WaiterError

from localcloud.control_plane import buckets
from localcloud.identity import may_service_invoke

TEMPLATE = Path(__file__).parents[1] / "cloudformation" / "image-resizer.yaml"
ACCOUNT = "000000000000"
SOURCE = f"image-resizer-source-{ACCOUNT}-us-east-1"
DESTINATION = f"image-resizer-destination-{ACCOUNT}-us-east-1"
STACK = "resizer"


@pytest.fixture(scope="module")
def cloud(local_cloud):
    """A function that gives boto3 clients of a running cloud, each made once."""
    return functools.cache(local_cloud.client)


@pytest.fixture
def events(cloud):
    """The events that left for Lambda: (function ARN, event)."""
    seen = []
    buckets.install(may_service_invoke, lambda arn, event: seen.append((arn, event)))
    return seen


def zip_of(name, text):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(name, text)
    return archive.getvalue()


@pytest.fixture
def artifacts(cloud):
    """The zip files to deploy; the stack that a test left is deleted after it."""
    s3 = cloud("s3")
    s3.create_bucket(Bucket="artifacts")
    objects = {
        "app.zip": zip_of("app.py", "def handler(event, context): return 1"),
        "app-2.zip": zip_of("app.py", "def handler(event, context): return 2"),
        "pillow.zip": zip_of("python/PIL/__init__.py", ""),
        "pillow-2.zip": zip_of("python/PIL/__init__.py", "#"),
    }
    for key, body in objects.items():
        s3.put_object(Bucket="artifacts", Key=key, Body=body)
    yield
    for bucket in s3.list_buckets()["Buckets"]:
        empty(s3, bucket["Name"])
    cloud("cloudformation").delete_stack(StackName=STACK)
    s3.delete_bucket(Bucket="artifacts")


def empty(s3, bucket):
    for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        s3.delete_object(Bucket=bucket, Key=item["Key"])


def parameters(**changed):
    given = {"ArtifactBucket": "artifacts", "FunctionKey": "app.zip", "LayerKey": "pillow.zip"}
    given.update(changed)
    return [{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()]


def create(cfn, template=None, **changed):
    cfn.create_stack(
        StackName=STACK,
        TemplateBody=template or TEMPLATE.read_text(),
        Parameters=parameters(**changed),
        Capabilities=["CAPABILITY_IAM"],
    )
    return describe(cfn)


def update(cfn, template=None, **changed):
    cfn.update_stack(
        StackName=STACK,
        TemplateBody=template or TEMPLATE.read_text(),
        Parameters=parameters(**changed),
        Capabilities=["CAPABILITY_IAM"],
    )
    return describe(cfn)


def describe(cfn, name=STACK):
    return cfn.describe_stacks(StackName=name)["Stacks"][0]


def outputs(stack):
    return {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}


def reasons(cfn, status, name=STACK):
    pages = cfn.describe_stack_events(StackName=name)["StackEvents"]
    return {
        e["LogicalResourceId"]: e.get("ResourceStatusReason", "")
        for e in pages
        if e["ResourceStatus"] == status
    }


@pytest.fixture
def stack(cloud, artifacts):
    return create(cloud("cloudformation"))


def test_cfn_lint_has_nothing_to_say():
    linter = Path(sys.executable).with_name("cfn-lint")
    result = subprocess.run([linter, TEMPLATE], capture_output=True, text=True, timeout=100)
    assert (result.returncode, result.stdout) == (0, "")


def test_created_stack_has_the_outputs(stack):
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert outputs(stack) == {
        "SourceBucket": SOURCE,
        "DestinationBucket": DESTINATION,
        "FunctionName": "image-resizer",
        "FunctionArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:image-resizer",
        "LogGroup": "/aws/lambda/image-resizer",
        "LayerArn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:layer:image-resizer-pillow:"
        + outputs(stack)["LayerArn"].rsplit(":", 1)[1],
    }


def test_function_has_every_property_of_the_template(cloud, stack):
    function = cloud("lambda").get_function(FunctionName="image-resizer")
    configuration = function["Configuration"]
    assert configuration["Handler"] == "app.handler"
    assert configuration["Runtime"] == "python3.13"
    assert configuration["Architectures"] == ["x86_64"]
    assert (configuration["MemorySize"], configuration["Timeout"]) == (512, 30)
    variables = {"DEST_BUCKET": DESTINATION, "THUMBNAIL_SIZE": "128"}
    assert configuration["Environment"]["Variables"] == variables
    assert [layer["Arn"] for layer in configuration["Layers"]] == [outputs(stack)["LayerArn"]]
    assert configuration["LoggingConfig"] == {
        "LogFormat": "Text",
        "LogGroup": "/aws/lambda/image-resizer",
    }
    assert function["Tags"] == {"project": "serverless-lab-kit"}


def test_layer_version_says_what_it_fits(cloud, stack):
    version = int(outputs(stack)["LayerArn"].rsplit(":", 1)[1])
    layer = cloud("lambda").get_layer_version(
        LayerName="image-resizer-pillow", VersionNumber=version
    )
    assert layer["CompatibleRuntimes"] == ["python3.13"]
    assert layer["CompatibleArchitectures"] == ["x86_64"]


def test_role_may_do_no_more_than_it_needs(cloud, stack):
    iam = cloud("iam")
    role_arn = cloud("lambda").get_function_configuration(FunctionName="image-resizer")["Role"]
    role_name = role_arn.rsplit("/", 1)[1]
    assert iam.list_role_policies(RoleName=role_name)["PolicyNames"] == ["resize-images"]
    policy = iam.get_role_policy(RoleName=role_name, PolicyName="resize-images")["PolicyDocument"]
    allowed = {s["Sid"]: (s["Action"], s["Resource"]) for s in policy["Statement"]}
    group = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/lambda/image-resizer:*"
    assert allowed == {
        "ReadRaw": ("s3:GetObject", f"arn:aws:s3:::{SOURCE}/raw/*"),
        "WriteThumbnails": ("s3:PutObject", f"arn:aws:s3:::{DESTINATION}/*"),
        "WriteLogs": (["logs:CreateLogStream", "logs:PutLogEvents"], group),
    }


def test_permission_is_a_statement_of_the_functions_policy(cloud, stack):
    policy = json.loads(cloud("lambda").get_policy(FunctionName="image-resizer")["Policy"])
    [statement] = policy["Statement"]
    assert statement.pop("Sid").startswith("resizer-SourceBucketPermission-")
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:image-resizer",
        "Condition": {
            "ArnLike": {"AWS:SourceArn": f"arn:aws:s3:::{SOURCE}"},
            "StringEquals": {"AWS:SourceAccount": ACCOUNT},
        },
    }


@pytest.mark.parametrize("bucket", [SOURCE, DESTINATION])
def test_buckets_are_encrypted_closed_and_tagged(cloud, stack, bucket):
    s3 = cloud("s3")
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    rule = encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    assert rule == {"SSEAlgorithm": "AES256"}
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert len(block) == 4 and all(block.values())
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [
        {"Key": "project", "Value": "serverless-lab-kit"}
    ]


def test_log_group_has_a_retention(cloud, stack):
    [group] = cloud("logs").describe_log_groups()["logGroups"]
    assert (group["logGroupName"], group["retentionInDays"]) == ("/aws/lambda/image-resizer", 14)


def test_upload_to_raw_leaves_for_the_function(cloud, stack, events):
    s3 = cloud("s3")
    s3.put_object(Bucket=SOURCE, Key="raw/cat.jpg", Body=b"cat")
    s3.put_object(Bucket=SOURCE, Key="other/cat.jpg", Body=b"cat")
    [(arn, event)] = events
    assert arn == outputs(stack)["FunctionArn"]
    assert event["Records"][0]["s3"]["object"]["key"] == "raw/cat.jpg"


def test_events_tell_each_resources_story_in_order(cloud, stack):
    cfn = cloud("cloudformation")
    told = [
        (e["LogicalResourceId"], e["ResourceStatus"])
        for e in reversed(cfn.describe_stack_events(StackName=STACK)["StackEvents"])
    ]
    assert told[0] == (STACK, "CREATE_IN_PROGRESS")
    assert told[-1] == (STACK, "CREATE_COMPLETE")
    permission = told.index(("SourceBucketPermission", "CREATE_COMPLETE"))
    assert permission < told.index(("SourceBucket", "CREATE_IN_PROGRESS"))
    listed = cfn.list_stack_resources(StackName=STACK)["StackResourceSummaries"]
    assert len(listed) == 7
    assert {r["ResourceStatus"] for r in listed} == {"CREATE_COMPLETE"}


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
    assert [function["FunctionName"] for function in listed] == ["thumbs"]


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
    stack = create(cfn)
    role = cloud("lambda").get_function_configuration(FunctionName="image-resizer")["Role"]
    cfn.delete_stack(StackName=STACK)
    cfn.get_waiter("stack_delete_complete").wait(StackName=stack["StackId"])
    assert describe(cfn, stack["StackId"])["StackStatus"] == "DELETE_COMPLETE"
    assert [b["Name"] for b in cloud("s3").list_buckets()["Buckets"]] == ["artifacts"]
    assert cloud("lambda").list_functions()["Functions"] == []
    assert cloud("lambda").list_layers()["Layers"] == []
    assert cloud("logs").describe_log_groups()["logGroups"] == []
    assert role not in [r["Arn"] for r in cloud("iam").list_roles()["Roles"]]


def test_bucket_that_is_not_empty_stops_the_deletion(cloud, stack):
    cfn, s3 = cloud("cloudformation"), cloud("s3")
    s3.put_object(Bucket=SOURCE, Key="kept.txt", Body=b"kept")
    cfn.delete_stack(StackName=STACK)
    with pytest.raises(WaiterError):
        cfn.get_waiter("stack_delete_complete").wait(StackName=STACK)
    assert describe(cfn)["StackStatus"] == "DELETE_FAILED"
    failed = reasons(cfn, "DELETE_FAILED")
    assert failed[STACK] == "The following resource(s) failed to delete: [SourceBucket]. "
    assert "The bucket you tried to delete is not empty" in failed["SourceBucket"]
    empty(s3, SOURCE)
    cfn.delete_stack(StackName=STACK)
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
