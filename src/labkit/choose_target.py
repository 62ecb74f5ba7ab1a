"""`lab target`: show which cloud is in use and why, or choose the other one."""

import os

from botocore.exceptions import BotoCoreError, ClientError

from . import preflight, target, terminal
from .cloud_errors import explain
from .grading.stages import stages

DONE, UNKNOWN, NOT_MEANT, REFUSED = 0, 2, 2, 3


def run(which: str | None, *, yes: bool) -> int:
    """Show or choose; return 0, 2 for an unknown target or without a yes, 3 where AWS refuses."""
    console = terminal.console()
    if which not in (None, target.LOCAL, target.AWS):
        console.print(f"A target is local or aws, not {which!r}.", style="red", markup=False)
        return UNKNOWN
    if which == target.AWS:
        try:
            _look_at_aws(yes, console)
        except preflight.NotMeant as error:
            console.print(f"{error} The target stays {target.name()}.")
            return NOT_MEANT
        except (BotoCoreError, ClientError) as error:
            console.print(
                f"✗ The target stays as it was: {explain(error)}", style="red", markup=False
            )
            return REFUSED
    if which:
        target.choose(which)
    _show(console)
    return DONE


def _look_at_aws(yes: bool, console) -> None:
    before = dict(os.environ)
    os.environ["LAB_TARGET"] = target.AWS
    try:
        with target.cloud():
            preflight.ask(
                [*(stage.key for stage in stages()), "demo", "destroy"], yes=yes, console=console,
                question="From now on every command, check and notebook works there. Is that meant?",
            )  # fmt: skip
    finally:
        os.environ.clear()
        os.environ.update(before)


def _show(console) -> None:
    chosen, why = target.chosen()
    words = target.aws_words() if chosen == target.AWS else "the cloud on this computer"
    console.print(f"The target is {chosen}, {words}: {why}.", markup=False)
    kept = target.kept()
    if kept != chosen:
        console.print(
            f"LAB_TARGET wins over what is kept, which is {kept}. Take it back: unset LAB_TARGET"
        )
    elif chosen == target.AWS:
        console.print(
            "Notebooks that are open follow when their kernel is restarted. Back again: lab target local"
        )
