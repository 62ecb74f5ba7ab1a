"""Files that look alike: hints to look at, never a verdict.

copydetect compares by winnowed k-grams of tokens, so that names and comments make no difference. What
stands in the starter is left out; the solution is compared with like another learner.
"""

import contextlib
import io
import itertools
from dataclasses import dataclass
from pathlib import Path

from .. import project, workspace
from ..grading.stages import Stage
from . import submission

# Tokens in a row that must be the same to count, and the share of the smaller file from which on it is told.
_K_GRAM, _WINDOW = 25, 4
LEAST_SHARE = 0.8
# Settings and templates have one shape: two who write the same service write nearly the same lines.
_LEAST_SHARE_OF_DATA, _DATA = 0.95, (".json", ".yaml", ".yml")
MOST_HINTS = 10  # for each learner, those most alike
# Less is the same by chance, more is not written by hand.
_LEAST_HASHES, _LARGEST_BYTES = 12, 40_000
# Lexers take a time that grows with the square of a line such as @@@@…; nobody writes longer ones by hand.
_LONGEST_LINE = 1_000
SOLUTION = "solutions/"  # no learner's name: it has a slash


@dataclass(frozen=True)
class Alike:
    """Two submissions' files, and how much of the first one's own tokens the other has as well, of 1."""

    learner: str
    other: str
    file: str
    share: float


def alike(paths: dict[str, list[Path]], stages: list[Stage]) -> dict[str, list[Alike]]:
    """The hints by learner, most alike first. One file of all learners at a time is held in memory."""
    found: dict[str, list[Alike]] = {}
    for stage in stages:
        for name in stage.files:
            prints = dict(_fingerprints(paths, stage, name))
            least = _LEAST_SHARE_OF_DATA if name.endswith(_DATA) else LEAST_SHARE
            for one, other in itertools.combinations(prints, 2):
                share = round(_share(prints[one], prints[other]), 2)
                if share >= least:
                    for learner, second in ((one, other), (other, one)):
                        if learner != SOLUTION:
                            hints = found.setdefault(learner, [])
                            hints.append(Alike(learner, second, f"{stage.key}/{name}", share))
                            hints.sort(key=lambda each: -each.share)
                            del hints[MOST_HINTS:]
    return found


def _fingerprints(paths: dict[str, list[Path]], stage: Stage, name: str):
    starter = workspace.starter_files(stage.key).get(name, "")
    given = _hashes(
        name, starter if isinstance(starter, str) else starter.decode("utf-8", "replace")
    )
    for learner, content in _contents(paths, stage, name):
        if content and _by_hand(content):
            hashes = _hashes(name, content.decode("utf-8", "replace")) - given
            if len(hashes) >= _LEAST_HASHES:
                yield learner, hashes


def _contents(paths: dict[str, list[Path]], stage: Stage, name: str):
    solution = project.SOLUTIONS / stage.key / name
    if solution.is_file():
        yield SOLUTION, solution.read_bytes()
    for learner, own in paths.items():
        with contextlib.suppress(submission.UnreadableSubmission):
            yield learner, submission.read(learner, own).files.get(f"{stage.key}/{name}")


def _by_hand(content: bytes) -> bool:
    return len(content) <= _LARGEST_BYTES and max(map(len, content.split(b"\n"))) <= _LONGEST_LINE


def _share(one: set[int], other: set[int]) -> float:
    return len(one & other) / min(len(one), len(other))


def _hashes(name: str, text: str) -> set[int]:
    from copydetect.detector import CodeFingerprint

    try:
        return set(CodeFingerprint(name, _K_GRAM, _WINDOW, fp=io.StringIO(text)).hashes)
    except Exception:  # text that a lexer chokes on gives no hint
        return set()
