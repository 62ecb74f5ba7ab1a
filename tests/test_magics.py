"""The magics in a real kernel: what a notebook shows, and what it stores."""

import os
import re
from html.parser import HTMLParser

import nbformat
import pytest
from nbclient import NotebookClient

from kit_copy import KEY

VOID = {"br", "hr", "img", "meta", "link", "input"}


class Page(HTMLParser):
    """The HTML's text, its elements, and whether they are closed in order."""

    def __init__(self, source):
        super().__init__()
        self.text, self.tags, self.open = "", [], []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def roles(self):
        return [attributes["role"] for _, attributes in self.tags if "role" in attributes]


@pytest.fixture
def cells(kit, monkeypatch):
    """Run lines in a kernel whose sources and cloud are the kit copy's; gives each cell's output."""
    for name in os.environ.keys() - kit.environment.keys():
        monkeypatch.delenv(name)
    for name, value in kit.environment.items():
        monkeypatch.setenv(name, value)

    def run(*sources):
        sources = ("%load_ext labkit", *sources)
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(s) for s in sources])
        place = {"metadata": {"path": str(kit.folder)}}
        NotebookClient(notebook, timeout=60, kernel_name="python3", resources=place).execute()
        return [cell.outputs[0].data for cell in notebook.cells[1:]]

    return run


def test_a_check_turns_from_red_to_green(cells, kit):
    (red,) = cells(f"%check {KEY}")
    page = Page(red["text/html"])
    assert "✗ failed The function greets whoever the event names. 0/2" in page.text
    assert "Next: %hint 50-greeting" in page.text
    assert "50-greeting: 0 of 4 points · seed" in page.text
    assert "✗ The function greets whoever the event names.  0/2" in red["text/plain"]
    assert red["text/plain"].endswith("Next: %hint 50-greeting")
    kit.solve()
    green, progress = cells(f"%check {KEY}", "%progress")
    page = Page(green["text/html"])
    assert page.text.count("✓ passed") == 3 and "failed" not in page.text
    assert "4 of 4 points" in page.text and "Everything passes." in page.text
    assert "4 of 4 points" in progress["text/plain"]


def test_what_is_stored_is_the_same_twice(cells):
    first, second = cells(f"%check {KEY} --seed 1", f"%check {KEY} --seed 1")
    assert first == second


def test_the_html_is_for_every_theme_and_for_listeners(cells):
    check, hint, progress = cells("%check", "%hint 50", "%progress")
    for output in (check, hint, progress):
        page = Page(output["text/html"])
        assert page.roles() == ["region"]
        styles = " ".join(attributes.get("style", "") for _, attributes in page.tags)
        # Every colour is JupyterLab's own, with a fallback.
        colours = re.findall(r"(?:color|solid):? ?([^;]*)", styles)
        assert colours and all(re.match(r"bold|var\(--jp-[\w-]+, ", colour) for colour in colours)
        assert "background" not in styles
    signs = [a for tag, a in Page(check["text/html"]).tags if tag == "span" and "aria-hidden" in a]
    assert len(signs) == 3
    assert [tag for tag, _ in Page(progress["text/html"]).tags].count("th") == 6


def test_what_learner_code_says_is_escaped(cells, kit):
    source = "def handler(event, context): raise ValueError('<script>alert(1)</script>&amp;')\n"
    (kit.lab_files / "app.py").write_text(source)
    (output,) = cells(f"%check {KEY}")
    page = Page(output["text/html"])
    assert "<script>alert(1)</script>&amp;" in page.text
    assert "script" not in [tag for tag, _ in page.tags]


def test_hints_and_solution(cells):
    first, second, asked, shown, unknown = cells(
        f"%hint {KEY}", f"%hint {KEY}", f"%solution {KEY}", f"%solution {KEY} --yes", "%hint 60"
    )
    assert first["text/plain"] == "Greet\n1. Who is it?\n%hint 50-greeting says more."
    assert "2. See section 1." in second["text/plain"]
    assert "%solution 50-greeting --yes" in asked["text/plain"] and "handler" not in str(asked)
    assert "```python\n" in shown["text/markdown"] and "def handler" in shown["text/plain"]
    assert "There is no stage '60'" in unknown["text/plain"]
