"""What a stage must hold, found by reading it. Each rule yields sentences, one for each fault."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator

import nbformat

from .. import notebooks, project, workspace
from ..grading.stages import Stage
from . import submissions
from .collection import Check, Collected

LONGEST_SENTENCE = 120
HINTS = 3


def faults(stage: Stage, collected: Collected) -> list[str]:
    """All that is wrong with a stage, as far as reading it shows."""
    return [
        *_places(stage),
        *_files(stage),
        *_words(stage),
        *_checks(stage, collected),
        *_notebook(stage, collected.checks),
        *_proofs(stage, collected.checks),
    ]


def _places(stage: Stage) -> Iterator[str]:
    places = (stage.notebook, stage.checks, project.SOLUTIONS / stage.key, project.LAB / stage.key)
    for place in places:
        if not place.exists():
            yield f"{place.relative_to(project.ROOT)} is missing"
    for name in stage.files:
        for folder in (project.SOLUTIONS / stage.key, project.LAB / stage.key):
            if folder.exists() and not (folder / name).is_file():
                yield f"{(folder / name).relative_to(project.ROOT)} is missing; `files` names it"


def _files(stage: Stage) -> Iterator[str]:
    if not (project.SOLUTIONS / stage.key).is_dir():
        return
    try:
        found = workspace.starter_files(stage.key)
    except workspace.BadMarks as error:
        yield str(error)
        return
    for name in sorted(set(found) - set(stage.files)):
        yield f"solutions/{stage.key}/{name} is a file nobody declared: add it to `files`, or remove it"


def _words(stage: Stage) -> Iterator[str]:
    if not stage.goal.strip():
        yield "`goal` is empty: say in a sentence what the learner does"
    titles = Counter(topic.title for topic in stage.topics)
    yield from (f"two topics are called {title!r}" for title, count in titles.items() if count > 1)
    for topic in stage.topics:
        hints = [hint.strip() for hint in topic.hints]
        if len(hints) != HINTS:
            yield f"the topic {topic.title!r} has {len(hints)} hints, not {HINTS}"
        for number, hint in enumerate(hints, 1):
            if not hint:
                yield f"hint {number} of the topic {topic.title!r} is empty"
            elif hint in hints[: number - 1]:
                yield f"hint {number} of the topic {topic.title!r} is one of those before it"


def _checks(stage: Stage, collected: Collected) -> Iterator[str]:
    if collected.fault:
        yield f"{stage.checks.name} can't be read: {collected.fault}"
        return
    names = [check.name for check in collected.checks]
    listed = Counter(name for topic in stage.topics for name in topic.checks)
    for name, count in listed.items():
        if name not in names:
            yield f"a topic names {name}, which {stage.checks.name} does not have"
        elif count > 1:
            yield f"{name} is in {count} topics"
    for number, check in enumerate(collected.checks):
        if check.name not in listed:
            yield f"{check.name} is in no topic of checks/stages.toml"
        yield from _check(check, names[:number])
    points = sum(check.mark.get("points", 0) for check in collected.checks if check.mark)
    if points != stage.points:
        yield f"the checks have {points} points together, and `points` says {stage.points}"


def _check(check: Check, before: list[str]) -> Iterator[str]:
    if not check.wants:
        yield f"{check.name} has no docstring: it is the sentence that learners read"
    elif not check.wants.endswith("."):
        yield f"the docstring of {check.name} is no sentence: it does not end with a full stop"
    elif len(check.wants) > LONGEST_SENTENCE:
        yield f"the docstring of {check.name} has {len(check.wants)} letters, more than {LONGEST_SENTENCE}"
    if check.mark is None or not {"points", "section"} <= set(check.mark):
        yield f"{check.name} needs the mark @pytest.mark.check(points=…, section=…)"
        return
    for needed in check.mark.get("needs", ()):
        if needed not in before:
            yield f"{check.name} needs {needed}, which does not come before it"


def headings(notebook: nbformat.NotebookNode) -> set[str]:
    """The headings of a notebook, without their marks."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return {heading.strip() for heading in re.findall(r"^#+ (.+)$", "\n".join(cells), re.M)}


def _notebook(stage: Stage, checks: list[Check]) -> Iterator[str]:
    if not stage.notebook.is_file():
        return
    name = stage.notebook.name
    try:
        notebook = nbformat.read(stage.notebook, as_version=4)
    except (ValueError, nbformat.ValidationError) as error:
        yield f"{name} can't be read: {error}"
        return
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if code and not any(cell.execution_count for cell in code):
        yield f"{name} was never executed: python -m labkit.notebooks notebooks/{name}"
    else:
        yield from (f"{name}: {fault}" for fault in notebooks.faults(notebook))
    sections = {check.mark["section"] for check in checks if check.mark and "section" in check.mark}
    for section in sorted(sections - headings(notebook)):
        yield f"{name} has no heading {section!r}, and a check refers to it"


def _proofs(stage: Stage, checks: list[Check]) -> Iterator[str]:
    listed = f"tests/mutants/{stage.key}.toml"
    try:
        found = list(submissions.of(stage.key))
    except tomllib.TOMLDecodeError as error:
        yield f"{listed} is no TOML: {error}"
        return
    except KeyError as error:
        yield f"{listed}: a mutant lacks {error}"
        return
    except (ValueError, OSError) as error:
        yield str(error)
        return
    kinds = Counter(one.kind for one in found)
    if not kinds["mutant"]:
        yield f"no mutants: {listed} has no wrong submission"
    if not kinds["alternative"]:
        yield f"no alternatives: tests/alternatives/{stage.key}/ has no right submission of another shape"
    names = {check.name for check in checks}
    for one in found:
        if one.kind == "mutant" and one.caught_by not in names:
            yield f"the mutant {one.name} is to be caught by {one.caught_by!r}, which is no check"
        for name in sorted(set(one.files) - set(stage.files)):
            yield f"the {one.kind} {one.name} has the file {name}, which nobody declared"
