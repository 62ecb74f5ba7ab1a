"""The image resizer's stack, made, changed and looked at by boto3 alone."""

from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import ClientError

from deployment import wait_for, zip_of

TEMPLATE = Path(__file__).parents[1] / "cloudformation" / "image-resizer.yaml"
ACCOUNT = "000000000000"
SOURCE = f"image-resizer-source-{ACCOUNT}-us-east-1"
DESTINATION = f"image-resizer-destination-{ACCOUNT}-us-east-1"
STACK = "resizer"


def empty(s3, bucket):
    found = s3.list_object_versions(Bucket=bucket)
    for item in found.get("Versions", []) + found.get("DeleteMarkers", []):
        s3.delete_object(Bucket=bucket, Key=item["Key"], VersionId=item["VersionId"])


@contextmanager
def zip_files(cloud):
    """The zip files to deploy; the stack that was left is deleted in the end."""
    s3 = cloud("s3")
    s3.create_bucket(Bucket="artifacts")
    objects = {
        "app.zip": zip_of({"app.py": "def handler(event, context): return 1"}),
        "app-2.zip": zip_of({"app.py": "def handler(event, context): return 2"}),
        "pillow.zip": zip_of({"python/PIL/__init__.py": ""}),
        "pillow-2.zip": zip_of({"python/PIL/__init__.py": "#"}),
    }
    for key, body in objects.items():
        s3.put_object(Bucket="artifacts", Key=key, Body=body)
    yield
    for bucket in s3.list_buckets()["Buckets"]:
        empty(s3, bucket["Name"])
    delete(cloud("cloudformation"))
    s3.delete_bucket(Bucket="artifacts")


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
    return settled(cfn)


def update(cfn, template=None, **changed):
    cfn.update_stack(
        StackName=STACK,
        TemplateBody=template or TEMPLATE.read_text(),
        Parameters=parameters(**changed),
        Capabilities=["CAPABILITY_IAM"],
    )
    return settled(cfn)


def delete(cfn):
    """Delete the stack, if there is one, and give what became of it."""
    try:
        stack = describe(cfn)
    except ClientError:
        return None
    cfn.delete_stack(StackName=STACK)
    return settled(cfn, stack["StackId"])


def settled(cfn, name=STACK):
    """The stack once nothing is in progress; a deleted one is asked for by its id."""

    def look():
        stack = describe(cfn, name)
        return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

    return wait_for(look, 100)


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
