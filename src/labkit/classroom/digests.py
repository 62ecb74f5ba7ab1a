"""What a result depends on, as one hash: the submitted files of a stage, its checks, and the seed.

A result whose hash is still the same need not be made again. A stage's checks are its module and whatever
of checks/ that module imports, so that a change touches only the stages that use it.
"""

import ast
import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path

from .. import project
from ..grading.stages import Stage

# Data that checks read by name, not by import.
_DATA = ("events", "workloads", "wrappers")


def of(stage: Stage, files: Mapping[str, bytes], seed: int, confined: bool) -> str:
    """The hash of a stage's result, in hexadecimal."""
    parts = [checks(stage), str(seed), str(confined)]
    parts += [
        f"{name} {hashlib.sha256(content).hexdigest()}" for name, content in sorted(files.items())
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@functools.cache
def checks(stage: Stage) -> str:
    """The hash of all that judges a stage."""
    digest = hashlib.sha256(repr((stage.points, stage.files)).encode())
    for path in sorted({*_modules(stage.checks), *_modules(project.CHECKS / "conftest.py"), *_data(),
                        *_grading()}):  # fmt: skip
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _modules(path: Path, found: set[Path] | None = None) -> set[Path]:
    """A module of checks/ and all that it imports from there."""
    found = set() if found is None else found
    if path in found or not path.is_file():
        return found
    found.add(path)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            names = [node.module] if node.module else [alias.name for alias in node.names]
        for name in names:
            _modules(path.parent / f"{name.partition('.')[0]}.py", found)
    return found


def _data() -> list[Path]:
    return [path for name in _DATA for path in (project.CHECKS / name).rglob("*")
            if path.is_file() and path.suffix != ".pyc"]  # fmt: skip


def _grading() -> list[Path]:
    return sorted((project.ROOT / "src" / "labkit" / "grading").glob("*.py"))
