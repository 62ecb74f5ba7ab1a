"""Everything that is made from the records: tables, files for other systems, and pages to read.

grades.csv · junit.xml · results.jsonl · gradescope/NAME.json · index.html · pages/NAME.html
"""

import csv
import io
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from ..grading.learner_text import clean
from ..grading.results import CheckResult, StageResult
from ..grading.stages import Stage
from . import class_pages, similarity
from .grade_stage import NOT_HANDED_IN
from .records import Record, Records, write_whole
from .rules import Grade, Rules

# A spreadsheet takes a cell that begins so for a formula; some split at semicolons as well.
_FORMULA = re.compile(r"(^|[;\t\r\n])(?=\s*[=+\-@])")
_COLUMNS = ("days late", "percent off", "earned", "points", "percent", "notes")
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_all(
    kept: Records, stages: list[Stage], rules: Rules, paths: dict[str, list[Path]]
) -> None:
    """Write every report of these stages and of the learners whose submissions lie at `paths`."""
    out = kept.out
    for folder in ("gradescope", "pages"):
        (out / folder).mkdir(exist_ok=True)
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["learner", *(stage.key for stage in stages), *_COLUMNS])
    suites = ElementTree.Element("testsuites", name="class")
    hints = similarity.alike(paths, stages)
    overview = class_pages.Overview(stages, rules)
    with (out / ".results.jsonl.partial").open("w", encoding="utf-8") as lines:
        for record in kept.all(list(paths)):
            grade = rules.grade(record, stages)
            lines.write(json.dumps(record.as_json(), sort_keys=True) + "\n")
            rows.writerow(map(_cell, _row(record, grade)))
            _suites(suites, record, stages)
            write_whole(
                out / "gradescope" / f"{record.learner}.json",
                _gradescope(record, grade, stages, rules),
            )
            page = class_pages.learner(record, grade, stages)
            write_whole(out / "pages" / f"{record.learner}.html", page)
            overview.add(record, grade)
    (out / ".results.jsonl.partial").replace(out / "results.jsonl")
    # Excel takes a table without this mark for one of its system's old encoding, and spoils names.
    write_whole(out / "grades.csv", f"\N{BYTE ORDER MARK}{table.getvalue()}")
    ElementTree.indent(suites)
    write_whole(out / "junit.xml", ElementTree.tostring(suites, encoding="unicode") + "\n")
    write_whole(out / "index.html", overview.page(hints))


def _row(record: Record, grade: Grade) -> list[object]:
    return [
        record.learner, *grade.stages.values(), grade.days_late, grade.late_percent, grade.earned,
        grade.points, grade.percent, record.fault or "; ".join(record.notes),
    ]  # fmt: skip


def _cell(value: object) -> object:
    return _FORMULA.sub(r"\1'", value) if isinstance(value, str) else value


def _suites(parent: ElementTree.Element, record: Record, stages: list[Stage]) -> None:
    for stage in stages:
        result = record.of(stage.key) or absent(record, stage)
        suite = ElementTree.SubElement(
            parent, "testsuite", name=_xml(f"{record.learner}: {stage.key}"),
            tests=str(len(result.checks) or 1),
            failures=str(sum(check.outcome == "failed" for check in result.checks)),
            skipped=str(sum(check.outcome == "not run" for check in result.checks)),
            errors=str(int(bool(result.fault))), time=f"{sum(check.seconds for check in result.checks):.3f}",
        )  # fmt: skip
        for number, each in enumerate(result.checks, 1):
            check = each.for_learners()
            case = ElementTree.SubElement(
                suite, "testcase", classname=_xml(f"{record.learner}.{stage.key}"),
                name=f"hidden_{number}" if check.hidden else check.name,
                time=f"{check.seconds:.3f}",
            )  # fmt: skip
            if check.outcome == "failed":
                words = ElementTree.SubElement(case, "failure", message=_xml(check.seen))
                words.text = _xml(words_of(check))
            elif check.outcome == "not run":
                ElementTree.SubElement(case, "skipped", message=_xml(check.seen))
        if result.fault:
            case = ElementTree.SubElement(
                suite, "testcase", classname=_xml(record.learner), name=stage.key
            )
            ElementTree.SubElement(case, "error", message=_xml(result.fault))


def _gradescope(record: Record, grade: Grade, stages: list[Stage], rules: Rules) -> str:
    """results.json as Gradescope reads it ("Autograder specifications", "Output Format"). Its score counts,
    and not the sum of the tests' scores: `output` says how it differs.
    """
    tests = []
    for stage in stages:
        result, weight = record.of(stage.key) or absent(record, stage), rules.weight(stage)
        for each in result.checks:
            check = each.for_learners()
            tests.append({
                "name": f"{stage.key}: {check.wants}",
                "score": round(weight * check.earned, 2), "max_score": round(weight * check.points, 2),
                "status": "passed" if check.outcome == "passed" else "failed",
                "output": words_of(check),
                "visibility": "after_published" if check.hidden else "visible",
            })  # fmt: skip
        missing = stage.points - result.points
        if missing > 0:
            what = "not handed in" if result.fault == NOT_HANDED_IN else "not graded to the end"
            tests.append({"name": f"{stage.key}: {what}", "score": 0, "max_score": round(weight * missing, 2),
                          "status": "failed", "output": result.fault, "visibility": "visible"})  # fmt: skip
    notes = "\n".join([record.fault, *grade.words, *record.notes]).strip()
    # Learners' own words are among all of these: nothing else than "text" is shown as it stands.
    plain = dict.fromkeys(("output_format", "test_output_format", "test_name_format"), "text")
    value = {"score": grade.earned, "output": notes, **plain, "tests": tests}
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def absent(record: Record, stage: Stage) -> StageResult:
    """What stands for a stage that was not graded."""
    return StageResult(stage.key, stage.title, 0, (), clean(record.fault or "not graded"))


def words_of(check: CheckResult) -> str:
    """A check's words, line by line."""
    words = {name: getattr(check, name) for name in ("tried", "expected", "seen")}
    told = [f"{name}: {value}" for name, value in words.items() if value]
    return "\n".join([*told, *check.log])


def _xml(text: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
