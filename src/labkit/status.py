"""`lab status`: which cloud is in use, where JupyterLab is, what is in the cloud, how far the learner is."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from localcloud import find_server

from . import project, show_progress, target, terminal
from .grading import progress

RUNNING, NOT_RUNNING = 0, 1


@dataclass
class Status:
    """What runs now. `resources` counts what is in the local cloud, by kind; None where none answers, and on
    AWS, where `account` says in words whose it is, or `problem` why nobody knows.
    """

    target: str
    account: str | None
    problem: str | None
    endpoint_url: str | None
    port: int | None
    pid: int | None
    jupyterlab: str | None
    resources: dict[str, int] | None
    earned: int
    points: int


def run(*, as_json: bool) -> int:
    """Show what runs; return 0 if the cloud in use answers, else 1."""
    found = find()
    if as_json:
        print(json.dumps(asdict(found), indent=2))
    else:
        _show(found)
    return RUNNING if found.account or found.endpoint_url else NOT_RUNNING


def _show(found: Status) -> None:
    console = terminal.console()
    if found.target == "aws":
        cloud = f"{target.aws_words()}: {target.chosen()[1]}"
    elif found.endpoint_url:
        process = f", process {found.pid}" if found.pid else ""
        cloud = f"the local cloud at {found.endpoint_url}{process}"
    else:
        cloud = "none runs; lab start runs one"
    console.print(f"cloud       {cloud}", markup=False)
    if found.account:
        console.print(
            f"            {found.account}; lab destroy looks at what is in it", markup=False
        )
    if found.problem:
        console.print(f"            ✗ {found.problem}", style="red", markup=False)
    if found.resources is not None:
        counts = ", ".join(f"{count} {kind}" for kind, count in found.resources.items())
        console.print(f"in it       {counts}")
    console.print(f"JupyterLab  {found.jupyterlab or 'does not run'}", markup=False)
    console.print(f"progress    {found.earned} of {found.points} points")


def find() -> Status:
    """Look around. Nothing is started or changed."""
    local = target.name() == "local"
    endpoint = target.running_endpoint() if local else None
    port = urlsplit(endpoint).port if endpoint else None
    server = find_server(project.CLOUD) if endpoint else None
    points = show_progress.summary(progress.read())
    account, problem = (None, None) if local else _account()
    return Status(
        target=target.name(),
        account=account,
        problem=problem,
        endpoint_url=endpoint,
        port=port,
        pid=server.pid if server and server.port == port else None,
        jupyterlab=_jupyterlab(),
        resources=_resources() if endpoint else None,
        earned=points["earned"],
        points=points["points"],
    )


def _account() -> tuple[str | None, str | None]:
    """Whose account the credentials are for, in words, or why AWS doesn't say."""
    from botocore.exceptions import BotoCoreError, ClientError

    from .cloud_errors import explain

    try:
        with target.cloud():
            return target.account(), None
    except (BotoCoreError, ClientError) as error:
        return None, explain(error)


def _resources() -> dict[str, int]:
    import boto3

    with target.cloud():
        functions = boto3.client("lambda").get_paginator("list_functions").paginate()
        return {
            "buckets": len(boto3.client("s3").list_buckets()["Buckets"]),
            "functions": sum(len(page["Functions"]) for page in functions),
        }


def _jupyterlab() -> str | None:
    """The address of a JupyterLab that runs in this project, with its token."""
    from jupyter_core.paths import jupyter_runtime_dir

    for note in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            server = json.loads(note.read_text())
            ours = os.path.realpath(server["root_dir"]) == os.path.realpath(project.ROOT)
            if ours and psutil.pid_exists(server["pid"]):
                return f"{server['url']}lab?token={server['token']}"
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None
