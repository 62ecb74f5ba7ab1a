"""The image resizer's stack, made, changed and looked at by boto3 alone."""

import io
import zipfile
from pathlib import Path

TEMPLATE = Path(__file__).parents[1] / "cloudformation" / "image-resizer.yaml"
ACCOUNT = "000000000000"
SOURCE = f"image-resizer-source-{ACCOUNT}-us-east-1"
DESTINATION = f"image-resizer-destination-{ACCOUNT}-us-east-1"
STACK = "resizer"


def zip_of(name, text):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(name, text)
    return archive.getvalue()


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
