"""`lab publish`: the templates in a bucket, and the links that open CloudFormation with one filled in.

The link's form: CloudFormation User Guide, "Create quick-create links for stacks".
"""

import html
from pathlib import Path
from urllib.parse import quote, urlencode

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from . import preflight, project, target, template_bucket, terminal
from .cloud_errors import explain

PAGE = project.WORK / "launch-stack.html"
_DONE, _FAILED, _NOT_MEANT = 0, 1, 2


def run(bucket: str, *, yes: bool) -> int:
    """Upload templates and layer, print the links, write the page.

    Returns 0 if it is all there, 1 if it isn't, 2 where a bucket had to be made on AWS and nobody said yes.
    """
    console = terminal.console()
    try:
        with target.cloud() as cloud:
            console.print(f"Using {cloud}")
            if target.name() == target.AWS and not (yes or template_bucket.is_there(bucket)):
                _ask(bucket, console)
            templates = template_bucket.upload(bucket)
            region = boto3.client("s3").meta.region_name
    except preflight.NotMeant as reason:
        console.print(str(reason))
        return _NOT_MEANT
    except (BotoCoreError, ClientError) as error:
        console.print(f"✗ Nothing is published: {explain(error)}", style="red", markup=False)
        return _FAILED
    links = {
        each.name: quick_create_link(region, each.address, each.name, **each.parameters)
        for each in templates
    }
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(_page(links), encoding="utf-8")
    for template in templates:
        console.print(f"\n[bold]{template.name}[/]  {template.address}")
        console.print(links[template.name], soft_wrap=True, markup=False, highlight=False)
    console.print(f"\nA page with the buttons: {PAGE}")
    if target.name() == "aws":
        who = f"The links work for who may read the bucket {bucket}: it is private, unless you open it."
        console.print(who)
    else:
        console.print(
            "They open AWS's console, which does not see this local cloud. "
            "To use them, publish with LAB_TARGET=aws."
        )
    return _DONE


def _ask(bucket: str, console: Console) -> None:
    console.print(f"There is no bucket {bucket} yet: {target.account()}", markup=False)
    if not terminal.agrees("Make it there?"):
        raise preflight.NotMeant("Nothing was made in the account.")


def quick_create_link(region: str, template_url: str, stack: str, **parameters: str) -> str:
    """The console's address that shows a stack with its template and parameters filled in."""
    fields = {"templateURL": template_url, "stackName": stack}
    fields |= {f"param_{name}": value for name, value in parameters.items()}
    query = urlencode(fields, quote_via=quote)
    return (
        f"https://{region}.console.aws.amazon.com/cloudformation/home?region={region}"
        f"#/stacks/create/review?{query}"
    )


def _page(links: dict[str, str]) -> str:
    rows = "\n".join(
        f'<p><a class="launch" href="{html.escape(link)}">Launch {html.escape(name)}</a></p>'
        for name, link in links.items()
    )
    return Path(__file__).with_name("launch_stack.html").read_text(encoding="utf-8").replace(
        "<!-- buttons -->", rows
    )  # fmt: skip
