"""The checks of stages, as pytest finds them. Nothing is run, and a stage that can't be read stops no other.

This module is also the plugin that tells of them, in a process of its own.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from .. import project
from ..grading.stages import Stage

_FOUND, _FAULT = "COLLECTED ", "NOT COLLECTED "


@dataclass(frozen=True)
class Check:
    """One check: its docstring in one line, and what its mark says, None where it has no mark."""

    name: str
    wants: str
    mark: dict[str, Any] | None


@dataclass
class Collected:
    """The checks of one stage in their order; `fault` says why its module can't be read."""

    checks: list[Check] = field(default_factory=list)
    fault: str = ""


def collect(stages: Iterable[Stage]) -> dict[str, Collected]:
    """Find the checks of the stages; return them by the stages' keys."""
    modules = {stage.checks.stem: stage.key for stage in stages if stage.checks.is_file()}
    found = {key: Collected() for key in modules.values()}
    if not modules:
        return found
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "--collect-only", "-q", "--capture=no",
            "-p", "no:cacheprovider", "-p", __name__, "--continue-on-collection-errors",
            *(str(project.CHECKS / f"{module}.py") for module in modules),
        ],
        cwd=project.ROOT, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )  # fmt: skip
    lines = done.stdout.splitlines()
    for line in lines:
        if line.startswith(_FOUND):
            module, *check = json.loads(line.removeprefix(_FOUND))
            found[modules[module]].checks.append(Check(*check))
        elif line.startswith(_FAULT):
            module, reason = json.loads(line.removeprefix(_FAULT))
            for key in [modules[module]] if module in modules else found:
                found[key].fault = reason
    if not any(line.startswith((_FOUND, _FAULT)) for line in lines):
        for each in found.values():
            each.fault = _last_line(done.stderr or done.stdout or "no checks in it")
    return found


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Tell of each check, before a missing mark ends the run."""
    for item in items:
        mark = item.get_closest_marker("check")
        wants = " ".join((item.function.__doc__ or "").split())
        told = (item.path.stem, item.name, wants, dict(mark.kwargs) if mark else None)
        print(f"\n{_FOUND}{json.dumps(told)}")


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Tell why a module can't be read."""
    if report.failed:
        module = Path(report.nodeid.partition("::")[0]).stem
        print(f"\n{_FAULT}{json.dumps((module, _last_line(str(report.longrepr))))}")


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1].removeprefix("E ").strip()
