"""JupyterLab in a real browser, as a learner uses it: a check turns from red to green, a timeline is zoomed.

LAB_PICTURES=docs/images keeps the pictures there, for the README.
"""

import os
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

from deployment import wait_for
from kit_copy import copy_whole_kit
from labkit.grading.stages import find
from labkit.hint import solution_files
from labkit.notebooks import METADATA
from processes import running
from test_plots import DEPLOY

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.timeout(300)]
STAGE = find("09-function")
WAIT_MS = 120_000
RESULT = "section[aria-label='Results of the checks']"


@pytest.fixture
def copy(tmp_path):
    """A copy of the kit, whose lab/ may be written to."""
    copy_whole_kit(tmp_path / "kit")
    return tmp_path / "kit"


@pytest.fixture
def jupyterlab(copy, tmp_path):
    """The address of a JupyterLab over the copy, on a local cloud of its own."""
    places = {
        name: str(tmp_path / name.lower())
        for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    own = {**places, "PYTHONPATH": str(copy / "src"), "LAB_WORK": str(copy / ".lab")}
    with running("start", "--no-browser", "--port", "0", **own) as lab:
        yield lab.line_with("JupyterLab:").split()[1].replace("00-start-here", STAGE.key)


@pytest.fixture
def page(browser):
    with browser.new_page(viewport={"width": 1180, "height": 1000}) as page:
        page.set_default_timeout(WAIT_MS)
        yield page


def choose(page, menu, item):
    page.get_by_role("menuitem", name=menu, exact=True).click()
    page.get_by_role("menuitem", name=item).first.click()


def open_file(page, path):
    choose(page, "File", "Open from Path…")
    page.get_by_label("Path", exact=True).fill(path)
    page.keyboard.press("Enter")


def rewrite(page, text):
    """Replace what is in the editor in front, and save it."""
    editor = page.locator(".jp-FileEditor:visible .cm-content")
    editor.click()
    page.keyboard.press("Control+A")
    editor.evaluate(
        """(element, text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            const options = {clipboardData: data, bubbles: true, cancelable: true};
            element.dispatchEvent(new ClipboardEvent("paste", options));
        }""",
        text,
    )
    page.keyboard.press("Control+S")


def test_a_check_turns_from_red_to_green(page, jupyterlab, copy, tmp_path):
    page.goto(jupyterlab)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    choose(page, "Run", "Run All Cells")
    result = page.locator(f".jp-NotebookPanel {RESULT}").last
    expect(result).to_contain_text(f"{STAGE.key}: 0 of {STAGE.points} points", timeout=WAIT_MS)
    expect(result).to_contain_text("✗ failed")
    for name, text in solution_files(STAGE).items():
        open_file(page, f"lab/{STAGE.key}/{name}")
        rewrite(page, text)
        file = copy / "lab" / STAGE.key / name
        wait_for(lambda file=file, text=text: file.read_text() == text)
    page.get_by_role("tab", name=f"{STAGE.key}.ipynb").click()
    result.scroll_into_view_if_needed()
    cell = page.locator(".jp-NotebookPanel .jp-CodeCell").filter(has=page.locator(RESULT)).last
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+Enter")
    expect(result).to_contain_text("Everything passes.", timeout=WAIT_MS)
    expect(result).to_contain_text(f"{STAGE.points} of {STAGE.points} points")
    expect(result).not_to_contain_text("✗")
    cell.scroll_into_view_if_needed()
    keep_picture(page, tmp_path, "check.png")


def keep_picture(page, folder, name):
    picture = Path(os.environ.get("LAB_PICTURES") or folder) / name
    page.screenshot(path=picture)
    assert picture.stat().st_size > 10_000


def test_a_timeline_is_zoomed_and_moved_by_keys_and_mouse(page, jupyterlab, copy, tmp_path):
    cells = map(nbformat.v4.new_code_cell, ("%load_ext labkit", DEPLOY, "%timeline hello"))
    notebook = nbformat.v4.new_notebook(cells=list(cells), metadata=METADATA)
    nbformat.write(notebook, copy / "notebooks" / "zoom.ipynb")
    page.goto(jupyterlab.replace(STAGE.key, "zoom"))
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    choose(page, "Run", "Run All Cells")
    tools = page.get_by_role("group", name="Timeline")
    tools.wait_for()
    picture = page.get_by_role("img", name="environment 1: Init")
    bars = picture.locator("rect")
    shown = tools.locator("output")
    whole, all_bars = shown.inner_text(), bars.count()
    assert whole.startswith("hello: 0 to ") and all_bars >= 3

    tools.get_by_role("button", name="Zoom out").focus()
    page.keyboard.press("Tab")  # to the next button
    for _ in range(3):
        page.keyboard.press("Enter")
    zoomed = shown.inner_text()
    assert zoomed != whole and bars.count() < all_bars
    page.keyboard.press("ArrowRight")
    assert shown.inner_text() != zoomed
    keep_picture(page, tmp_path, "timeline.png")
    page.keyboard.press("ArrowLeft")
    assert shown.inner_text() == zoomed
    page.keyboard.press("0")
    assert (shown.inner_text(), bars.count()) == (whole, all_bars)

    picture.hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    expect(shown).not_to_have_text(whole)
    wheeled = shown.inner_text()
    page.mouse.down()
    page.mouse.move(500, 300, steps=4)
    page.mouse.up()
    expect(shown).not_to_have_text(wheeled)
    expect(page.get_by_role("dialog")).to_have_count(0)  # no shortcut of JupyterLab's was meant
