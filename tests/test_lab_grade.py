"""`lab grade`: a small class is graded, each submission apart, and what came of it is reported."""

import csv
import json
import shutil
import xml.etree.ElementTree as ElementTree
import zipfile
from urllib.parse import quote

import pytest

from deployment import wait_for
from kit_copy import KEY, copy_kit
from labkit.classroom.records import Record
from labkit.classroom.rules import BadRules, Rules, read, unknown_learners
from labkit.grading.results import CheckResult, StageResult
from labkit.grading.stages import Stage
from processes import gone, running

pytestmark = [pytest.mark.needs("bwrap"), pytest.mark.timeout(600)]
LIMIT_S = 400
HTML = "<img src=x onerror=document.title='attacked'>"
WRONG = """def handler(event, context):
    print("</pre><script>document.title = 'attacked'</script>")
    raise ValueError("<script>document.title = 'attacked'</script>")
"""
RULES = """
[late]
deadline = 2026-12-01T12:00:00Z
grace_minutes = 10
percent_per_day = 10
at_most_percent = 50
[submitted]
right = 2026-12-01T12:05:00Z
half = 2026-12-02T13:00:00Z
hulf = 2026-12-02T13:00:00Z
"""


def write(folder, name, app=None, notes=None):
    own = folder / name / "lab" / KEY
    own.mkdir(parents=True)
    if app is not None:
        (own / "app.py").write_text(app)
    if notes is not None:
        (own / "notes.txt").write_text(notes)


def results(out):
    lines = (out / "results.jsonl").read_text(encoding="utf-8").splitlines()
    return {record["learner"]: record for record in map(json.loads, lines)}


def graded_of(out):
    """How many learners have a stage's checks by now."""
    return sum('"checks": [\n' in path.read_text() for path in out.glob("learners/*.json"))


