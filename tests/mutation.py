"""How many changes of the reference solutions do the checks see?

    python tests/mutation.py [KEY…] [--processes N]     `make mutants`; prints the table and what survived

Every mutant of a Python or JSON file of a solution is graded until a check fails, in processes with a
cloud each, two for each processor, because half of a grading is waiting. A verdict is kept in .lab/mutation/,
with what the failed check has seen, under the content of all that it depends on: an interrupted run goes on
where it was, and a changed check grades its own stage alone anew, first by the check that killed a mutant.
Other changes of the kit don't count; remove the folder to begin from nothing. Of survivors
tests/mutants/equivalent.toml says why they are no worse.
"""

import argparse
import ast
import functools
import hashlib
import json
import os
import sys
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from labkit import project, workspace
from labkit.authoring.submissions import Submission, graded, graders
from labkit.grading.stages import Stage, find, stages
from source_mutants import SourceMutant, mutants

KEPT = project.WORK / "mutation"
EQUIVALENT = project.MUTANTS / "equivalent.toml"
# The same images and events for each mutant: a verdict can be kept, and found again.
SEED = 1
# A check that ends for want of time has seen nothing of the mutant.
PATIENCE = 6
# The share of the mutants that are not equivalent that every stage's checks have to kill.
FLOOR = 0.95


@dataclass(frozen=True)
class Candidate:
    """A mutant of one file of a stage's solution."""

    stage: Stage
    file: str
    mutant: SourceMutant

    @functools.cached_property
    def content(self) -> str:
        """What its verdict is kept under."""
        parts = [*checks_of(self.stage), *solution_of(self.stage), self.mutant.text.encode()]
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    @functools.cached_property
    def change(self) -> str:
        """What stays the same of it when checks change."""
        return hashlib.sha256(f"{self.file}\0{self.mutant.text}".encode()).hexdigest()

    def submission(self) -> Submission:
        return Submission(
            "mutant", self.stage.key, "source", files={self.file: self.mutant.text.encode()}
        )


@functools.cache
def checks_of(stage: Stage) -> tuple[bytes, ...]:
    """The checks' module, those of checks/ that it imports, at any depth, and the data that these name."""
    found: dict[Path, bytes] = {}
    shared = project.CHECKS / "conftest.py"
    asked = {
        argument.arg
        for node in ast.walk(ast.parse(stage.checks.read_bytes()))
        if isinstance(node, ast.FunctionDef)
        for argument in node.args.args
    }
    waiting = [stage.checks, shared]
    while waiting:
        path = waiting.pop()
        if path in found or not path.is_file():
            continue
        found[path] = path.read_bytes()
        for node in ast.walk(ast.parse(found[path])):
            if isinstance(node, ast.ImportFrom) and node.level:
                names = [node.module] if node.module else [alias.name for alias in node.names]
                # What conftest.py makes with a module bears its name.
                used = [name for name in names if path != shared or name in asked]
                waiting += [project.CHECKS / f"{name}.py" for name in used]
    text = b"".join(found.values()).decode()
    for path in project.CHECKS.glob("*/*.*"):
        folder = f'/ "{path.parent.name}"'
        if f'{folder} / "{path.name}"' in text or f"{folder}\n" in text:
            found[path] = path.read_bytes()
    return tuple(found[path] for path in sorted(found))


@functools.cache
def solution_of(stage: Stage) -> tuple[bytes, ...]:
    """The solution's files."""
    return tuple((project.SOLUTIONS / stage.key / name).read_bytes() for name in stage.files)


def candidates(stage: Stage) -> Iterator[Candidate]:
    """All mutants of a stage's Python and JSON files, but for Python that learners are given finished."""
    given = workspace.starter_files(stage.key)
    for name in stage.files:
        text = (project.SOLUTIONS / stage.key / name).read_text(encoding="utf-8")
        if name.endswith(".py") and text.encode() == given.get(name):
            continue
        yield from (Candidate(stage, name, mutant) for mutant in mutants(name, text))


def verdict(candidate: Candidate, suspect: str = "") -> tuple[str, str]:
    """The check that fails and what it has seen; ("", "") for a survivor. A `suspect` is tried first.

    Raises RuntimeError where the checks can't run.
    """
    for only in ([suspect], []) if suspect else ([],):
        result = graded(
            candidate.submission(), seed=SEED, only=only, until_failure=True, patience=PATIENCE
        )
        failed = [(check.name, check.seen) for check in result.checks if check.outcome != "passed"]
        if result.fault or not result.checks:
            raise RuntimeError(f"{candidate.stage.key} was not graded: {result.fault}")
        if failed:
            return failed[0]
    return "", ""


