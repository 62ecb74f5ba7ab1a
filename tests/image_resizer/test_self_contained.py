"""cloudformation/image-resizer.yaml with nothing uploaded: it builds its layer and brings its function."""

import hashlib
import re
import sys
from pathlib import Path

import pytest

import template_files
from deployment import wait_for, zip_of
from labkit import packages, workspace
from resizer_stack import (
    DESTINATION,
    SOURCE,
    STACK,
    TEMPLATE,
    delete,
    describe,
    outputs,
    reasons,
    settled,
)

PHOTO = Path(__file__).parents[2] / "assets" / "photos" / "coffee.jpg"
LOCK = Path(__file__).parents[2] / "requirements.lock"
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"


def code_of(name):
    """The text of a function in the template."""
    code = template_files.read(TEMPLATE.read_text())["Resources"][name]["Properties"]["Code"]
    text = code["ZipFile"]
    return text if isinstance(text, str) else text[2]


@pytest.fixture
def wheel(cloud):
    """A Pillow wheel that pip finds in a layer: its hash, and the layer's ARN."""
    name, content = packages.pillow_wheel()
    layer = cloud("lambda").publish_layer_version(
        LayerName="wheels", Content={"ZipFile": packages.zipped({f"wheels/{name}": content}, 0)}
    )
    return hashlib.sha256(content).hexdigest(), layer["LayerVersionArn"]


def offline(arn, *hashes):
    """The template, with pip led to the wheels in a layer instead of a package index."""
    text = re.sub(
        r'HASHES = """.*?"""',
        f'HASHES = """{" ".join(hashes)}"""',
        TEMPLATE.read_text(),
        flags=re.S,
    )
    settings = (
        f"      Layers: [{arn}]\n"
        "      Environment: {Variables: {PIP_NO_INDEX: '1', PIP_FIND_LINKS: /opt/wheels}}\n"
    )
    before = "      Role: !GetAtt LayerBuilderRole.Arn\n"
    assert text.count(before) == 1
    return text.replace(before, before + settings)


@pytest.fixture
def deployed(cloud):
    """A function that creates the stack of a template's text; afterwards the stack is deleted."""
    cfn = cloud("cloudformation")

    def create(text, **values):
        parameters = {"Runtime": RUNTIME, "Architecture": packages.architecture()} | values
        cfn.create_stack(
            StackName=STACK,
            TemplateBody=text,
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        return settled(cfn)

    yield create
    delete(cfn)


def test_layer_is_built_and_a_photograph_becomes_a_thumbnail(cloud, deployed, wheel):
    stack = deployed(offline(wheel[1], wheel[0]))
    assert stack["StackStatus"] == "CREATE_COMPLETE", reasons(
        cloud("cloudformation"), "CREATE_FAILED"
    )
    s3 = cloud("s3")
    s3.put_object(Bucket=SOURCE, Key="raw/coffee.jpg", Body=PHOTO.read_bytes())
    wait_for(lambda: s3.list_objects_v2(Bucket=DESTINATION).get("Contents"), 60)
    thumbnail = s3.get_object(Bucket=DESTINATION, Key="thumbnails/coffee.jpg")
    assert thumbnail["ContentType"] == "image/jpeg"
    layer = outputs(stack)["LayerArn"].rsplit(":", 1)
    assert layer[0].endswith(":layer:image-resizer-pillow")


def test_deleting_the_stack_leaves_nothing(cloud, deployed, wheel):
    deployed(offline(wheel[1], wheel[0]))
    s3 = cloud("s3")
    s3.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        s3.put_object(Bucket=SOURCE, Key="notes/a b.txt", Body=b"text")
    s3.delete_object(Bucket=SOURCE, Key="notes/a b.txt")
    s3.put_object(Bucket=DESTINATION, Key="left over", Body=b"text")
    cfn = cloud("cloudformation")
    stack = describe(cfn)["StackId"]
    cfn.delete_stack(StackName=STACK)
    assert settled(cfn, stack)["StackStatus"] == "DELETE_COMPLETE", reasons(
        cfn, "DELETE_FAILED", stack
    )
    assert [b["Name"] for b in s3.list_buckets()["Buckets"] if "image-resizer" in b["Name"]] == []
    assert cloud("lambda").list_functions()["Functions"] == []
    assert (
        cloud("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/image")["logGroups"] == []
    )
    assert [
        r for r in cloud("iam").list_roles()["Roles"] if "resizer" in r["RoleName"].lower()
    ] == []


def test_wheel_with_another_hash_is_refused_and_rolled_back(cloud, deployed, wheel):
    stack = deployed(offline(wheel[1], "0" * 64))
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    [reason] = [
        text
        for name, text in reasons(cloud("cloudformation"), "CREATE_FAILED").items()
        if name == "PillowZip"
    ]
    assert "HASH" in reason.upper()
    assert [
        b["Name"] for b in cloud("s3").list_buckets()["Buckets"] if "resizer" in b["Name"]
    ] == []


def test_ready_layer_needs_no_builder(cloud, deployed):
    s3 = cloud("s3")
    s3.create_bucket(Bucket="ready")
    s3.put_object(Bucket="ready", Key="pillow.zip", Body=zip_of({"python/PIL/__init__.py": ""}))
    stack = deployed(TEMPLATE.read_text(), ArtifactBucket="ready", LayerKey="pillow.zip")
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    described = {f["Description"].split()[0] for f in cloud("lambda").list_functions()["Functions"]}
    assert described == {"Makes", "Empties"}


def test_function_in_the_template_is_the_solution_of_stage_09():
    solution = Path(workspace.project.SOLUTIONS / "09-function" / "app.py").read_text()
    lines = [line for line in solution.splitlines() if not re.match(r"\s*#( (>>>|<<<)|\|)", line)]
    assert code_of("ResizeFunction").splitlines() == lines


def test_wheels_in_the_template_are_those_of_the_lock_file():
    code = code_of("LayerBuilder")
    [hashes] = re.findall(r'HASHES = """(.*?)"""', code, re.S)
    locked = re.search(r"^pillow==(\S+) .*?(?=^\S)", LOCK.read_text(), re.S | re.M)
    assert f"Version: {locked[1]}\n" in TEMPLATE.read_text()
    assert len(hashes.split()) == 8
    assert set(hashes.split()) <= set(re.findall(r"sha256:(\w+)", locked[0]))
