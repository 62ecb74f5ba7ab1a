"""The autograder's own test: wrong submissions, right ones of another shape, and the untouched lab/.

    python tests/submissions.py [KEY…]     grades them all and prints the table: `make mutants`

tests/mutants/KEY.toml lists wrong submissions, each a change of one file of the solution; in
tests/alternatives/KEY/NAME/ lie files of right ones, laid over the solution.
"""

import ast
import os
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import boto3
from rich.console import Console
from rich.progress import track
from rich.table import Table

from labkit import project, target, workspace
from labkit.grading.results import StageResult
from labkit.grading.run import grade
from labkit.grading.stages import find, stages

TESTS = Path(__file__).parent


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
            silent = [check.name for check in result.checks if not check.seen]
            return found + [f"{name} does not say what to do" for name in silent]
        return [f"{check.name} is {check.outcome}: {check.seen}" for check in result.checks
                if check.outcome != "passed"]  # fmt: skip


def of(key: str) -> Iterator[Submission]:
    """All submissions of a stage. Raises ValueError for a mutant that does not change what it says."""
    yield Submission("starter", key, "untouched lab/")
    yield Submission("solution", key, "solution")
    for folder in sorted((TESTS / "alternatives" / key).glob("*/")):
        paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        yield Submission("alternative", key, folder.name, files=files)
    listed = TESTS / "mutants" / f"{key}.toml"
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
    """Processes that can `graded`, each with a local cloud of its own, as a learner there."""
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_begin)


def _begin() -> None:
    begin_as_administrator()
    become_learner((project.ROOT / "docs" / "learner-policy.json").read_text(encoding="utf-8"))


def become_learner(policy: str) -> None:
    """Go on as a user of an account who may do what the policy says, and no more."""
    iam = boto3.client("iam")
    arn = iam.create_policy(PolicyName="learner", PolicyDocument=policy)["Policy"]["Arn"]
    iam.create_user(UserName="learner")
    iam.attach_user_policy(UserName="learner", PolicyArn=arn)
    key = iam.create_access_key(UserName="learner")["AccessKey"]
    endpoint, region = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_DEFAULT_REGION"]
    target.leave(os.environ)
    os.environ |= {
        "LAB_TARGET": "aws", "AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }  # fmt: skip
    boto3.DEFAULT_SESSION = None


def begin_as_administrator() -> None:
    """Give this process a local cloud of its own."""
    from localcloud import LocalCloud

    target.apply(LocalCloud(port=0).start().endpoint_url, os.environ)


def graded(
    submission: Submission, only: tuple[str, ...] = (), seed: int | None = None
) -> StageResult:
    """Grade a submission in this process; `only` these checks, if named."""
    with tempfile.TemporaryDirectory() as folder:
        submission.write(Path(folder))
        (result,) = grade([find(submission.key)], Path(folder), only=only, seed=seed)
    return result


def main(keys: list[str]) -> int:
    """Grade all submissions and print the table; return how many were judged wrongly."""
    chosen = [find(key).key for key in keys] or [stage.key for stage in stages()]
    submissions = [submission for key in chosen for submission in of(key)]
    console, wrong = Console(), 0
    table = Table("stage", "submission", "points", "failed checks", box=None, pad_edge=False)
    with graders(os.cpu_count() or 1) as pool:
        results = pool.map(graded, submissions)
        for one, result in zip(
            submissions, track(results, "grading", len(submissions)), strict=True
        ):
            faults = one.faults(result)
            wrong += bool(faults)
            failed = [check.name for check in result.checks if check.outcome == "failed"]
            words = "; ".join(faults) or ", ".join(failed)
            table.add_row(
                one.key, f"{one.kind}: {one.name}", f"{result.earned}/{result.points}", words,
                style="red" if faults else None,
            )  # fmt: skip
    console.print(table)
    console.print(f"{len(submissions)} submissions, {wrong} judged wrongly")
    return min(wrong, 100)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
