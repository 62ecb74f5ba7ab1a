"""cloudformation/image-resizer.yaml: what it makes, deployed by boto3 as it stands."""

import json

import pytest

from resizer_stack import ACCOUNT, DESTINATION, SOURCE, STACK, create, outputs, zip_files

TAGS = {"project": "serverless-lab-kit", "learner": "learner", "stage": "12-deploy"}


@pytest.fixture(scope="module")
def stack(cloud):
    """One stack for all of these tests: they only look."""
    with zip_files(cloud):
        yield create(cloud("cloudformation"))


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


def of_template(tags):
    """Tags without those that CloudFormation adds."""
    return {key: value for key, value in tags.items() if not key.startswith("aws:")}


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
    assert of_template(function["Tags"]) == TAGS


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
    tags = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    assert of_template({tag["Key"]: tag["Value"] for tag in tags}) == TAGS


def test_log_group_has_a_retention(cloud, stack):
    groups = cloud("logs").describe_log_groups()["logGroups"]
    retention = {group["logGroupName"]: group["retentionInDays"] for group in groups}
    assert retention == {
        "/aws/lambda/image-resizer": 14,
        "/aws/lambda/image-resizer-bucket-emptier": 14,
    }


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
    assert len(listed) == 12
    assert {r["ResourceStatus"] for r in listed} == {"CREATE_COMPLETE"}
