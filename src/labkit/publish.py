"""`lab publish`: the templates in a bucket, and the links that open CloudFormation with one filled in.

The link's form: CloudFormation User Guide, "Create quick-create links for stacks".
"""

import html
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from . import packages, project, target, terminal
from .cloud_errors import explain

PAGE = project.WORK / "launch-stack.html"
_PREFIX = "serverless-lab-kit"
_FAILED = 1


@dataclass(frozen=True)
class Template:
    """A template in the bucket, and the link that creates a stack of it."""

    name: str
    address: str
    link: str


def run(bucket: str) -> int:
    """Upload templates and layer, print the links, write the page; return 0 if it is all there."""
    console = terminal.console()
    try:
        with target.cloud() as cloud:
            console.print(f"Using {cloud}")
            published = _publish(bucket)
    except (BotoCoreError, ClientError) as error:
        console.print(f"✗ Nothing is published: {explain(error)}", style="red", markup=False)
        return _FAILED
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(_page(published), encoding="utf-8")
    for template in published:
        console.print(f"\n[bold]{template.name}[/]  {template.address}")
        console.print(template.link, soft_wrap=True, markup=False, highlight=False)
    console.print(f"\nA page with the buttons: {PAGE}")
    if target.name() == "aws":
        who = f"The links work for who may read the bucket {bucket}: it is private, unless you open it."
        console.print(who)
    else:
        console.print(
            "They open AWS's console, which does not see this local cloud. "
            "To use them, publish with LAB_TARGET=aws."
        )
    return 0


def quick_create_link(region: str, template_url: str, stack: str, **parameters: str) -> str:
    """The console's address that shows a stack with its template and parameters filled in."""
    fields = {"templateURL": template_url, "stackName": stack}
    fields |= {f"param_{name}": value for name, value in parameters.items()}
    query = urlencode(fields, quote_via=quote)
    return (
        f"https://{region}.console.aws.amazon.com/cloudformation/home?region={region}"
        f"#/stacks/create/review?{query}"
    )


def _publish(bucket: str) -> list[Template]:
    s3 = boto3.client("s3")
    region = s3.meta.region_name
    _ensure(s3, bucket, region)
    parameters = _layer_parameters(s3, bucket)
    published = []
    for path in sorted(project.TEMPLATE.parent.glob("*.yaml")):
        key = f"{_PREFIX}/{path.name}"
        s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes(), ContentType="text/yaml")
        address = f"https://{bucket}.s3.{region}.amazonaws.com/{key}"
        given = parameters if path == project.TEMPLATE else {}
        link = quick_create_link(region, address, path.stem, **given)
        published.append(Template(path.stem, address, link))
    return published


def _ensure(s3, bucket: str, region: str) -> None:
    """Make the bucket where it isn't there. Raises ClientError where it is somebody else's."""
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        place = {} if region == "us-east-1" else {"LocationConstraint": region}
        extra = {"CreateBucketConfiguration": place} if place else {}
        s3.create_bucket(Bucket=bucket, **extra)


def _layer_parameters(s3, bucket: str) -> dict[str, str]:
    """The resizer's parameters with a ready layer, where this computer's Pillow runs on Lambda."""
    if sys.platform != "linux":
        return {}
    runtime, architecture = packages.runtime(), packages.architecture()
    name = packages.pillow_version().lower().replace(" ", "-")
    key = f"{_PREFIX}/{name}-{runtime}-{architecture}.zip"
    s3.put_object(Bucket=bucket, Key=key, Body=packages.pillow_layer_zip())
    return {
        "ArtifactBucket": bucket, "LayerKey": key, "Runtime": runtime, "Architecture": architecture,
    }  # fmt: skip


def _page(published: list[Template]) -> str:
    rows = "\n".join(
        f'<p><a class="launch" href="{html.escape(t.link)}">Launch {html.escape(t.name)}</a></p>'
        for t in published
    )
    return Path(__file__).with_name("launch_stack.html").read_text(encoding="utf-8").replace(
        "<!-- buttons -->", rows
    )  # fmt: skip
