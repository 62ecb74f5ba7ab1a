"""Run the checks of stages and return what came of them."""

import contextlib
import os
import secrets
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from .. import project
from .results import CheckResult, StageResult
from .stages import Stage


class Listener:
    """Hears of a run as it goes on; this one does nothing with it."""

    def started(self, stage: Stage, wants: str) -> None:
        """A check begins; `wants` is its sentence."""

    def ended(self, stage: Stage, result: CheckResult) -> None:
        """A check has ended."""


class _Collector:
    """Takes each check's result as soon as it is there."""

    def __init__(self, stages: Sequence[Stage], listener: Listener):
        self._stages = {stage.checks.stem: stage for stage in stages}
        self._listener = listener
        self.results: dict[str, list[CheckResult]] = {stage.key: [] for stage in stages}
        self.faults: dict[str, str] = {}
        self.interrupted = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Function) -> None:
        hidden = item.get_closest_marker("check").kwargs.get("hidden")
        wants = hidden or " ".join((item.function.__doc__ or "").split())
        self._listener.started(self._stage(item.nodeid), wants)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        value = getattr(report, "check", None)
        if value is not None:
            stage, result = self._stage(report.nodeid), CheckResult.from_json(value)
            self.results[stage.key].append(result)
            self._listener.ended(stage, result)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._blame(Path(report.nodeid.partition("::")[0]).stem, report.longrepr)

    def pytest_internalerror(self, excrepr: object) -> None:
        self._blame("", excrepr)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[Any]) -> None:
        self.interrupted = excinfo.errisinstance(KeyboardInterrupt)

    def _blame(self, module: str, reason: object) -> None:
        """Note why the module's checks could not run; those of all stages, if it is none of theirs."""
        last = str(reason).strip().splitlines()[-1]
        for stage in [self._stages[module]] if module in self._stages else self._stages.values():
            self.faults[stage.key] = f"its checks can't run, which is no fault of yours: {last}"

    def _stage(self, node: str) -> Stage:
        return self._stages[Path(node.partition("::")[0]).stem]


def grade(
    stages: Sequence[Stage],
    workspace: Path,
    *,
    seed: int | None = None,
    listener: Listener | None = None,
    only: Collection[str] = (),
    until_failure: bool = False,
    patience: float = 1,
) -> list[StageResult]:
    """Check the stages of a workspace in the cloud in use; the listener hears of each check.

    `seed` repeats a run; `only` names the checks to run where not all shall; `until_failure` ends with the
    first that fails; `patience` multiplies their time limits, for a computer that is busy. Learner code runs
    in the cloud's execution environments only. Raises KeyboardInterrupt, tidied up, where Ctrl-C ended it.
    """
    seed = secrets.randbelow(1_000_000) if seed is None else seed
    collector = _Collector(stages, listener or Listener())
    modules = [str(stage.checks) for stage in stages]
    code = _pytest(
        [
            *([f"{module}::{name}" for module in modules for name in only] or modules),
            *(["--exitfirst"] if until_failure else []),
            # In one word each: pytest would take a folder that stands alone for a place to look for settings.
            f"--workspace={workspace}", f"--seed={seed}",
            f"--patience={patience}",
        ],
        collector,
    )  # fmt: skip
    if collector.interrupted:
        raise KeyboardInterrupt
    early = ""
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        early = f"the checks ended early ({pytest.ExitCode(code).name})"
    return [
        StageResult(
            stage.key,
            stage.title,
            seed,
            tuple(collector.results[stage.key]),
            collector.faults.get(stage.key, "" if collector.results[stage.key] else early),
        )
        for stage in stages
    ]


def collect(stage: Stage) -> None:
    """Load pytest and the checks of a stage into this process, and run none of them."""
    _pytest(["--collect-only", str(stage.checks)])


def _pytest(arguments: Sequence[str], *plugins: object) -> int:
    """Run pytest in this process, with no plugin but ours and pytest-timeout's; return its exit status."""
    arguments = [
        *arguments,
        f"--rootdir={project.ROOT}", f"--config-file={project.ROOT / 'pyproject.toml'}",
        "-p", "pytest_timeout", "-p", "no:cacheprovider", "-p", "no:warnings", "--assert=plain",
        # They look through all objects of the process five times at its end, for what checks never raise.
        "-p", "no:unraisableexception", "-p", "no:threadexception",
        "--override-ini=addopts=--strict-markers", "--capture=no", "--continue-on-collection-errors",
    ]  # fmt: skip
    alone = mock.patch.dict(os.environ, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", PYTEST_ADDOPTS="")
    # Not to be seen: pytest's own report (pytest-timeout can't do without), and what checks print.
    with alone, open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        return pytest.main(arguments, plugins=list(plugins))