class Verdicts:
    """The verdicts of one stage that are kept, a line of JSON each."""

    def __init__(self, stage: Stage):
        self._file = KEPT / f"{stage.key}.jsonl"
        lines = self._file.read_text().splitlines() if self._file.is_file() else []
        self._known: dict[str, str] = {}
        self._killers: dict[str, str] = {}
        for content, killer, _, change in map(json.loads, lines):
            self._known[content] = killer
            self._killers[change] = killer

    def __contains__(self, candidate: Candidate) -> bool:
        return candidate.content in self._known

    def __getitem__(self, candidate: Candidate) -> str:
        return self._known[candidate.content]

    def suspect(self, candidate: Candidate) -> str:
        """The check that killed the same mutant before the checks were changed; "" where there is none."""
        names = [name for topic in candidate.stage.topics for name in topic.checks]
        killer = self._killers.get(candidate.change, "")
        return killer if killer in names else ""

    def keep(self, candidate: Candidate, killer: str, seen: str) -> None:
        self._known[candidate.content] = killer
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as kept:
            kept.write(json.dumps([candidate.content, killer, seen, candidate.change]) + "\n")


@dataclass(frozen=True)
class Excuse:
    """Why changes of a line are equivalent: all of them, or those `to` the lines named."""

    stage: str
    file: str
    line: str
    reason: str
    to: tuple[str, ...] = ()

    def covers(self, candidate: Candidate) -> bool:
        before, after = candidate.mutant.before, candidate.mutant.after
        here = (self.stage, self.file) == (candidate.stage.key, candidate.file)
        return (
            here and " ".join(before) == self.line and (not self.to or " ".join(after) in self.to)
        )


def excuses() -> list[Excuse]:
    """The list of equivalent survivors."""
    listed = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))
    return [
        Excuse(**{**entry, "to": tuple(entry.get("to", ()))})
        for entry in listed.get("equivalent", ())
    ]


def by_chance(candidate: Candidate) -> bytes:
    """Puts mutants into an order that nothing of what they change decides, the same in every run."""
    return hashlib.sha256(candidate.mutant.text.encode()).digest()


def run(
    stage: Stage,
    every: Sequence[Candidate],
    kept: Verdicts,
    processes: int,
    most: int | None,
    console: Console,
) -> None:
    """Grade what has no verdict yet, of the first `most` in an order of chance."""
    missing = [one for one in sorted(every, key=by_chance)[:most] if one not in kept]
    if not missing:
        return
    with graders(processes) as pool:
        waiting = {pool.submit(verdict, one, kept.suspect(one)): one for one in missing}
        try:
            for done in track(as_completed(waiting), stage.key, len(waiting), console=console):
                kept.keep(waiting[done], *done.result())
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def main(arguments: list[str]) -> int:
    """Print what survives and the table; return 1 where a stage's checks kill less than FLOOR."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("keys", nargs="*", metavar="KEY")
    parser.add_argument("--processes", type=int, default=2 * (os.cpu_count() or 1))
    parser.add_argument("--most", type=int, help="of each stage, a sample of so many")
    parser.add_argument("--kept", action="store_true", help="grade nothing: show what is kept")
    options = parser.parse_args(arguments)
    chosen = [find(key) for key in options.keys] or list(stages())
    listed, below = excuses(), []
    console = Console(highlight=False)
    columns = (
        "mutants",
        "graded",
        "killed",
        "equivalent",
        "survived",
        "killed of what is not equivalent",
    )
    table = Table("stage", *columns)
    for stage in chosen:
        every, kept = list(candidates(stage)), Verdicts(stage)
        if not options.kept:
            run(stage, every, kept, options.processes, options.most, console)
        graded_ones = [one for one in every if one in kept]
        alive = [one for one in graded_ones if not kept[one]]
        open_ = [one for one in alive if not any(excuse.covers(one) for excuse in listed)]
        for one in open_:
            console.print(f"{stage.key}/{one.file} survives", style="red")
            for mark, lines in (("-", one.mutant.before), ("+", one.mutant.after)):
                console.print("\n".join(f"  {mark} {line}" for line in lines), markup=False)
        killed = len(graded_ones) - len(alive)
        counts = (len(every), len(graded_ones), killed, len(alive) - len(open_), len(open_))
        share = killed / (killed + len(open_)) if killed or open_ else 1
        below += [stage.key] if share < FLOOR else []
        table.add_row(stage.key, *map(str, counts), f"{share:.1%}" if graded_ones else "")
    console.print(table)
    if below:
        console.print(f"below {FLOOR:.0%}: {', '.join(below)}", style="red")
    return int(bool(below))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
