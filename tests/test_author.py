"""`lab author`: a new stage's places, and what is refused before learners get it."""

import json
import re
import tomllib

import nbformat
import pytest

from kit_copy import CHECKS, KEY, STAGES, copy_kit
from labkit import notebooks

NEW = "14-work-queues"

pytestmark = pytest.mark.usefixtures("local_cloud")


def pretend_executed(path):
    """Give the notebook what an execution leaves; running it takes a Jupyter kernel and a cloud."""
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        cell.execution_count = number
    nbformat.write(notebook, path)


@pytest.fixture
def fit(kit):
    """The copy, with all that its stage, the greeting, lacks of a notebook and of proofs."""
    kit.lab("author", NEW, code=0)
    made = kit.folder / "notebooks" / f"{NEW}.ipynb"
    notebook = nbformat.read(made, as_version=4)
    for heading in ("1 · Greeting", "2 · Without a name", "3 · Notes"):
        notebook.cells.append(nbformat.v4.new_markdown_cell(f"## {heading}"))
    notebooks.normalise(notebook)
    nbformat.write(notebook, kit.folder / "notebooks" / f"{KEY}.ipynb")
    pretend_executed(kit.folder / "notebooks" / f"{KEY}.ipynb")
    (kit.folder / "checks" / "stages.toml").write_text(STAGES)
    alternative = kit.folder / "tests" / "alternatives" / KEY / "other-words"
    alternative.mkdir(parents=True)
    (alternative / "notes.txt").write_text("all mine\n")
    mutant = {
        "name": "silent", "what": "It greets nobody.", "caught_by": "check_greets", "file": "app.py",
        "replace": "Hello, {event['name']}!", "with": "Hello!",
    }  # fmt: skip
    (kit.folder / "tests" / "mutants" / f"{KEY}.toml").write_text(toml_of(mutant))
    return kit


def toml_of(mutant):
    return "[[mutant]]\n" + "".join(
        f"{name} = {json.dumps(value)}\n" for name, value in mutant.items()
    )


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_new_stage_has_its_places(kit):
    done = kit.lab("author", NEW, code=0)
    listed = [line.strip() for line in done.stdout.splitlines() if line.startswith("  ")]
    assert listed and all((kit.folder / name).is_file() for name in listed)
    for place in ("solutions/", "lab/", "checks/check_14_work_queues.py", "notebooks/"):
        assert any(name.startswith(place) for name in listed)
    entries = tomllib.loads((kit.folder / "checks" / "stages.toml").read_text())["stage"]
    assert [entry["key"] for entry in entries] == [NEW, KEY]
    assert "raise" not in (kit.folder / "lab" / NEW / "app.py").read_text()
    notebook = nbformat.read(kit.folder / "notebooks" / f"{NEW}.ipynb", as_version=4)
    nbformat.validate(notebook)


def test_a_new_stage_says_what_is_to_be_filled_in_and_is_fit_then(kit):
    kit.lab("author", NEW, code=0)
    done = kit.lab("author", "check", "14", code=1)
    faults = [line for line in done.stdout.splitlines() if line.startswith("✗")]
    assert [re.search(r"goal|hint \d|never executed", fault)[0] for fault in faults] == [
        "goal", "hint 1", "hint 2", "hint 3", "never executed",
    ]  # fmt: skip
    assert "5 things to mend" in done.stdout
    stages = kit.folder / "checks" / "stages.toml"
    change(stages, 'hints = ["", "", ""]', 'hints = ["Who?", "See part 3.", "An f-string."]')
    change(stages, 'goal = ""', 'goal = "Greet."')
    pretend_executed(kit.folder / "notebooks" / f"{NEW}.ipynb")
    done = kit.lab("author", "check", "14", code=0)
    for one in ("starter: untouched lab/", "solution: solution", "alternative: format", "mutant: "):
        assert one in done.stdout
    assert "1 stage is fit for learners." in done.stdout


