"""The `lab` command. Each command's work is in a module of its own, loaded when it is called."""

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Serverless Lab Kit: a week of AWS serverless, on your own computer.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Port = Annotated[int, typer.Option(help="Where the local cloud listens; 0 takes any free port.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")]


@app.command()
def start(
    port: Port = 4566,
    browser: Annotated[bool, typer.Option(help="Open the first notebook in a browser.")] = True,
) -> None:
    """Start the local cloud and JupyterLab; Ctrl-C ends both."""
    from .start import run

    raise typer.Exit(run(port, browser))


@app.command()
def cloud(port: Port = 4566) -> None:
    """Run the local cloud alone, until Ctrl-C."""
    from localcloud.__main__ import main

    from . import project

    raise typer.Exit(main(["--port", str(port), "--state", str(project.CLOUD)]))


@app.command()
def stop() -> None:
    """Stop the local cloud, and JupyterLab with it. What is in the cloud is kept."""
    from .stop import run

    raise typer.Exit(run())


@app.command()
def reset(
    cloud: Annotated[bool, typer.Option("--cloud", help="Empty the local cloud.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Begin anew: delete everything in the local cloud, whether it runs or not."""
    from .reset import run

    raise typer.Exit(run(cloud=cloud, yes=yes))


@app.command()
def check(
    keys: Annotated[
        list[str] | None, typer.Argument(help="Stages, such as 09-function; all without one.")
    ] = None,
    workspace: Annotated[
        Path | None, typer.Option(help="The folder to check instead of lab/.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Repeat the images and events of an earlier run.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Check your work: deploy it to the cloud in use, try it, say what is right and what is missing."""
    from .check import run

    raise typer.Exit(run(keys or [], workspace=workspace, seed=seed, as_json=json))


@app.command()
def demo(
    json: AsJson = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack and its buckets.")] = False,
) -> None:
    """Deploy the image resizer, upload a photograph, and check the thumbnail."""
    from .demo import run

    raise typer.Exit(run(as_json=json, keep=keep))


@app.command()
def doctor(json: AsJson = False, port: Port = 4566) -> None:
    """Say what the kit finds on this computer, and what is missing."""
    from .doctor import run

    raise typer.Exit(run(as_json=json, port=port))


if __name__ == "__main__":
    sys.exit(app())
