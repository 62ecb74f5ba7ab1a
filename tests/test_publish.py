"""`lab publish`: templates in a bucket, links that hold all a stack needs, and a page with the buttons."""

import os
import re
import subprocess
import sys
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from labkit import packages, project
from stacks import delete, outputs, quick_create

BUCKET = "kit-templates"


@pytest.fixture(scope="module")
def published(local_cloud, tmp_path_factory):
    """What the command printed, and the folder it wrote to."""
    folder = tmp_path_factory.mktemp("work")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LAB_"))}
    environment |= {"AWS_ENDPOINT_URL": local_cloud.endpoint_url, "LAB_WORK": str(folder)}
    command = [sys.executable, "-m", "labkit.cli", "publish", "--bucket", BUCKET]
    for _ in range(2):  # the second time the bucket is there
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, folder


def links(text):
    return re.findall(r"https://us-east-1\.console\.aws\.amazon\.com/\S+", text)


def test_every_template_has_its_link(published):
    found = {
        parse_qs(urlsplit(link).fragment.partition("?")[2])["stackName"][0]
        for link in links(published[0])
    }
    assert found == {path.stem for path in project.TEMPLATE.parent.glob("*.yaml")}


def test_link_leads_to_a_stack(published, local_cloud):
    [link] = [link for link in links(published[0]) if "stackName=image-resizer" in link]
    parts = urlsplit(link)
    where, _, query = parts.fragment.partition("?")
    assert (parts.path, parts.query, where) == (
        "/cloudformation/home", "region=us-east-1", "/stacks/create/review",
    )  # fmt: skip
    fields = {name: values[0] for name, values in parse_qs(query).items()}
    assert fields["stackName"] == "image-resizer"
    # The bucket in the path: with a dot in its name it is no host that S3's certificate is for.
    assert fields["templateURL"].startswith(f"https://s3.us-east-1.amazonaws.com/{BUCKET}/")
    cfn = local_cloud.client("cloudformation")
    stack = quick_create(cfn, link)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    layers = local_cloud.client("lambda").get_function_configuration(
        FunctionName=outputs(stack)["FunctionName"]
    )["Layers"]
    assert layers[0]["CodeSize"] == len(packages.pillow_layer_zip())
    delete(cfn, "image-resizer")


def test_what_is_published_carries_the_tag(published, local_cloud):
    tags = local_cloud.client("s3").get_bucket_tagging(Bucket=BUCKET)["TagSet"]
    assert {"Key": "project", "Value": "serverless-lab-kit"} in tags


@pytest.mark.needs("chromium")
def test_page_has_the_buttons(published, browser):
    page = browser.new_page()
    page.goto((published[1] / "launch-stack.html").as_uri())
    button = page.get_by_role("link", name="Launch image-resizer")
    assert unquote(button.get_attribute("href")) in [unquote(link) for link in links(published[0])]
    assert button.bounding_box()["height"] > 24
    names = page.get_by_role("link").all_inner_texts()
    assert names == [
        f"Launch {path.stem}" for path in sorted(project.TEMPLATE.parent.glob("*.yaml"))
    ]


def test_a_bucket_of_another_account_is_refused_in_words(local_cloud, tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LAB_"))}
    environment |= {"AWS_ENDPOINT_URL": local_cloud.endpoint_url, "LAB_WORK": str(tmp_path)}
    command = [sys.executable, "-m", "labkit.cli", "publish", "--bucket", "No_Bucket"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Nothing is published" in done.stdout and "Traceback" not in done.stderr
