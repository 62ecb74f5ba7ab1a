"""The course's stages, as checks/stages.toml lists them."""

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path

from .. import project


class UnknownStage(Exception):
    """There is no stage of that key; the text says which there are."""


@dataclass(frozen=True)
class Topic:
    """One thing to do in a stage: the checks that see it, and three hints, each plainer than the last."""

    title: str
    checks: tuple[str, ...]
    hints: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """One stage. `key` names its notebook, its starter folder, its solution and its checks."""

    key: str
    title: str
    goal: str
    minutes: int
    points: int
    files: tuple[str, ...]
    topics: tuple[Topic, ...]

    @property
    def checks(self) -> Path:
        """The pytest module of its checks."""
        return project.CHECKS / f"check_{self.key.replace('-', '_')}.py"

    @property
    def notebook(self) -> Path:
        """Its notebook."""
        return project.NOTEBOOKS / f"{self.key}.ipynb"


@functools.cache
def stages() -> tuple[Stage, ...]:
    """All stages that have checks, in the course's order."""
    listed = tomllib.loads((project.CHECKS / "stages.toml").read_text(encoding="utf-8"))
    return tuple(
        Stage(
            **{name: stage[name] for name in ("key", "title", "goal", "minutes", "points")},
            files=tuple(stage["files"]),
            topics=tuple(
                Topic(topic["title"], tuple(topic["checks"]), tuple(topic["hints"]))
                for topic in stage["topics"]
            ),
        )
        for stage in listed.get("stage", ())
    )


def find(key: str) -> Stage:
    """Return the stage of the key; its number ("09") or its word ("function") will do.

    Raises UnknownStage where none or more than one answers to it.
    """
    found = [s for s in stages() if key in (s.key, *s.key.split("-", 1))]
    if len(found) != 1:
        keys = ", ".join(stage.key for stage in stages())
        raise UnknownStage(f"There is no stage {key!r}. The stages with an exercise: {keys}")
    return found[0]
