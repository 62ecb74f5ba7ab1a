"""The pages of a class as people use them: screens of any width, paper, screen readers, both themes."""

import io
import json
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from labkit.classroom import class_pages, reports
from labkit.classroom.grade_stage import NOT_HANDED_IN
from labkit.classroom.own_account import OwnAccount
from labkit.classroom.records import Record, Records
from labkit.classroom.rules import Rules
from labkit.classroom.similarity import Alike
from labkit.grading import pictures
from labkit.grading.results import CheckResult, StageResult
from labkit.grading.stages import stages

pytestmark = pytest.mark.needs("chromium")
NAMES = ("Ada Lovelace", "Karen Spärck Jones", "M" * 60, "broken upload")
PHONE, SCREEN, PAPER = 390, 1180, 1045  # pixels; paper is A4, lying
FIRST, SECOND, *_ = stages()
WIDE = "document.documentElement.scrollWidth <= innerWidth"
# How many of the numbers of a table stand on more than one line.
BROKEN = """[...document.querySelectorAll("td.number")].filter(cell => {
    const range = document.createRange();
    range.selectNodeContents(cell);
    return new Set([...range.getClientRects()].map(each => each.top)).size > 1;
}).length"""


def results():
    """All stages, with checks of every outcome."""
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(picture, "PNG")
    shown = (("thumbnails/photo.png", pictures.redrawn(picture.getvalue())),)
    words = {
        "tried": "invoked it",
        "expected": "a thumbnail",
        "seen": "w" * 300,
        "log": ("x" * 240,),
    }
    checks = (
        CheckResult("check_a", "It makes a thumbnail.", "1 · One", "passed", 3, pictures=shown),
        CheckResult("check_b", "It keeps the proportions.", "2 · Two", "failed", 7, **words),
        CheckResult("check_c", "It skips others.", "3 · Three", "not run", 2, seen="first comes another"),
    )  # fmt: skip
    return tuple(StageResult(stage.key, stage.title, 1, checks, "") for stage in stages())


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The folder of the reports."""
    kept = Records(tmp_path_factory.mktemp("reports"))
    for name, minutes in zip(NAMES[:-1], (20.0, 40.0, 3000.0), strict=True):
        accounts = {
            FIRST.key: OwnAccount(7, 2, False, minutes),
            SECOND.key: OwnAccount(9, 3, True, None),
        }
        notes = ("ignored: x: no stage names it",)
        kept.write(Record(name, results(), {}, notes, kit="0.1.0", accounts=accounts))
    kept.write(Record(NAMES[-1], (), {}, fault="it can't be read: File is not a zip file"))
    reports.write_all(
        kept, list(stages()), Rules(), {name: [kept.out / "nowhere"] for name in NAMES}
    )
    return kept.out


def pages(out):
    return [
        out / "index.html",
        out / "pages" / f"{NAMES[0]}.html",
        out / "pages" / f"{NAMES[-1]}.html",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault(out, browser, scheme):
    # axe is a script, and the pages' policy lets none run.
    with browser.new_context(color_scheme=scheme, bypass_csp=True) as context:
        page = context.new_page()
        for path in pages(out):
            page.goto(path.as_uri())
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert len(found.response["passes"]) >= 20


@pytest.mark.parametrize(
    ("width", "media"), [(PHONE, "screen"), (SCREEN, "screen"), (PAPER, "print")]
)
def test_nothing_is_cut_off_or_torn(out, browser, width, media):
    with browser.new_context(viewport={"width": width, "height": 900}) as context:
        page = context.new_page()
        page.emulate_media(media=media)
        for path in pages(out):
            page.goto(path.as_uri())
            assert page.evaluate(WIDE) and page.evaluate(BROKEN) == 0, path.name


def test_the_table_of_the_class_names_its_stages(out, browser):
    page = browser.new_page()
    page.goto((out / "index.html").as_uri())
    heads = page.get_by_role("table", name="Grades", exact=True).get_by_role("columnheader")
    points = sum(stage.points for stage in stages())
    assert heads.all_text_contents() == [
        "learner",
        *(f"{stage.key[:2]} of {stage.points}" for stage in stages()),
        f"earned of {points}",
        "percent",
        "to look at",
    ]
    titles = [head.get_attribute("title") for head in heads.locator("abbr").all()]
    assert titles == [stage.key for stage in stages()]
    page.close()


def cells(page, table, row):
    """The texts of a row's cells, by their column's heading."""
    found = page.get_by_role("table", name=table)
    heads = found.get_by_role("columnheader").all_text_contents()
    texts = found.get_by_role("row").filter(has_text=row).get_by_role("cell").all_text_contents()
    return dict(zip(heads[1:], texts, strict=True))


def test_both_pages_tell_how_long_learners_took(out, browser):
    page = browser.new_page()
    page.goto((out / "index.html").as_uri())
    row = cells(page, "Stage by stage", FIRST.key)
    assert (row["time to solvemedian"], row["middle half"]) == ("40 min", "30 min – 1 d 1 h")
    assert row["told by"] == "3 of 4"
    assert cells(page, "Stage by stage", SECOND.key)["told by"] == "0 of 4"  # begun, and not solved
    assert "it proves nothing" in page.get_by_role("main").text_content()
    page.goto((out / "pages" / f"{NAMES[0]}.html").as_uri())
    row = cells(page, "Stages", FIRST.key)
    assert [row[each] for each in ("time to solve", "check runs", "hints", "solution")] == [
        "20 min",
        "7",
        "2",
        "",
    ]
    row = cells(page, "Stages", SECOND.key)
    assert (row["time to solve"], row["solution"]) == ("–", "was shown")
    assert "They prove nothing" in page.get_by_role("main").text_content()
    page.close()


def test_a_reason_is_told_once_for_checks_in_a_row(tmp_path, browser):
    reason = "Not run: first comes another"
    checks = [
        CheckResult(f"check_{n}", f"Wish {n}.", "", "not run", 1, seen=reason) for n in range(3)
    ]
    write(tmp_path, Record("ada", (StageResult(FIRST.key, "", 1, tuple(checks)),)))
    page = (tmp_path / "pages" / "ada.html").read_text(encoding="utf-8")
    assert page.count(reason) == 1 and page.count("Wish") == 3


def write(out, record, rules=None):
    """The reports of two stages and one learner."""
    kept = Records(out)
    kept.write(record)
    reports.write_all(kept, [FIRST, SECOND], rules or Rules(), {record.learner: [out / "nowhere"]})


def test_what_was_not_handed_in_is_told_apart_from_what_went_wrong(tmp_path):
    faults = (NOT_HANDED_IN, "stopped: it took more than 240 s")
    parts = [
        StageResult(stage.key, "", 1, (), fault)
        for stage, fault in zip((FIRST, SECOND), faults, strict=True)
    ]
    write(tmp_path, Record("ada", tuple(parts)))
    overview = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "not graded to the end: 02 · not handed in: 01" in overview
    failed = CheckResult("check_a", "It works.", "", "failed", 1)
    results = (StageResult(FIRST.key, "", 1, (failed,)), parts[1])
    write(tmp_path, Record("ada", results, untouched=(FIRST.key,)))
    assert "the starter as it was: 01" in (tmp_path / "index.html").read_text(encoding="utf-8")
    page = (tmp_path / "pages" / "ada.html").read_text(encoding="utf-8")
    assert page.count("This is the starter as it was") == 1
    write(tmp_path, Record("ada", (parts[0], StageResult(SECOND.key, "", 1, (), NOT_HANDED_IN))))
    assert "not handed in: all of it" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_what_the_rules_did_is_told_to_the_learner(tmp_path):
    moment = datetime(2026, 12, 1, 12, tzinfo=UTC)
    rules = Rules("stages", moment, 0, 10, 50, {FIRST.key: 2})
    check = CheckResult("check_a", "It works.", "", "passed", FIRST.points)
    half = (
        CheckResult("check_b", "It works.", "", "passed", 1),
        CheckResult("check_c", "It works.", "", "failed", SECOND.points - 1),
    )
    parts = (StageResult(FIRST.key, "", 1, (check,)), StageResult(SECOND.key, "", 1, half))
    write(tmp_path, Record("ada", parts, submitted="2026-12-02T13:00:00+00:00"), rules)
    told = json.loads((tmp_path / "gradescope" / "ada.json").read_text(encoding="utf-8"))
    assert told["score"] == 2 * FIRST.points * 0.8
    possible = 2 * FIRST.points + SECOND.points  # what the tests' own points add up to as well
    assert sum(test["max_score"] for test in told["tests"]) == possible
    assert told["output"].splitlines() == [
        "Handed in 2026-12-02 13:00 UTC, as its file says; the deadline was 2026-12-01 12:00 UTC: "
        "2 days late, so that 20 % of all points are taken off.",
        "A stage counts only when all its checks pass.",
        f"The points of {FIRST.key} count 2 times.",
    ]  # fmt: skip
    page = (tmp_path / "pages" / "ada.html").read_text(encoding="utf-8")
    assert all(sentence in page for sentence in told["output"].splitlines())
    assert f"{2 * FIRST.points} of {2 * FIRST.points} points" in page
    assert f"0 of {SECOND.points} points" in page
    overview = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "Deadline 2026-12-01 12:00 UTC: 1 late." in overview


def test_files_that_look_alike_stand_together_for_each_pair(out):
    hints = {
        "ada": [
            Alike("ada", "eve", "x.py", 0.9),
            Alike("ada", "eve", "y.py", 0.8),
            Alike("ada", "bob", "x.py", 1.0),
        ],
        "eve": [Alike("eve", "ada", "x.py", 0.9)],
    }
    page = class_pages.Overview(list(stages()), Rules()).page(hints)
    alike = page.partition('aria-labelledby="alike"')[2]
    assert alike.index("ada and eve") < alike.index("ada and bob")  # more of their files
    assert alike.count("ada and eve") == 1 and alike.count("90 %") == 1
