"""Files that look alike: hints on the page of the class alone, found in a time that no text sets."""

import shutil
import time

import pytest

from kit_copy import ROOT
from labkit.classroom import reports
from labkit.classroom.records import Record, Records
from labkit.classroom.rules import Rules
from labkit.classroom.similarity import SOLUTION, alike
from labkit.grading.stages import find

BILL = find("02-memory-and-cost")
SOLVED = (ROOT / "solutions" / BILL.key / "bill.py").read_text(encoding="utf-8")
OTHERS = '''"""Another way."""


def split(text, parts=()):
    while text:
        head, sep, text = text.partition("\\t")
        parts += ((head.strip(), len(sep)),)
    return {name: n for name, n in parts if name.isdigit() or n > 3}


class Table(list):
    def add(self, row, *cells):
        self.append([row, *map(str.upper, cells), sum(map(len, cells)) % 7])
        return self[-1] if len(self) > 12 else None
'''


@pytest.fixture
def paths(tmp_path):
    """Hands in a bill.py for each learner and gives their paths."""

    def write(**bills):
        for learner, text in bills.items():
            own = tmp_path / "class" / learner / BILL.key
            own.mkdir(parents=True)
            (own / "bill.py").write_text(text, encoding="utf-8")
        return {learner: [tmp_path / "class" / learner] for learner in bills}

    return write


def renamed(text):
    """The same code with other names and comments."""
    return "# All my own work.\n" + text.replace("line", "zeile").replace("found", "gefunden")


def test_the_same_with_other_names_is_alike_and_another_is_not(paths):
    hints = alike(paths(ada=SOLVED, eve=renamed(SOLVED), bob=OTHERS), [BILL])
    assert {hint.other for hint in hints["ada"]} == {SOLUTION, "eve"}
    assert {hint.other for hint in hints["eve"]} == {SOLUTION, "ada"}
    assert all(hint.share >= 0.9 for found in hints.values() for hint in found)
    assert "bob" not in hints and SOLUTION not in hints


@pytest.mark.parametrize("key", ["03-concurrency", "07-events-and-iam", "10-trigger"])
def test_right_submissions_of_another_shape_are_not_taken_for_copies(tmp_path, key):
    """Short, right, and each written by itself: what the kit keeps to try its checks with."""
    folder = ROOT / "tests" / "alternatives" / key
    submissions = {}
    for path in folder.iterdir():
        shutil.copytree(path, tmp_path / path.name / key)
        submissions[path.name] = [tmp_path / path.name]
    found = alike(submissions, [find(key)])
    assert [hint for hints in found.values() for hint in hints if hint.other != SOLUTION] == []


def test_a_learner_named_as_the_solution_hides_nothing(paths):
    hints = alike(
        paths(**{SOLUTION.strip("/"): OTHERS, "the solution": OTHERS}, ada=SOLVED), [BILL]
    )
    assert [hint.other for hint in hints["ada"]] == [SOLUTION]


def test_the_page_of_the_class_alone_tells_hints(paths, tmp_path):
    kept, handed_in = Records(tmp_path / "out"), paths(ada=SOLVED, eve=SOLVED)
    for learner in handed_in:
        kept.write(Record(learner, (), {}))
    reports.write_all(kept, [BILL], Rules(), handed_in)
    overview = (kept.out / "index.html").read_text(encoding="utf-8")
    assert "ada and eve" in overview or "eve and ada" in overview
    for page in (kept.out / "pages").iterdir():  # learners may get theirs
        text = page.read_text(encoding="utf-8")
        assert "alike" not in text and not ("ada" in text and "eve" in text)


@pytest.mark.parametrize("sign", "@`*")
def test_a_text_that_lexers_are_slow_with_costs_no_more_than_others(paths, tmp_path, sign):
    """YAML's takes a time that grows with the square of the line: minutes for 100,000 of these signs."""
    stage = find("12-deploy")
    plain = (ROOT / "solutions" / stage.key / "template.yaml").read_bytes()

    def seconds(content):
        own = tmp_path / "class" / "ada" / stage.key
        own.mkdir(parents=True, exist_ok=True)
        (own / "template.yaml").write_bytes(content)
        before = time.process_time()
        alike({"ada": [tmp_path / "class" / "ada"]}, [stage])
        return time.process_time() - before

    seconds(plain)  # what is imported when first used
    assert seconds(sign.encode() * 30_000) < 5 * seconds(plain)