def test_the_skeleton_notebook_runs(kit):
    kit.lab("author", NEW, code=0)
    path = kit.folder / "notebooks" / f"{NEW}.ipynb"
    kit.python("-m", "labkit.notebooks", str(path), code=0)
    assert notebooks.faults(nbformat.read(path, as_version=4)) == []
    assert "guess Hello   seen Hello, Ada!" in path.read_text()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (KEY, "There is a stage 50-greeting already."),
        ("50-other", "has this number or this word"),
        ("14-greeting", "has this number or this word"),
        ("14-Queues", "is no key"),
        ("14-../../x", "is no key"),
        ("queues", "is no key"),
    ],
)
def test_a_key_that_cannot_be_taken_is_refused(kit, key, words):
    before = sorted(kit.folder.rglob("*"))
    done = kit.lab("author", key, code=2)
    assert words in done.stdout and "Traceback" not in done.stderr
    assert sorted(kit.folder.rglob("*")) == before


def test_nothing_is_overwritten(kit):
    mine = kit.folder / "solutions" / NEW / "app.py"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    done = kit.lab("author", NEW, code=2)
    assert f"this is there already: solutions/{NEW}/app.py" in done.stdout
    assert mine.read_text() == "mine"
    assert not (kit.folder / "lab" / NEW).exists()


def test_an_unknown_stage_is_refused(kit):
    assert "There is no stage '77'" in kit.lab("author", "check", "77", code=2).stdout


def test_a_broken_list_of_stages_is_said(kit):
    stages = kit.folder / "checks" / "stages.toml"
    stages.write_text(STAGES.replace("points = 4\n", ""))
    assert "a stage lacks 'points'" in kit.lab("author", "check", code=2).stdout
    stages.write_text("[[stage]\n")
    assert "is no TOML" in kit.lab("author", "check", code=2).stdout


def no_hint(folder):
    change(folder / "checks" / "stages.toml", '"See section 1."', '" "')


def two_hints(folder):
    change(folder / "checks" / "stages.toml", '"See section 1.", ', "")


def same_hints(folder):
    change(folder / "checks" / "stages.toml", '"See section 1."', '"Who is it?"')


def more_points(folder):
    change(folder / "checks" / "stages.toml", "points = 4", "points = 5")


def no_topic(folder):
    change(folder / "checks" / "stages.toml", ', "check_notes"]', "]")


def no_such_check(folder):
    change(folder / "checks" / "stages.toml", '"check_notes"]', '"check_notes", "check_x"]')


def no_docstring(folder):
    change(
        folder / "checks" / "check_50_greeting.py",
        '    """An event without a name gets an error that says so."""\n',
        "",
    )


def no_mark(folder):
    change(
        folder / "checks" / "check_50_greeting.py",
        '@pytest.mark.check(points=1, section="3 · Notes")\n',
        "",
    )


def needs_what_comes_later(folder):
    change(folder / "checks" / "check_50_greeting.py", '("check_greets",)', '("check_notes",)')


def broken_checks(folder):
    (folder / "checks" / "check_50_greeting.py").write_text(
        "import nothing_of_this_name\n" + CHECKS
    )


def no_heading(folder):
    change(folder / "notebooks" / f"{KEY}.ipynb", "3 · Notes", "3 · Nothing")


def no_notebook(folder):
    (folder / "notebooks" / f"{KEY}.ipynb").unlink()


def not_executed(folder):
    path = folder / "notebooks" / f"{KEY}.ipynb"
    path.write_text(re.sub(r'"execution_count": \d+', '"execution_count": null', path.read_text()))


def undeclared_file(folder):
    (folder / "solutions" / KEY / "more.py").write_text("")


def undeclared_alternative(folder):
    (folder / "tests" / "alternatives" / KEY / "other-words" / "more.py").write_text("")


def no_mutants(folder):
    (folder / "tests" / "mutants" / f"{KEY}.toml").unlink()


def no_alternatives(folder):
    (folder / "tests" / "alternatives" / KEY / "other-words" / "notes.txt").unlink()
    (folder / "tests" / "alternatives" / KEY / "other-words").rmdir()


def mutant_of_nothing(folder):
    change(folder / "tests" / "mutants" / f"{KEY}.toml", "Hello, {", "Good evening, {")


def mutant_caught_by_nothing(folder):
    change(folder / "tests" / "mutants" / f"{KEY}.toml", '"check_greets"', '"check_all"')


def open_mark(folder):
    change(folder / "solutions" / KEY / "app.py", "    # <<<\n    return", "    return")


