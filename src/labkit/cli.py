"""The `lab` command. Each command's work is in a module of its own, loaded when it is called.

`lab --install-completion` makes the shell complete commands and stages.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup


class _Commands(TyperGroup):
    """All of them end with the same sentence where the target is none."""

    def invoke(self, ctx: typer.Context) -> Any:
        """See click.Group. A target is judged wherever a command first needs it."""
        try:
            return super().invoke(ctx)
        except ValueError as error:
            from .target import UnknownTarget

            if not isinstance(error, UnknownTarget):
                raise
            name = ctx.invoked_subcommand
            command = typer.Context(self.get_command(ctx, name), parent=ctx, info_name=name)
            raise typer.BadParameter(str(error), ctx=command) from None


app = typer.Typer(
    cls=_Commands,
    help="Serverless Lab Kit: a week of AWS serverless, on your own computer.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Port = Annotated[int, typer.Option(help="Where the local cloud listens; 0 takes any free port.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Don't ask.")]


def _stage_keys() -> list[str]:
    from .grading.stages import stages

    return [stage.key for stage in stages()]


Key = Annotated[
    str, typer.Argument(help="A stage, such as 09-function or just 09.", autocompletion=_stage_keys)
]


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
def status(json: AsJson = False) -> None:
    """Say which cloud is in use, where it and JupyterLab are, and how far you are.

    On AWS it asks who you are there, and looks at nothing else. Exit code 0 if the cloud answers, else 1.
    """
    from .status import run

    raise typer.Exit(run(as_json=json))


@app.command()
def target(
    which: Annotated[
        str | None,
        typer.Argument(
            help="local or aws; without it, show.", autocompletion=lambda: ["local", "aws"]
        ),
    ] = None,
    yes: Yes = False,
) -> None:
    """Show which cloud is in use and why, or choose: `lab target aws`, `lab target local`.

    LAB_TARGET wins over the choice. Exit codes: 0 done · 2 no such target, or not confirmed · 3 AWS refuses.
    """
    from .choose_target import run

    raise typer.Exit(run(which, yes=yes))


@app.command()
def env() -> None:
    """Print the lines that lead a shell's `aws` and `sam` to the cloud in use: eval "$(lab env)"."""
    from .shell_environment import run

    raise typer.Exit(run())


@app.command()
def check(
    keys: Annotated[
        list[str] | None,
        typer.Argument(
            help="Stages, such as 09-function or just 09; all without one.",
            autocompletion=_stage_keys,
        ),
    ] = None,
    workspace: Annotated[
        Path | None, typer.Option(help="The folder to check instead of lab/; progress is not kept.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Repeat the images and events of an earlier run.")
    ] = None,
    json: AsJson = False,
    yes: Yes = False,
) -> None:
    """Check your work: deploy it to the cloud in use, try it, say what is right and what is missing.

    On AWS it first shows whose account it is and what is missing there, and asks. Exit codes: 0 everything
    passes · 1 something does not · 2 no such stage or folder, or not confirmed · 3 the cloud does not
    answer · 130 interrupted.
    """
    from .check import run

    raise typer.Exit(run(keys or [], workspace=workspace, seed=seed, as_json=json, yes=yes))


@app.command()
def watch(
    key: Annotated[
        str | None,
        typer.Argument(
            help="The stage to watch; without one, whichever is saved.", autocompletion=_stage_keys
        ),
    ] = None,
) -> None:
    """Check a stage again whenever one of its files is saved. Keys: h hint, c check again, q quit."""
    from .watch import run

    raise typer.Exit(run(key))


@app.command()
def hint(key: Key, json: AsJson = False) -> None:
    """Help with the first thing that is not right yet; each time a little more."""
    from .hint import hint

    raise typer.Exit(hint(key, as_json=json))


@app.command()
def solution(key: Key, yes: Yes = False, json: AsJson = False) -> None:
    """Show a stage's whole solution. It asks first, and your progress notes it."""
    from .hint import solution

    raise typer.Exit(solution(key, yes=yes, as_json=json))


@app.command()
def reset(
    key: Annotated[
        str | None,
        typer.Argument(help="A stage; all without one.", autocompletion=_stage_keys),
    ] = None,
    cloud: Annotated[bool, typer.Option("--cloud", help="Empty the local cloud instead.")] = False,
    yes: Yes = False,
) -> None:
    """Go back to the starter files of a stage; yours are kept in .lab/kept. Or empty the local cloud."""
    from . import reset

    if cloud and key:
        raise typer.BadParameter("--cloud empties the whole cloud; leave the stage out")
    raise typer.Exit(reset.cloud(yes=yes) if cloud else reset.files(key, yes=yes))


