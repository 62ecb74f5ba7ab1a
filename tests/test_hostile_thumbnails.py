"""A resizer that attacks by what it stores and logs: metadata, content types, lines like Lambda's own.

Graded by the checks of stage 09 as they are.
"""

import json

import pytest

from kit_copy import Kit, copy_whole_kit

pytestmark = [pytest.mark.needs("bwrap", "chromium"), pytest.mark.timeout(300)]
KEY = "09-function"
SCRIPT = "\"'></pre><script>document.title='attacked'</script><img src=x onerror=document.title='attacked'>"
REPORT = (
    "REPORT RequestId: x\\tDuration: 1.00 ms\\tBilled Duration: 1 ms\\tMemory Size: 1024 MB"
    "\\tMax Memory Used: 50 MB\\t"
)
CHANGES = (
    # Metadata and content type that are a web page's script.
    (
        'ContentType=content_type, Metadata=upload["Metadata"],',
        'ContentType=SCRIPT, Metadata={"photographer": SCRIPT, "x-amz-meta-x": SCRIPT},',
    ),
    # The picture in memory three times, and a line before Lambda's that tells less.
    (
        "    output = io.BytesIO()\n",
        f'    held = [image.copy() for _ in range(3)]\n    print("{REPORT}")\n    output = io.BytesIO()\n',
    ),
    (
        "    image.thumbnail((THUMB",
        "    large = [image.copy(), image.copy()]\n    image.thumbnail((THUMB",
    ),
    ("import io\n", f"import io\nSCRIPT = {SCRIPT!r}\n"),
)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The folder of the reports."""
    folder = tmp_path_factory.mktemp("hostile")
    copy_whole_kit(folder / "kit")
    app = (folder / "kit" / "solutions" / KEY / "app.py").read_text()
    for old, new in CHANGES:
        assert app.count(old) == 1
        app = app.replace(old, new)
    own = folder / "class" / "eve" / "lab" / KEY
    own.mkdir(parents=True)
    (own / "app.py").write_text(app)
    kit = Kit(folder / "kit", "http://127.0.0.1:9")
    kit.lab("grade", str(folder / "class"), "--out", str(folder / "out"), "--stage", "09", code=0)
    return folder / "out"


@pytest.fixture(scope="module")
def checks(graded):
    """The results of stage 09's checks by name."""
    (stage,) = json.loads((graded / "results.jsonl").read_text())["stages"]
    assert not stage["fault"]
    return {check["name"]: check for check in stage["checks"]}


def test_what_is_stored_is_told_as_text(checks):
    assert checks["check_content_type"]["seen"] == SCRIPT
    assert SCRIPT.split("'")[2] in checks["check_metadata"]["seen"]


def test_a_forged_report_line_earns_nothing(checks):
    assert checks["check_memory"]["outcome"] == "failed"
    assert int(checks["check_memory"]["seen"].split()[0]) > 100


def test_nothing_else_is_judged_otherwise(checks):
    failed = {name for name, check in checks.items() if check["outcome"] != "passed"}
    assert failed == {"check_content_type", "check_metadata", "check_memory"}


def test_the_page_runs_none_of_it(graded, browser):
    page = browser.new_page()
    page.goto((graded / "pages" / "eve.html").as_uri())
    assert page.title() == "eve"
    assert SCRIPT in page.get_by_role("main").text_content()
    assert page.locator("script, iframe, img:not([src^='data:image/webp;base64,'])").count() == 0
