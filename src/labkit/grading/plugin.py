"""The pytest plugin of checks/: a check's outcome in words, its points, its time limit, what it needs.

A check is a function `check_…` whose docstring says in one sentence what it wants, marked
`@pytest.mark.check(points=2, section="heading of the notebook that explains it")`. `needs=("check_a",)`
names checks of the same module without which it makes no sense, `timeout=60` another limit than 30 s.
`hidden="Your function meets pictures of other kinds."` is all that learners are told of a check, whatever
comes of it.
"""

import os
import random
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from .. import project, target
from . import pictures
from .expectations import Unmet
from .learner_text import clean, useful_lines
from .results import IN_TIME, TO_AN_END, CheckResult
from .stage_files import StageFiles

LIMIT_S = 30
_SEED = pytest.StashKey[int]()
_OUTCOMES = pytest.StashKey[dict[str, CheckResult]]()
_TOLD = pytest.StashKey[list[BaseException]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("checks")
    group.addoption("--workspace", type=Path, default=project.LAB, help="the folder to grade")
    group.addoption(
        "--seed", type=int, help="repeat the images and events of a run that printed it"
    )
    group.addoption(
        "--patience", type=float, default=1, help="multiply every check's time limit by this"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "check(points, section, needs=(), timeout=30, hidden=''): see grading/plugin.py"
    )
    given = config.getoption("seed")
    config.stash[_SEED] = secrets.randbelow(1_000_000) if given is None else given
    config.stash[_OUTCOMES] = {}
    config.stash[_TOLD] = []


def pytest_report_header(config: pytest.Config) -> list[str]:
    return [f"workspace: {config.getoption('workspace')}", f"seed: {config.stash[_SEED]}"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        mark = item.get_closest_marker("check")
        if mark is None:
            raise pytest.UsageError(f"{item.nodeid} has no mark `check`")
        limit = mark.kwargs.get("timeout", LIMIT_S) * config.getoption("patience")
        item.add_marker(pytest.mark.timeout(limit))


@pytest.fixture(scope="session")
def seed(pytestconfig: pytest.Config) -> int:
    """The number that all of this run's chance comes from."""
    return pytestconfig.stash[_SEED]


@pytest.fixture
def rng(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """Chance for one check: the same again for the same seed, whichever other checks run."""
    return random.Random(f"{seed} {request.node.name}")


@pytest.fixture(scope="session")
def cloud() -> Iterator[str]:
    """The cloud in use, local or AWS; boto3's default settings lead there while it is in use."""
    with target.cloud() as words:
        yield words


@pytest.fixture(scope="module")
def workspace(pytestconfig: pytest.Config, request: pytest.FixtureRequest) -> StageFiles:
    """The learner's files of the stage that the module checks."""
    key = request.module.__name__.rpartition(".")[2].removeprefix("check_").replace("_", "-")
    return StageFiles(pytestconfig.getoption("workspace").resolve(), key)


def pytest_runtest_setup(item: pytest.Item) -> None:
    pictures.take()  # those of a check before it that were not asked for
    outcomes = item.config.stash[_OUTCOMES]
    for name in item.get_closest_marker("check").kwargs.get("needs", ()):
        needed = outcomes.get(_sibling(item, name))
        if needed and needed.outcome != "passed":
            pytest.skip(f"first comes: {needed.for_learners().wants}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.when == "teardown" and not report.failed:
        return report
    if report.when == "setup" and report.passed:
        return report
    result = _result(item, call, report)
    if report.when == "teardown":
        # What a check leaves behind is no fault of the learner's, and costs no points.
        report.longrepr = f"{result.name}: tidying up failed: {result.seen}"
        return report
    item.config.stash[_OUTCOMES][item.nodeid] = result
    item.user_properties += [
        ("points", result.points), ("earned", result.earned), ("outcome", result.outcome),
    ]  # fmt: skip
    report.check = result.as_json()
    if result.outcome == "not run":
        report.outcome = "skipped"
        report.longrepr = (str(item.path), 0, f"Skipped: {result.seen}")
    elif result.outcome == "failed" and not os.environ.get("LAB_DEBUG"):
        report.longrepr = _words(result)
    return report


def _sibling(item: pytest.Item, name: str) -> str:
    return f"{item.nodeid.rpartition('::')[0]}::{name}"


def _result(item: pytest.Item, call: pytest.CallInfo[None], report: Any) -> CheckResult:
    mark = item.get_closest_marker("check").kwargs
    error = call.excinfo.value if call.excinfo else None
    told = item.config.stash[_TOLD]
    outcome, words = "passed", {}
    if isinstance(error, pytest.skip.Exception):
        outcome, words = "not run", {"seen": f"Not run: {error.msg}"}
    elif error is not None and report.when == "setup" and any(error is one for one in told):
        # pytest raises a fixture's exception again for every check that asked for the fixture.
        outcome, words = (
            "not run",
            {"seen": f"Not run, for the same reason as above: {clean(_seen(error))}"},
        )
    elif error is not None:
        told.append(error)
        unmet = _unmet(error)
        outcome = "failed"
        words = {name: clean(getattr(unmet, name)) for name in ("tried", "expected", "seen")}
        words["log"] = useful_lines(unmet.log)
    return CheckResult(
        name=item.name,
        wants=" ".join((item.function.__doc__ or "").split()),
        section=mark.get("section", ""),
        outcome=outcome,
        points=mark["points"],
        seconds=round(call.duration, 3),
        hidden=mark.get("hidden", ""),
        pictures=pictures.take(),
        **words,
    )


def _seen(error: BaseException) -> str:
    return _unmet(error).seen


def _unmet(error: BaseException) -> Unmet:
    """What went wrong, in words for the learner, whatever was raised."""
    if isinstance(error, Unmet):
        return error
    if isinstance(error, ClientError):
        call, reason = error.operation_name, error.response.get("Error", {})
        return Unmet(
            tried=f"called {call}",
            expected="the cloud to accept it",
            seen=f"{reason.get('Code')}: {reason.get('Message')}",
        )
    if isinstance(error, BotoCoreError):
        return Unmet(tried="called the cloud", expected="an answer", seen=str(error))
    if isinstance(error, pytest.fail.Exception) and "Timeout" in str(error.msg):
        return Unmet(tried="waited for your code", expected=IN_TIME, seen=str(error.msg))
    return Unmet(
        tried="ran this check",
        expected=TO_AN_END,
        seen="the check itself broke, which is the kit's fault and not yours "
        f"({type(error).__name__}: {error})",
    )


def _words(result: CheckResult) -> str:
    result = result.for_learners()
    lines = [result.wants, f"  tried:    {result.tried}", f"  expected: {result.expected}"]
    lines += [f"  seen:     {result.seen}", *(f"  | {line}" for line in result.log)]
    if result.section:
        lines.append(f"  read:     {result.section}")
    return "\n".join(lines)
