"""`lab author check`: is a stage fit for learners?"""

import os
import tomllib
from collections.abc import Sequence

from rich.console import Console
from rich.progress import track
from rich.table import Table

from .. import terminal
from ..grading.results import StageResult
from ..grading.stages import Stage, UnknownStage, find, stages
from . import rules
from .collection import collect
from .submissions import Submission, graded, graders, of

FIT, NOT_FIT, UNKNOWN = 0, 1, 2
QUICK = ("starter", "solution")


def run(keys: Sequence[str], *, quick: bool, processes: int | None = None) -> int:
    """Read and grade the stages, all where none is named; print what is wrong, return the exit code.

    `quick` grades the starter and the solution alone.
    """
    console = terminal.console()
    try:
        chosen = [find(key) for key in dict.fromkeys(keys)] or list(stages())
    except UnknownStage as error:
        console.print(str(error), style="red", markup=False)
        return UNKNOWN
    except tomllib.TOMLDecodeError as error:
        console.print(f"checks/stages.toml is no TOML: {error}", style="red", markup=False)
        return UNKNOWN
    except KeyError as error:
        console.print(f"checks/stages.toml: a stage lacks {error}", style="red", markup=False)
        return UNKNOWN
    found = _read(chosen)
    for key, faults in found.items():
        for fault in faults:
            console.print(f"✗ {key}: {fault}", markup=False)
    # What can't be read can't be graded; the rest is.
    readable = [stage for stage in chosen if not found[stage.key]]
    wrong = _grade(readable, console, quick=quick, processes=processes) if readable else 0
    total = wrong + sum(map(len, found.values()))
    if total:
        console.print(f"{total} {'thing' if total == 1 else 'things'} to mend.")
    else:
        fit = "1 stage is" if len(chosen) == 1 else f"{len(chosen)} stages are"
        console.print(f"{fit} fit for learners.")
    return NOT_FIT if total else FIT


def _read(chosen: Sequence[Stage]) -> dict[str, list[str]]:
    collected = collect(chosen)
    found = {}
    for stage in chosen:
        if stage.key in collected:
            found[stage.key] = rules.faults(stage, collected[stage.key])
        else:
            found[stage.key] = [f"checks/{stage.checks.name} is missing"]
    return found


def _grade(chosen: Sequence[Stage], console: Console, *, quick: bool, processes: int | None) -> int:
    """Grade what proves the stages' checks; print the table, return how many were judged wrongly."""
    every = [one for stage in chosen for one in of(stage.key) if not quick or one.kind in QUICK]
    table = Table("stage", "submission", "points", "failed checks", box=None, pad_edge=False)
    wrong: list[tuple[Submission, str]] = []
    with graders(min(len(every), processes or os.cpu_count() or 1)) as pool:
        results = track(pool.map(graded, every), "grading", len(every), console=console)
        for one, result in zip(every, results, strict=True):
            wrong += [(one, fault) for fault in one.faults(result)]
            table.add_row(*_row(one, result))
    console.print(table)
    for one, fault in wrong:
        console.print(f"✗ {one.key}, {one.kind} {one.name}: {fault}", markup=False)
    console.print(f"{len(every)} submissions were graded.")
    return len(wrong)


def _row(one: Submission, result: StageResult) -> tuple[str, str, str, str]:
    failed = [check.name for check in result.checks if check.outcome == "failed"]
    points = f"{result.earned}/{result.points}"
    return one.key, f"{one.kind}: {one.name}", points, ", ".join(failed)
