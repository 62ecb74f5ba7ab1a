"""`lab demo`: it succeeds on the reference solution, and says so when something is wrong."""

import io
import json
import os
import re
import subprocess
import sys
import zipfile

import pytest
from botocore.exceptions import EndpointConnectionError
from PIL import Image

from labkit import demo, demo_stack, packages, project


@pytest.fixture
def on_cloud(local_cloud, monkeypatch, tmp_path):
    """The demo in this process uses the module's cloud, and keeps its files to itself."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_cloud.endpoint_url)
    monkeypatch.setattr(demo, "FOLDER", tmp_path / "demo")
    return local_cloud


def leftovers(cloud):
    stacks = cloud.client("cloudformation").describe_stacks()["Stacks"]
    return [
        *[bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]],
        *[function["FunctionName"] for function in cloud.client("lambda").list_functions()["Functions"]],
        *[group["logGroupName"] for group in cloud.client("logs").describe_log_groups()["logGroups"]],
        *[role["RoleName"] for role in cloud.client("iam").list_roles()["Roles"]],
        *[stack["StackName"] for stack in stacks],
    ]  # fmt: skip


def test_demo_uses_the_running_cloud_and_leaves_nothing(local_cloud):
    done = subprocess.run(
        [sys.executable, "-m", "labkit.cli", "demo", "--json"],
        env={**os.environ, "AWS_ENDPOINT_URL": local_cloud.endpoint_url},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["ok"] is True
    assert answer["cloud"] == f"the local cloud at {local_cloud.endpoint_url}"
    assert answer["cold"]["source_pixels"] == [600, 400]
    assert answer["cold"]["thumbnail_pixels"] == [128, 85]
    assert answer["warm"]["thumbnail_pixels"] == [128, 85]
    assert answer["cold"]["source"].endswith("/raw/coffee.jpg")
    assert answer["cold"]["thumbnail"].endswith("/thumbnails/coffee.jpg")
    words = [line.split()[0] for line in answer["log"] if not line.startswith("s3://")]
    assert words == ["INIT_START", "START", "END", "REPORT", "START", "END", "REPORT"]
    (init_ms,) = re.findall(r"Init Duration: (\S+) ms", "\n".join(answer["log"]))
    assert answer["cold"]["put_to_thumbnail_ms"] > float(init_ms)
    assert answer["warm"]["put_to_thumbnail_ms"] > 0
    assert leftovers(local_cloud) == []


def test_demo_starts_a_cloud_of_its_own_and_shows_the_result(tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    done = subprocess.run(
        [sys.executable, "-m", "labkit.cli", "demo"],
        env={**environment, "LAB_WORK": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout
    for words in ("a local cloud of its own", "600 x 400", "128 x 85", "INIT_START", "ms cold, "):
        assert words in done.stdout
    with Image.open(tmp_path / "demo" / "thumbnail.jpg") as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("JPEG", (128, 85))
    with Image.open(tmp_path / "demo" / "side-by-side.png") as both:
        assert both.width > 600


WRONG_PICTURE = """
import io, os, boto3
from PIL import Image
s3 = boto3.client("s3")
def handler(event, context):
    for record in event["Records"]:
        body = io.BytesIO()
        Image.new("RGB", (128, 96)).save(body, "JPEG")
        key = record["s3"]["object"]["key"].replace("raw/", "thumbnails/")
        s3.put_object(Bucket=os.environ["DEST_BUCKET"], Key=key, Body=body.getvalue())
"""
NO_PICTURE = WRONG_PICTURE.replace("body.getvalue()", "b'text'")
BROKEN = "def handler(event, context): raise ValueError('the sun was in my eyes')"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (WRONG_PICTURE, "it does not show the picture"),
        (NO_PICTURE, "it is no picture"),
        (BROKEN, "the sun was in my eyes"),
    ],
    ids=["wrong picture", "no picture", "broken"],
)
def test_demo_fails_where_the_thumbnail_is_not_right(
    on_cloud, monkeypatch, tmp_path, capsys, code, words
):
    folder = tmp_path / "09-function"
    folder.mkdir()
    (folder / "app.py").write_text(code)
    monkeypatch.setattr(project, "SOLUTIONS", tmp_path)
    monkeypatch.setattr(demo_stack, "_THUMBNAIL_S", 10 if code == BROKEN else 60)
    assert demo.run(as_json=True, keep=False, yes=True) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["ok"] is False
    assert words in " ".join(answer["faults"])
    assert leftovers(on_cloud) == []


def test_what_came_is_told_where_the_second_picture_does_not_come(on_cloud, monkeypatch, capsys):
    deliver = demo_stack.DemoStack.deliver

    def one_alone(stack, photo, name):
        if name != "coffee.jpg":
            raise demo_stack.DemoError("No thumbnail came")
        return deliver(stack, photo, name)

    monkeypatch.setattr(demo_stack.DemoStack, "deliver", one_alone)
    assert demo.run(as_json=True, keep=False, yes=True) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["faults"] == ["No thumbnail came"]
    assert answer["cold"]["thumbnail_pixels"] == [128, 85] and "warm" not in answer
    assert leftovers(on_cloud) == []


def test_what_cannot_be_removed_hides_no_other_fault(on_cloud, monkeypatch, capsys):
    def fails(stack):
        raise demo_stack.DemoError("The stack failed")

    def stays(stack):
        raise EndpointConnectionError(endpoint_url="https://s3")

    monkeypatch.setattr(demo_stack.DemoStack, "upload_packages", fails)
    monkeypatch.setattr(demo_stack.DemoStack, "remove", stays)
    assert demo.run(as_json=True, keep=False, yes=True) == 1
    not_removed, failed = json.loads(capsys.readouterr().out)["faults"]
    assert failed == "The stack failed" and "lab destroy" in not_removed


def test_demo_shows_why_a_stack_failed(on_cloud, monkeypatch, tmp_path, capsys):
    template = project.TEMPLATE.read_text().replace("!Ref FunctionKey", "nothing.zip")
    broken = tmp_path / "broken.yaml"
    broken.write_text(template)
    monkeypatch.setattr(project, "TEMPLATE", broken)
    assert demo.run(as_json=True, keep=False, yes=True) == 1
    assert "First to fail was ResizeFunction" in capsys.readouterr().out
    assert leftovers(on_cloud) == []


def test_keep_leaves_the_stack(on_cloud, capsys):
    assert demo.run(as_json=True, keep=True, yes=True) == 0
    capsys.readouterr()
    (stack,) = on_cloud.client("cloudformation").describe_stacks()["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"


def test_layer_has_python_at_its_top_and_no_bytecode():
    with zipfile.ZipFile(io.BytesIO(packages.pillow_layer_zip())) as layer:
        names = layer.namelist()
    assert "python/PIL/Image.py" in names
    assert any(name.startswith("python/PIL/_imaging.") for name in names)
    assert any(name.lower().startswith("python/pillow-") for name in names)
    assert all(name.startswith("python/") and "__pycache__" not in name for name in names)


def test_the_same_files_give_the_same_zip():
    assert packages.pillow_layer_zip() == packages.pillow_layer_zip()
