"""What came of the checks, as values that can be stored, sent and shown."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

Outcome = Literal["passed", "failed", "not run"]
# What is expected of a check that its time limit has ended, and of one that broke.
IN_TIME, TO_AN_END = "this check to end in time", "it to come to an end"
# All that is said of a hidden check besides its sentence.
_HIDDEN = {
    "passed": {},
    "failed": {
        "tried": "ran a check that is not shown",
        "expected": "it to pass",
        "seen": "it failed; read the task again, and try your code with what nobody has named",
    },
    "not run": {"seen": "Not run: what comes first has failed"},
}


@dataclass(frozen=True)
class CheckResult:
    """One check. `seen` holds the reason where it was not run; `seconds` is its time, fixtures included.

    `hidden` is what learners are told of a hidden check, instead of all other words; `pictures` are those
    that it was shown, each as its words and a data URI.
    """

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
    hidden: str = ""
    pictures: tuple[tuple[str, str], ...] = ()

    @property
    def earned(self) -> int:
        """Its points if it passed, else none."""
        return self.points if self.outcome == "passed" else 0

    def for_learners(self) -> Self:
        """What learners may see of it: of a hidden check the outcome and the points, and its own sentence."""
        if not self.hidden:
            return self
        nothing = {
            "tried": "",
            "expected": "",
            "seen": "",
            "log": (),
            "section": "",
            "pictures": (),
        }
        words = nothing | _HIDDEN[self.outcome]
        return replace(self, name="hidden", wants=f"Hidden check: {self.hidden}", **words)

    def as_json(self) -> dict[str, Any]:
        """The result as JSON's own types."""
        lists = {"log": list(self.log), "pictures": [list(picture) for picture in self.pictures]}
        return {**asdict(self), **lists, "earned": self.earned}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "CheckResult":
        """The result that `as_json` gave."""
        known = {name: value[name] for name in cls.__dataclass_fields__ if name in value}
        lists = {
            "log": tuple(known.get("log", ())),
            "pictures": tuple((words, uri) for words, uri in known.get("pictures", ())),
        }
        return cls(**{**known, **lists})


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

    @property
    def repeatable(self) -> bool:
        """Whether the same files would be told the same again: nothing ended early, ran out of its time or
        broke, which may have been the machine's doing or the kit's.
        """
        return not self.fault and not any(
            check.outcome == "failed" and check.expected in (IN_TIME, TO_AN_END)
            for check in self.checks
        )

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