def timeless(out):
    """All results without their times."""
    found = results(out)
    for record in found.values():
        record.pop("graded")
        for stage in record["stages"]:
            for check in stage["checks"]:
                check.pop("seconds")
    return json.dumps(found, indent=1)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A copy of the kit, its class, and where the results are, graded once."""
    tmp_path = tmp_path_factory.mktemp("class")
    kit = copy_kit(tmp_path / "kit", "http://127.0.0.1:9")
    solution = (kit.folder / "solutions" / KEY / "app.py").read_text()
    folder, out = tmp_path / "submissions", tmp_path / "results"
    write(folder, "right", solution, "mine\n")
    write(folder, "half", solution.replace("no name", "nobody"), "nothing")
    write(folder, HTML, WRONG)
    (folder / "empty").mkdir()
    (folder / "broken.zip").write_bytes(b"no zip")
    with zipfile.ZipFile(folder / "zipped.zip", "w") as archive:
        archive.writestr(f"lab/{KEY}/app.py", solution)
        archive.writestr("conftest.py", "raise SystemExit(0)")
    (tmp_path / "rules.toml").write_text(RULES)
    rules = ("--rules", str(tmp_path / "rules.toml"))
    done = kit.lab("grade", str(folder), "--out", str(out), "--seed", "7", *rules, limit_s=LIMIT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[submitted] names 'hulf', and there is no submission of that name" in done.stdout
    assert "broken gets no points: it can't be read: File is not a zip file" in done.stdout
    return kit, folder, out


def test_each_gets_what_is_due(graded):
    _, _, out = graded
    # Excel takes it for UTF-8 by the mark at its beginning.
    assert (out / "grades.csv").read_bytes().startswith(b"\xef\xbb\xbflearner,")
    with (out / "grades.csv").open(newline="", encoding="utf-8-sig") as table:
        rows = {row["learner"]: row for row in csv.DictReader(table)}
    points = {name: (row[KEY], row["days late"], row["earned"]) for name, row in rows.items()}
    assert points == {
        HTML: ("0", "0", "0.0"), "broken": ("0", "0", "0.0"), "empty": ("0", "0", "0.0"),
        "half": ("2", "2", "1.6"), "right": ("4", "0", "4.0"), "zipped": ("3", "0", "3.0"),
    }  # fmt: skip
    assert "can't be read: File is not a zip file" in rows["broken"]["notes"]
    assert "ignored: conftest.py: no stage names it" in rows["zipped"]["notes"]
    (stage,) = results(out)["empty"]["stages"]
    assert (stage["fault"], stage["passed"]) == ("nothing was handed in", False)


def test_other_systems_read_the_same(graded):
    _, _, out = graded
    suites = ElementTree.parse(out / "junit.xml").getroot()
    found = {suite.get("name"): suite for suite in suites}
    assert found[f"right: {KEY}"].get("failures") == "0" == found[f"right: {KEY}"].get("errors")
    assert found[f"half: {KEY}"].get("failures") == "2"
    assert found[f"empty: {KEY}"].get("errors") == "1"
    half = json.loads((out / "gradescope" / "half.json").read_text())
    assert half["score"] == 1.6 and sum(test["max_score"] for test in half["tests"]) == 4
    assert [(test["score"], test["status"]) for test in half["tests"]] == [
        (2, "passed"), (0, "failed"), (0, "failed"),
    ]  # fmt: skip
    empty = json.loads((out / "gradescope" / "empty.json").read_text())
    assert empty["score"] == 0 and empty["tests"][0]["output"] == "nothing was handed in"
    assert empty["tests"][0]["name"] == f"{KEY}: not handed in"
    late = "2 days late, so that 20 % of all points are taken off."
    deadline = "the deadline was 2026-12-01 12:00 UTC, with 10 minutes of grace"
    assert half["output"].endswith(f"{deadline}: {late}")
    right = json.loads((out / "gradescope" / "right.json").read_text())
    assert right["output"] == f"Handed in 2026-12-01 12:05 UTC; {deadline}: in time."
    assert "as its file says" not in half["output"]  # the rules say when
    formats = ("output_format", "test_output_format", "test_name_format")
    assert {half[each] for each in formats} == {
        "text"
    }  # HTML in a learner's words is shown, not run


def test_what_is_graded_is_not_graded_again_and_a_regrade_says_the_same(graded, tmp_path):
    kit, folder, out = graded
    before = timeless(out)
    said = kit.lab("grade", str(folder), "--out", str(out), limit_s=LIMIT_S)
    assert "6 submissions, 5 stages as before, 0 graded" in said.stdout, said.stdout
    assert timeless(out) == before
    said = kit.lab("grade", str(folder), "--out", str(out), "--again", limit_s=LIMIT_S)
    assert "0 stages as before, 4 graded, 0 the same as another's." in said.stdout
    assert timeless(out) == before


def test_a_changed_submission_alone_is_graded_again(graded, tmp_path):
    kit, folder, out = graded
    shutil.copytree(folder, tmp_path / "class")
    shutil.copytree(out, tmp_path / "out")
    (tmp_path / "class" / "half" / "lab" / KEY / "notes.txt").write_text("mine")
    said = kit.lab(
        "grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"), limit_s=LIMIT_S
    )
    assert "4 stages as before, 1 graded" in said.stdout
    (stage,) = results(tmp_path / "out")["half"]["stages"]
    assert stage["earned"] == 3


@pytest.mark.needs("chromium")
def test_the_pages_can_be_read_and_run_nothing(graded, browser):
    _, _, out = graded
    page = browser.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((out / "index.html").as_uri())
    assert page.title() == "The class"
    rows = page.get_by_role("table", name="Grades", exact=True).get_by_role("row")
    assert rows.count() == 7
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    link = page.get_by_role("link", name=HTML)
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{quote(HTML)}.html")
    assert page.title() == HTML
    assert page.get_by_role("heading", level=1).text_content() == HTML
    words = page.get_by_role("main").text_content()
    assert "ValueError: <script>document.title = 'attacked'</script>" in words
    assert page.locator("script, img, iframe").count() == 0
    page.get_by_role("link", name="The class").click()
    page.get_by_role("link", name="right").click()
    assert page.get_by_role("listitem").filter(has_text="passed").count() == 3
    assert page.evaluate("document.documentElement.lang") == "en"
    assert all(url.startswith("file:") for url in asked)
    assert len(page.pdf()) > 1000
    page.close()


def test_an_interrupted_grading_leaves_nothing_and_goes_on(graded, tmp_path):
    kit, folder, _ = graded
    command = (
        "grade",
        str(folder),
        "--out",
        str(tmp_path / "out"),
        "--seed",
        "7",
        "--processes",
        "1",
    )
    with running(*command, PYTHONPATH=str(kit.folder / "src")) as grading:
        wait_for(lambda: graded_of(tmp_path / "out"), LIMIT_S)
        below = wait_for(lambda: grading.family()[1:], LIMIT_S)
        assert grading.interrupt() == 130
        assert "the same command goes on from there" in "\n".join(grading.lines)
    wait_for(lambda: gone(below), LIMIT_S)
    before = graded_of(tmp_path / "out")
    assert 0 < before < 4
    done = kit.lab(*command, limit_s=LIMIT_S)
    assert done.returncode == 0 and len(results(tmp_path / "out")) == 6
    assert f"{before + 1} stages as before, {4 - before} graded" in done.stdout  # and the empty one
    assert graded_of(tmp_path / "out") == 4


def test_strangers_are_not_graded_without_bubblewrap(graded, tmp_path):
    kit, folder, _ = graded
    done = kit.lab(
        "grade", str(folder), "--out", str(tmp_path / "out"), PATH="/nowhere", limit_s=LIMIT_S
    )
    assert done.returncode == 2
    assert "can't be graded safely here: bubblewrap is not installed" in done.stdout
    assert "--trusted" in done.stdout and not (tmp_path / "out" / "grades.csv").exists()


def test_who_trusts_a_class_grades_it_anyway(graded, tmp_path):
    kit, folder, _ = graded
    write(
        tmp_path / "class", "ada", (kit.folder / "solutions" / KEY / "app.py").read_text(), "mine"
    )
    done = kit.lab("grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"), "--trusted",
                   LOCALCLOUD_ISOLATION="plain", PATH="/nowhere", limit_s=LIMIT_S)  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert results(tmp_path / "out")["ada"]["stages"][0]["earned"] == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--stage", "99"], "There is no stage '99'"),
        (["--rules", "nowhere.toml"], "No such file"),
    ],
)
def test_what_can_not_begin_says_why(graded, tmp_path, arguments, words):
    kit, folder, _ = graded
    done = kit.lab(
        "grade", str(folder), "--out", str(tmp_path / "out"), *arguments, limit_s=LIMIT_S
    )
    assert done.returncode == 2 and words in done.stdout


def test_a_folder_without_submissions_is_refused(graded, tmp_path):
    kit, _, _ = graded
    done = kit.lab("grade", str(tmp_path), "--out", str(tmp_path / "out"), limit_s=LIMIT_S)
    assert done.returncode == 2 and "holds neither folders nor zips" in done.stdout


def record(submitted="", *outcomes):
    checks = tuple(CheckResult(f"c{n}", "", "", each, 2) for n, each in enumerate(outcomes))
    return Record("ada", (StageResult("01-a", "A", 1, checks),), submitted=submitted)


STAGE = Stage("01-a", "A", "", 1, 4, (), ())


@pytest.mark.parametrize(
    ("text", "submitted", "earned", "days"),
    [
        ("", "2027-01-01T00:00:00+00:00", 2, 0),
        ('partial = "stages"', "", 0, 0),
        ('[weights]\n"01-a" = 3', "", 6, 0),
        (RULES, "2026-12-01T12:10:00+00:00", 2, 0),
        (RULES, "2026-12-01T12:10:01+00:00", 1.8, 1),
        (RULES, "2026-12-03T12:10:00+00:00", 1.6, 2),
        (RULES, "2026-12-31T12:00:00+00:00", 1, 30),
    ],
)
def test_rules_make_grades(tmp_path, text, submitted, earned, days):
    (tmp_path / "rules.toml").write_text(text)
    rules = read(tmp_path / "rules.toml", ["01-a"])
    grade = rules.grade(record(submitted, "passed", "failed"), [STAGE])
    assert (grade.earned, grade.days_late) == (earned, days)


def test_weights_give_numbers_that_can_stand_in_a_table():
    grade = Rules(weights={"01-a": 0.05}).grade(record("", *["passed"] * 3), [STAGE])
    assert grade.stages == {"01-a": 0.3} and 6 * 0.05 != 0.3


def test_without_rules_every_check_counts():
    assert Rules().grade(record("", "passed", "passed"), [STAGE]).percent == 100


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("partial = 'some'", "partial is"),
        ("[weights]\n'02-b' = 1", r"no '02-b' under \[weights\].*What can stand there: 01-a"),
        ("[weights]\n'01' = 1", "Do you mean '01-a'?"),
        ("[late]\npercent_a_day = 1", r"under \[late\]. Do you mean 'percent_per_day'?"),
        ("Late = 1", "no 'Late' at the top. Do you mean 'late'?"),
        (
            "[late]\npercent_per_day = -1",
            r"percent_per_day under \[late\] must be a number of at least 0",
        ),
        ("[late]\npercent_per_day = 10", "nobody would be late: add deadline = 2026"),
        ("[late]\ndeadline = 2026-12-01T23:59:00", "in which time zone. Add Z for UTC"),
        ("[submitted]\nada = 2026-12-01T23:59:00", "ada = 2026-12-01T23:59:00 does not say"),
        ("[submitted]\nada = '2026-12-01T23:59:00Z'", "without quotes, not '2026"),
        (
            "[submitted]\nAda Lovelace = 5",
            'stands in quotes, as "Ada Lovelace" does. A time is written 2026',
        ),
        ("[submitted]\nada.l = 2026-12-01T23:59:00Z", "not a table. .*stands in quotes"),
        ("[late]\ndeadline = 5", "must be a time"),
        ("[late]\nat_most_percent = 150", "must be 100 at most, not 150"),
        (
            "[weights]\n'01-a' = nan",
            r"01-a under \[weights\] must be a number of at least 0, not nan",
        ),
        ("late = 10", r"late must be a table, which begins with \[late\], not 10"),
        ("[[submitted]]\nada = 5", "submitted must be a table"),
        ("weights = 'none'", "weights must be a table"),
        ("[submitted]\nada = 2026-12-01", "ada must be a time such as 2026-12-01T23:59:00Z"),
        ("= 5", r"rules.toml: Invalid statement \(at line 1"),
    ],
)
def test_bad_rules_are_refused(tmp_path, text, words):
    (tmp_path / "rules.toml").write_text(text)
    with pytest.raises(BadRules, match=words):
        read(tmp_path / "rules.toml", ["01-a"])


def test_rules_of_any_editor_are_read_or_told_how_to_save_them(tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text("partial = 'stages'", encoding="utf-8-sig")
    assert read(path, []).partial == "stages"
    path.write_text("partial = 'stages'", encoding="utf-16")
    with pytest.raises(BadRules, match="save it as UTF-8"):
        read(path, [])


def test_a_learner_who_handed_in_nothing_is_told_of(tmp_path):
    (tmp_path / "rules.toml").write_text(
        "[submitted]\nAda = 2026-12-01T23:59:00Z\neve = 2026-12-01T23:59:00Z"
    )
    rules = read(tmp_path / "rules.toml", [])
    (words,) = unknown_learners(rules, ["ada", "eve"])
    assert "names 'Ada'" in words and "Do you mean 'ada'?" in words
