"""A class of 30, hostile and honest, right and wrong, empty and broken: each gets what it is due.

No hostile submission earns a point, harms an honest one, changes the kit, or outlives the grading. They are
many: here is a sample, `make attacks` grades them all.
"""

import base64
import io
import re
from html.parser import HTMLParser

import pytest
from PIL import Image

import attacks
from kit_copy import KEY, ROOT

pytestmark = [pytest.mark.needs("bwrap"), pytest.mark.timeout(600)]
SAMPLE = attacks.attacks(only_ci=True)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The records of the sample and of the honest submissions, graded together, and the reports' folder."""
    work = tmp_path_factory.mktemp("attacks")
    return attacks.grade(attacks.kit_for_attacks(work / "kit"), SAMPLE, work), work / "out"


@pytest.fixture(scope="module")
def records(graded):
    """The records by learner."""
    return graded[0]


@pytest.mark.parametrize("attack", SAMPLE, ids=lambda attack: attack.name)
def test_an_attack_earns_nothing(records, attack):
    assert attacks.earned(records[attack.learner]) == 0


@pytest.mark.parametrize("attack", SAMPLE, ids=lambda attack: attack.name)
def test_it_gets_a_reason(records, attack):
    record = records[attack.learner]
    (stage,) = record["stages"]
    assert stage["key"] == KEY and not stage["passed"]
    assert stage["fault"] or any(check["seen"] for check in stage["checks"])


@pytest.mark.parametrize("name", attacks.HONEST)
def test_honest_ones_get_what_they_are_due(records, name):
    assert attacks.earned(records[name]) == attacks.HONEST[name]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("picture-with-a-script", 1), ("picture-bomb", 0), ("picture-program", 0)],
)
def test_a_hostile_picture_is_drawn_anew_or_not_at_all(graded, name, shown):
    page = (graded[1] / "pages" / f"{name}.html").read_text(encoding="utf-8")
    assert "<script" not in page
    pictures = re.findall(r'<img src="data:image/webp;base64,([^"]*)" alt="([^"]*)">', page)
    assert len(pictures) == page.count("<img") == shown
    for content, words in pictures:
        assert words.startswith("The picture of &#34;&gt;&lt;script&gt;")
        drawn = base64.b64decode(content, validate=True)
        assert b"script" not in drawn and Image.open(io.BytesIO(drawn)).size == (4, 4)


class Running(HTMLParser):
    """Collects what of a page a browser would run."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        runs = any(
            name.startswith("on") or "script:" in (value or "") for name, value in attributes
        )
        if runs or tag in ("script", "iframe", "object", "embed", "base", "form"):
            self.found.append((tag, attributes))


def test_no_report_runs_anything_or_turns_text_round(graded):
    turns = "[\0\x07\x1b\u200f\u202a-\u202e\u2066-\u2069]"
    pages = [graded[1] / "index.html", *(graded[1] / "pages").iterdir()]
    assert len(pages) == len(SAMPLE) + len(attacks.HONEST) + 1
    for page in pages:
        assert Running(page.read_text(encoding="utf-8")).found == [], page
    for report in graded[1].rglob("*.*"):
        if report.is_file():
            assert not re.search(turns, report.read_text(encoding="utf-8")), report
    assert Running("<p onclick=x><a href='javascript:x'><script>").found != []


def test_the_class_has_thirty(records):
    assert len(records) == len(SAMPLE) + len(attacks.HONEST) >= 30


def test_there_are_many():
    names = [attack.name for attack in attacks.attacks()]
    assert len(set(names)) == len(names) >= 40
    page = (ROOT / "docs" / "instructor.md").read_text(encoding="utf-8")
    assert f"`make attacks` grades {len(names)} hostile submissions" in page


def test_an_attack_that_succeeds_would_earn_points(tmp_path):
    """What the suite rests on: a goal that is reached gives the right answer."""
    kit = attacks.kit_for_attacks(tmp_path / "kit")
    reached = attacks.Attack(
        "reached", "does what it may", goal="boto3.client('sts').get_caller_identity()"
    )
    assert attacks.earned(attacks.grade(kit, [reached], tmp_path)["reached"]) == 3
