"""The pages of a class as people use them: screens of any width, paper, screen readers, both themes."""

import io

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from labkit.classroom import reports
from labkit.classroom.records import Record, Records
from labkit.classroom.rules import Rules
from labkit.grading import pictures
from labkit.grading.results import CheckResult, StageResult
from labkit.grading.stages import stages

pytestmark = pytest.mark.needs("chromium")
NAMES = ("Ada Lovelace", "Karen Spärck Jones", "M" * 60, "broken upload")
PHONE, SCREEN, PAPER = 390, 1180, 1045  # pixels; paper is A4, lying
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
    for name in NAMES[:-1]:
        kept.write(
            Record(name, results(), {}, notes=("ignored: x: no stage names it",), kit="0.1.0")
        )
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
    heads = page.get_by_role("table", name="4 learners").get_by_role("columnheader")
    texts = heads.all_text_contents()
    assert texts == [
        "learner",
        *(stage.key[:2] for stage in stages()),
        "late",
        "earned",
        "percent",
        "to look at",
    ]
    titles = [head.get_attribute("title") for head in heads.locator("abbr").all()]
    assert titles == [stage.key for stage in stages()]
    page.close()
