"""What proves a stage's checks: wrong submissions, right ones of another shape, and the untouched lab/.

tests/mutants/KEY.toml lists wrong submissions, each a change of one file of the solution; in
tests/alternatives/KEY/NAME/ lie files of right ones, laid over the solution.
"""

import ast
import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from .. import project, target, workspace
from ..grading.results import StageResult
from ..grading.run import grade
from ..grading.stages import find


@dataclass(frozen=True)
class Submission:
    """One submission of a stage: a mutant, an alternative, the solution or the starter.

    `files` replaces those of the solution; `caught_by` names the check that a mutant must fail.
    """

    kind: str
    key: str
    name: str
    what: str = ""
    caught_by: str = ""
    files: dict[str, bytes] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Make the workspace that is graded."""
        if self.kind == "starter":
            workspace.write_stage(folder, self.key)
            return
        skipped = shutil.ignore_patterns("__pycache__", workspace.STARTERS)
        shutil.copytree(project.SOLUTIONS / self.key, folder / self.key, ignore=skipped)
        for name, content in self.files.items():
            (folder / self.key / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / self.key / name).write_bytes(content)

    def faults(self, result: StageResult) -> list[str]:
        """What the autograder got wrong about it, as sentences."""
        if result.fault or not result.checks:
            return [f"not graded: {result.fault}"]
        failed = {check.name for check in result.checks if check.outcome == "failed"}
        if self.kind == "mutant":
            return [] if self.caught_by in failed else [f"{self.caught_by} did not fail"]
        if self.kind == "starter":
            found = ["it has points"] if result.earned else []
            silent = [
                check.name for check in result.checks
                if check.outcome != "passed" and not check.seen
            ]  # fmt: skip
            return found + [f"{name} does not say what to do" for name in silent]
        return [f"{check.name} is {check.outcome}: {check.seen}" for check in result.checks
                if check.outcome != "passed"]  # fmt: skip


def of(key: str) -> Iterator[Submission]:
    """All submissions of a stage. Raises ValueError for a mutant that does not change what it says."""
    yield Submission("starter", key, "untouched lab/")
    yield Submission("solution", key, "solution")
    for folder in sorted((project.ALTERNATIVES / key).glob("*/")):
        paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        yield Submission("alternative", key, folder.name, files=files)
    listed = project.MUTANTS / f"{key}.toml"
    mutants = tomllib.loads(listed.read_text(encoding="utf-8")) if listed.exists() else {}
    for mutant in mutants.get("mutant", ()):
        files = {mutant["file"]: _mutated(key, mutant).encode()}
        yield Submission("mutant", key, mutant["name"], mutant["what"], mutant["caught_by"], files)


def _mutated(key: str, mutant: dict[str, str]) -> str:
    if "content" in mutant:
        return mutant["content"]
    text = (project.SOLUTIONS / key / mutant["file"]).read_text(encoding="utf-8")
    count = text.count(mutant["replace"])
    if count != 1:
        raise ValueError(f"{key}, mutant {mutant['name']}: its `replace` is there {count} times")
    changed = text.replace(mutant["replace"], mutant["with"])
    if mutant["file"].endswith(".py"):
        try:
            ast.parse(changed)  # else the check that it names fails whatever it looks at
        except SyntaxError as error:
            raise ValueError(f"{key}, mutant {mutant['name']}: {error}") from None
    return changed


def graders(count: int) -> ProcessPoolExecutor:
    """Processes that can `graded`, each with a local cloud of its own."""
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_begin)


def _begin() -> None:
    from localcloud import LocalCloud

    target.apply(LocalCloud(port=0).start().endpoint_url, os.environ)


def graded(submission: Submission, **options: Any) -> StageResult:
    """Grade a submission in this process; the options are those of `grading.run.grade`."""
    with tempfile.TemporaryDirectory() as folder:
        submission.write(Path(folder))
        (result,) = grade([find(submission.key)], Path(folder), **options)
    return result