@app.command()
def progress(json: AsJson = False) -> None:
    """Show which checks have passed, and which hints you have seen."""
    from .show_progress import run

    raise typer.Exit(run(as_json=json))


@app.command()
def demo(
    json: AsJson = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the stack and its buckets.")] = False,
    yes: Yes = False,
) -> None:
    """Deploy the image resizer, upload a photograph, and check the thumbnail."""
    from .demo import run

    raise typer.Exit(run(as_json=json, keep=keep, yes=yes))


@app.command()
def deploy(
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A parameter of cloudformation/course.yaml."
        ),
    ] = None,
    bucket: Annotated[
        str | None,
        typer.Option(help="The bucket for the templates; one of the kit's own without it."),
    ] = None,
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Deploy the whole course as one stack, or bring it up to date; lab destroy removes it.

    On AWS it first shows whose account it is and what is missing there, and asks. Exit codes: 0 it stands ·
    1 it does not · 2 not confirmed · 3 no cloud runs · 130 interrupted.
    """
    from .deploy import run

    raise typer.Exit(run(bucket=bucket, values=values or [], yes=yes, as_json=json))


@app.command()
def destroy(yes: Yes = False, json: AsJson = False) -> None:
    """Remove all that the kit has made in the cloud in use, and prove that nothing is left.

    Only what has the kit's tag is touched. Exit codes: 0 nothing is left · 1 something is · 2 not confirmed ·
    3 no cloud runs, or it refuses · 130 interrupted.
    """
    from .destroy import run

    raise typer.Exit(run(yes=yes, as_json=json))


@app.command()
def publish(
    bucket: Annotated[str, typer.Option(help="The bucket to upload to; made if it isn't there.")],
    yes: Yes = False,
) -> None:
    """Upload the templates, and print the links that launch them with one click in AWS's console.

    On AWS it asks before it makes a bucket. Exit codes: 0 published · 1 not · 2 not confirmed.
    """
    from .publish import run

    raise typer.Exit(run(bucket, yes=yes))


@app.command()
def author(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY | check [KEY]...",
            help="The key of a new stage, such as 14-queues; or check, and the stages to check.",
        ),
    ],
    quick: Annotated[
        bool, typer.Option("--quick", help="Grade the starter and the solution alone.")
    ] = False,
) -> None:
    """For instructors: make the places of a new stage, or check that stages are fit for learners.

    Exit codes: 0 made, or fit · 1 something is to be mended · 2 no such stage, or the key can't be taken.
    """
    from .authoring import check, new_stage

    if words[0] == "check":
        raise typer.Exit(check.run(words[1:], quick=quick))
    if len(words) > 1 or quick:
        raise typer.BadParameter("a new stage is one key, and nothing else")
    raise typer.Exit(new_stage.run(words[0]))


@app.command()
def submit(
    out: Annotated[Path, typer.Option(help="The zip to write.")] = Path("submission.zip"),
) -> None:
    """Put all that is graded into one zip: your files, your progress and your predictions."""
    from .classroom.submit import run

    raise typer.Exit(run(out))


@app.command()
def grade(
    submissions: Annotated[
        Path,
        typer.Argument(
            help="A folder with a folder or a zip for each learner.", exists=True, file_okay=False
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder for results and reports.")],
    stage: Annotated[
        list[str] | None,
        typer.Option(
            help="A stage to grade, again for more; all without one.", autocompletion=_stage_keys
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="The images and events that all get; kept in the folder.")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="Rules for late and partial work, in TOML.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="How many stages are graded at once.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Grade on a Dask cluster, such as tcp://host:8786.")
    ] = None,
    trusted: Annotated[
        bool, typer.Option("--trusted", help="Run what was handed in with your own rights.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Grade what is graded, too.")] = False,
) -> None:
    """Grade a class: what is new or changed is graded, the same work once, each stage apart from all others.

    Exit codes: 0 all graded · 1 some could not be · 2 it can't begin · 130 interrupted: the same command
    goes on.
    """
    from .classroom.grade import run

    raise typer.Exit(
        run(submissions, out, keys=stage or [], seed=seed, rules_file=rules, processes=processes,
            scheduler=scheduler, trusted=trusted, again=again)
    )  # fmt: skip


@app.command()
def doctor(json: AsJson = False, port: Port = 4566) -> None:
    """Say what the kit finds on this computer, and what is missing."""
    from .doctor import run

    raise typer.Exit(run(as_json=json, port=port))


if __name__ == "__main__":
    sys.exit(app())