# Each group is damage that can be seen at once.
GROUPS = {
    "some": {
        no_hint: "hint 2 of the topic 'Greet' is empty",
        more_points: "the checks have 4 points together, and `points` says 5",
        no_such_check: "a topic names check_x",
        no_docstring: "check_without_a_name has no docstring",
        needs_what_comes_later: "needs check_notes, which does not come before it",
        no_heading: "has no heading '3 · Notes'",
        undeclared_file: "more.py is a file nobody declared",
        undeclared_alternative: "the alternative other-words has the file more.py, which nobody declared",
        mutant_caught_by_nothing: "is to be caught by 'check_all', which is no check",
    },
    "nothing": {
        same_hints: "hint 2 of the topic 'Greet' is one of those before it",
        no_topic: "check_notes is in no topic",
        no_mark: "check_notes needs the mark",
        not_executed: "was never executed",
        no_mutants: "no mutants",
        no_alternatives: "no alternatives",
    },
    "broken": {
        two_hints: "has 2 hints, not 3",
        broken_checks: "can't be read: ModuleNotFoundError: No module named 'nothing_of_this_name'",
        no_notebook: f"notebooks/{KEY}.ipynb is missing",
        mutant_of_nothing: "its `replace` is there 0 times",
        open_mark: "is never closed",
    },
}


@pytest.mark.parametrize("group", GROUPS)
def test_what_reading_shows_is_refused(fit, group):
    for damage in GROUPS[group]:
        damage(fit.folder)
    done = fit.lab("author", "check", KEY, "--quick", code=1)
    assert [words for words in GROUPS[group].values() if words not in done.stdout] == []
    assert "Traceback" not in done.stderr
    assert "were graded" not in done.stdout


def test_what_grading_shows_is_refused(fit):
    solution = fit.folder / "solutions" / KEY
    change(
        solution / "app.py",
        "    #| greeting = None\n",
        "    #| greeting = f\"Hello, {event.get('name')}!\"\n",
    )
    (solution / "starter" / "notes.txt").write_text("mine")
    (solution / "notes.txt").write_text("nobody's\n")
    mutants = fit.folder / "tests" / "mutants" / f"{KEY}.toml"
    change(mutants, '"Hello!"', "\"Hello, {str(event['name'])}!\"")
    (fit.folder / "tests" / "alternatives" / KEY / "other-words" / "notes.txt").write_text("?")
    done = fit.lab("author", "check", KEY, code=1)
    assert f"✗ {KEY}, starter untouched lab/: it has points" in done.stdout
    assert f"✗ {KEY}, solution solution: check_notes is failed" in done.stdout
    assert f"✗ {KEY}, alternative other-words: check_notes is failed" in done.stdout
    assert f"✗ {KEY}, mutant silent: check_greets did not fail" in done.stdout
    assert "4 submissions were graded." in done.stdout
    assert "4 things to mend." in done.stdout


def test_a_check_is_one_function_and_one_line(fit):
    checks = fit.folder / "checks" / "check_50_greeting.py"
    checks.write_text(
        checks.read_text() + '\n\n@pytest.mark.check(points=1, section="3 · Notes")\n'
        "def check_more(workspace):\n"
        '    """The file notes.txt is short."""\n'
        '    text = workspace.text("notes.txt")\n'
        '    expect(len(text) < 8, tried="read notes.txt", expected="few words", seen=text)\n'
    )
    stages = fit.folder / "checks" / "stages.toml"
    change(stages, '"check_notes"]', '"check_notes", "check_more"]')
    change(stages, "points = 4", "points = 5")
    done = fit.lab("author", "check", KEY, "--quick", code=0)
    assert re.search(r"starter: untouched lab/ +0/5", done.stdout)
    assert re.search(r"solution: solution +5/5", done.stdout)


def test_one_broken_stage_leaves_the_others_checked(tmp_path, local_cloud):
    kit = copy_kit(tmp_path / "kit", local_cloud.endpoint_url)
    kit.lab("author", NEW, code=0)
    (kit.folder / "checks" / "check_14_work_queues.py").write_text("nothing\n")
    done = kit.lab("author", "check", "--quick", code=1)
    assert f"✗ {NEW}: check_14_work_queues.py can't be read: NameError" in done.stdout
    assert f"✗ {KEY}: notebooks/{KEY}.ipynb is missing" in done.stdout
