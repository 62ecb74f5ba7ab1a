"""Run the checks of stages and return what came of them."""

import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

import pytest

from .. import project
from .results import CheckResult, StageResult
from .stages import Stage


class _Collector:
    """Takes each check's result as soon as it is there."""

    def __init__(self, listener: Callable[[str, CheckResult], None]):
        self._listener = listener
        self.results: dict[str, list[CheckResult]] = {}
        self.faults: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        value = getattr(report, "check", None)
        if value is None:
            return
        module = Path(report.nodeid.partition("::")[0]).stem
        result = CheckResult.from_json(value)
        self.results.setdefault(module, []).append(result)
        self._listener(module, result)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.faults.append(str(report.longrepr).strip().splitlines()[-1])


def grade(
    stages: Sequence[Stage],
    workspace: Path,
    *,
    seed: int | None = None,
    listener: Callable[[Stage, CheckResult], None] = lambda stage, result: None,
) -> list[StageResult]:
    """Check the stages of a workspace in the cloud in use; `listener` hears of each check as it ends.

    `seed` repeats a run. Learner code runs in the cloud's execution environments only.
    """
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    by_module = {stage.checks.stem: stage for stage in stages}
    collector = _Collector(lambda module, result: listener(by_module[module], result))
    arguments = [
        *(str(stage.checks) for stage in stages), f"--rootdir={project.ROOT}",
        "-p", "pytest_timeout", "-p", "no:terminal", "-p", "no:cacheprovider",
        "--override-ini=addopts=--strict-markers", "--capture=no",
        # In one word each: pytest would take a folder that stands alone for a place to look for settings.
        f"--workspace={workspace}", f"--seed={seed}",
    ]  # fmt: skip
    with mock.patch.dict(os.environ, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", PYTEST_ADDOPTS=""):
        code = pytest.main(arguments, plugins=[collector])
    fault = "; ".join(collector.faults)
    if not fault and code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        fault = f"The checks ended early: {pytest.ExitCode(code).name}"
    return [
        StageResult(
            stage.key,
            stage.title,
            seed,
            tuple(collector.results.get(stage.checks.stem, ())),
            "" if collector.results.get(stage.checks.stem) else fault,
        )
        for stage in stages
    ]
