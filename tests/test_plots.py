"""Timelines and pictures in a notebook, seen from a kernel, and what the timeline is drawn from."""

import re
from pathlib import Path

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook, new_output

from deployment import deploy, invoke, wait_for
from labkit import notebooks
from labkit.plots import live, timeline

ROOT = Path(__file__).parents[1]
SLOW = """
import time
time.sleep(0.05)
def handler(event, context):
    time.sleep(0.02)
    if event.get("fail"):
        raise ValueError("as asked")
"""
DEPLOY = f"""
import io, json, time, zipfile, boto3
archive = io.BytesIO()
with zipfile.ZipFile(archive, "w") as file:
    file.writestr("app.py", {SLOW!r})
trust = {{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow",
    "Principal": {{"Service": "lambda.amazonaws.com"}}, "Action": "sts:AssumeRole"}}]}}
role = boto3.client("iam").create_role(
    RoleName="timeline", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
functions = boto3.client("lambda")
functions.create_function(FunctionName="hello", Runtime="python3.11", Role=role,
    Handler="app.handler", Code={{"ZipFile": archive.getvalue()}})
functions.get_waiter("function_active_v2").wait(FunctionName="hello")
for _ in range(2):
    functions.invoke(FunctionName="hello")
"""


def run(*cells):
    """Run the cells on a cloud of the kernel's own; return their outputs."""
    notebook = new_notebook(cells=[new_code_cell("%load_ext labkit"), *map(new_code_cell, cells)])
    NotebookClient(
        notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}
    ).execute()
    return [cell.outputs for cell in notebook.cells[1:]]


@pytest.fixture(scope="module")
def life(local_cloud):
    """A function that was called twice, then failed: its record and its log."""
    deploy(local_cloud, "hello", SLOW, MemorySize=1769)
    for event in ({}, {}, {"fail": True}):
        invoke(local_cloud, "hello", event)
    pages = local_cloud.client("logs").get_paginator("filter_log_events")

    def log():
        found = pages.paginate(logGroupName="/aws/lambda/hello")
        events = [event for page in found for event in page["events"]]
        reports = sum(event["message"].startswith("REPORT") for event in events)
        return events if reports == 3 else None

    return local_cloud.record.entries(function="hello"), wait_for(log)


def kinds(spans):
    return [span.kind for span in spans]


def test_the_record_gives_a_row_with_init_invokes_and_the_time_frozen(life):
    spans = timeline.spans_of_record(life[0])
    assert kinds(spans)[:5] == ["init", "invoke", "frozen", "invoke", "frozen"]
    assert len({span.environment for span in spans}) == 1
    assert spans[0].milliseconds >= 50
    assert spans[1].milliseconds >= 20
    assert [span.failed for span in spans if span.kind == "invoke"] == [False, False, True]
    for before, after in zip(spans, spans[1:], strict=False):
        assert after.start >= before.end - 1e-6


def test_the_log_gives_the_same_row_as_far_as_it_knows(life):
    spans = timeline.spans_of_log(life[1])
    assert kinds(spans) == ["init", "invoke", "frozen", "invoke", "frozen", "invoke"]
    drawn, logged = (
        [span.milliseconds for span in found if span.kind in ("init", "invoke")]
        for found in (timeline.spans_of_record(life[0]), spans)
    )
    assert logged == pytest.approx(drawn, abs=20)


def test_a_timeline_in_words(life):
    words = timeline.describe(timeline.spans_of_record(life[0]))
    assert words.startswith("environment 1: Init ")
    assert "(failed)" in words
    assert timeline.describe([]) == "nothing has run yet"


def test_throttles_have_a_row_of_their_own():
    entries = [{"type": "throttle", "time": 1.0, "function": "f", "reason": "x"}] * 3
    spans = timeline.spans_of_record(entries)
    assert timeline.describe(spans) == "throttled: 3"
    axes = timeline.figure(spans).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["throttled"]


def test_a_cell_shows_a_timeline_with_its_words():
    _, outputs, nothing = run(DEPLOY, "%timeline hello", "%timeline other")
    (picture,) = outputs
    assert picture.data["image/png"]
    assert "environment 1: Init" in picture.metadata["image/png"]["alt"]
    assert nothing[0].text == "other: nothing has run yet\n"
    assert picture.data["text/plain"].startswith("environment 1: Init")
    assert 'alt="environment 1: Init' in picture.data["text/html"], (
        "what is shown where no script runs"
    )


def test_the_page_shows_what_it_is_given_and_fetches_nothing():
    spans = [timeline.Span("a", "invoke", 1.0, 2.0), timeline.Span("", "throttled", 1.5, 1.5)]
    page = live.page(spans, "</script><b>", b"picture")
    assert page.count("</script>") == 1 and page.endswith("</script>")
    assert '"rows": ["environment 1", "throttled"]' in page
    assert re.findall(r"https?://[^\"']+", page) == ["http://www.w3.org/2000/svg"] * 2


def test_a_notebook_is_kept_with_the_picture_alone():
    data = {"image/png": "AAAA", "text/html": "<figure>", "text/plain": "words"}
    cell = new_code_cell(outputs=[new_output("display_data", data=data)])
    notebooks.normalise(notebook := new_notebook(cells=[cell]))
    assert notebook.cells[0].outputs[0].data.keys() == {"image/png", "text/plain"}


def test_a_figure_has_the_words_given():
    (outputs,) = run(
        "%%figure It rises.\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    )
    (picture,) = [output for output in outputs if "image/png" in output.get("data", {})]
    assert picture.metadata["image/png"]["alt"] == "It rises."
