"""checks/stages.toml fits the checks, the notebooks, the solutions and lab/."""

import json
import os
import re
import subprocess
import sys

import pytest

from labkit import author, project
from labkit.grading.stages import UnknownStage, find, stages

each = pytest.mark.parametrize("stage", stages(), ids=lambda stage: stage.key)


@pytest.fixture(scope="module")
def checks(tmp_path_factory):
    """The marks of all checks, as pytest collects them: stage key -> {name: (mark, docstring)}."""
    plugin = tmp_path_factory.mktemp("plugin")
    (plugin / "collected.py").write_text(
        "import json, sys\n"
        "def pytest_collection_finish(session):\n"
        "    found = [(item.path.stem, item.name, item.get_closest_marker('check').kwargs,\n"
        "              item.function.__doc__) for item in session.items]\n"
        "    print('COLLECTED', json.dumps(found), file=sys.__stdout__)\n"
    )
    modules = [str(stage.checks) for stage in stages()]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "collected", *modules]
    done = subprocess.run(
        command, cwd=project.ROOT, env=_environment(plugin), capture_output=True, text=True
    )
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("COLLECTED ")]
    found = {}
    for module, name, mark, words in json.loads(line.partition(" ")[2]):
        key = module.removeprefix("check_").replace("_", "-")
        found.setdefault(key, {})[name] = (mark, words or "")
    return found


def _environment(plugin):
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(plugin), *filter(None, sys.path)])}


def headings(stage):
    """The headings of a stage's notebook, without their marks."""
    cells = json.loads(stage.notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return {heading.strip() for heading in re.findall(r"^#+ (.+)$", text, re.M)}


def test_there_are_stages():
    assert stages()
    assert [stage.key for stage in stages()] == sorted(stage.key for stage in stages())


@each
def test_a_stage_has_all_its_places(stage):
    assert list(author.faults_of(stage)) == []


@each
def test_points_are_the_sum_of_the_checks(stage, checks):
    assert sum(mark["points"] for mark, _ in checks[stage.key].values()) == stage.points


@each
def test_every_check_is_in_one_topic(stage, checks):
    named = [name for topic in stage.topics for name in topic.checks]
    assert sorted(named) == sorted(checks[stage.key])


@each
def test_every_topic_has_three_hints(stage):
    titles = [topic.title for topic in stage.topics]
    assert len(set(titles)) == len(titles)
    for topic in stage.topics:
        assert len(set(topic.hints)) == 3 and all(hint.strip() for hint in topic.hints)


@each
def test_a_check_says_what_it_wants_in_a_sentence(stage, checks):
    for name, (_, words) in checks[stage.key].items():
        sentence = " ".join(words.split())
        assert sentence.endswith(".") and 10 < len(sentence) <= 120, name


@each
def test_a_section_is_a_heading_of_the_notebook(stage, checks):
    sections = {mark["section"] for mark, _ in checks[stage.key].values()}
    assert sections - headings(stage) == set()


@each
def test_what_a_check_needs_comes_before_it(stage, checks):
    names = list(checks[stage.key])
    for name, (mark, _) in checks[stage.key].items():
        for needed in mark.get("needs", ()):
            assert needed in names and names.index(needed) < names.index(name)


@each
def test_its_number_and_its_word_name_it(stage):
    number, word = stage.key.split("-", 1)
    assert find(number) is find(word) is find(stage.key) is stage


@pytest.mark.parametrize("key", ["", "0", "nothing", "99"])
def test_an_unknown_key_is_refused(key):
    with pytest.raises(UnknownStage, match="The stages with an exercise"):
        find(key)
