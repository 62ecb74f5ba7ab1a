"""What came of the checks, as values that can be stored, sent and shown."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Outcome = Literal["passed", "failed", "not run"]


@dataclass(frozen=True)
class CheckResult:
    """One check. `seen` holds the reason where it was not run; `seconds` is its time, fixtures included."""

    name: str
    wants: str
    section: str
    outcome: Outcome
    points: int
    tried: str = ""
    expected: str = ""
    seen: str = ""
    log: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def earned(self) -> int:
        """Its points if it passed, else none."""
        return self.points if self.outcome == "passed" else 0

    def as_json(self) -> dict[str, Any]:
        """The result as JSON's own types."""
        return {**asdict(self), "log": list(self.log), "earned": self.earned}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "CheckResult":
        """The result that `as_json` gave."""
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        return cls(**{**known, "log": tuple(known.get("log", ()))})


@dataclass(frozen=True)
class StageResult:
    """A stage's checks in their order. `fault` says why there are none, where the checks could not run."""

    key: str
    title: str
    seed: int
    checks: tuple[CheckResult, ...] = ()
    fault: str = ""

    @property
    def points(self) -> int:
        """The points that could be had."""
        return sum(check.points for check in self.checks)

    @property
    def earned(self) -> int:
        """The points of the checks that passed."""
        return sum(check.earned for check in self.checks)

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return not self.fault and all(check.outcome == "passed" for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """The result as JSON's own types."""
        return {
            "key": self.key,
            "title": self.title,
            "seed": self.seed,
            "earned": self.earned,
            "points": self.points,
            "passed": self.passed,
            "fault": self.fault,
            "checks": [check.as_json() for check in self.checks],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "StageResult":
        """The result that `as_json` gave."""
        checks = tuple(CheckResult.from_json(check) for check in value["checks"])
        return cls(value["key"], value["title"], value["seed"], checks, value.get("fault", ""))
