"""Hints, solution, reset, progress and status, as a learner calls them."""

import json
import subprocess

import pytest

from kit_copy import KEY
from terminals import Terminal


def hints(kit):
    shown = json.loads(kit.lab("hint", KEY, "--json", code=0).stdout)
    return shown["topic"], shown["hints"], shown["left"]


def test_each_call_gives_one_hint_more(kit):
    all_three = ["Who is it?", "See section 1.", "It is an f-string."]
    assert [hints(kit) for _ in range(4)] == [
        ("Greet", all_three[:1], 2),
        ("Greet", all_three[:2], 1),
        ("Greet", all_three, 0),
        ("Greet", all_three, 0),
    ]
    shown = kit.lab("hint", "50", code=0).stdout
    assert "  3. It is an f-string." in shown
    assert f"That was the last hint. lab solution {KEY} shows it all." in shown


def test_hints_are_for_the_first_check_that_has_not_passed(kit):
    kit.solve()
    (kit.lab_files / "notes.txt").write_text("nothing")
    kit.lab("check", KEY, code=1)
    assert hints(kit) == ("The rest", ["What is missing?"], 2)
    kit.solve()
    kit.lab("check", KEY, code=0)
    assert hints(kit) == (None, [], 0)
    assert "there is nothing to hint at" in kit.lab("hint", KEY, code=0).stdout


def test_the_solution_is_shown_without_marks_and_noted(kit):
    refused = kit.lab("solution", KEY, code=1)
    assert "--yes" in refused.stderr and "handler" not in refused.stdout
    assert json.loads(kit.lab("progress", "--json").stdout)["stages"][0]["solution_shown"] is None
    shown = kit.lab("solution", KEY, "--yes", code=0).stdout
    assert 'return {"error": "no name"}' in shown
    assert ">>>" not in shown and "<<<" not in shown and "#|" not in shown
    files = json.loads(kit.lab("solution", KEY, "--yes", "--json", code=0).stdout)["files"]
    assert list(files) == ["app.py", "notes.txt"]
    assert json.loads(kit.lab("progress", "--json").stdout)["stages"][0]["solution_shown"]
    assert "solution seen" in kit.lab("progress", code=0).stdout


def test_a_terminal_asks_and_colours(kit):
    with Terminal(kit, "solution", KEY) as terminal:
        terminal.wait_for("Show the whole solution of 50-greeting? [y/N]")
        terminal.type("y\n")
        terminal.wait_for("no name")
        assert terminal.ended() == 0
        assert "\x1b[" in terminal.raw
    with Terminal(kit, "solution", KEY, NO_COLOR="1") as terminal:
        terminal.wait_for("[y/N]")
        terminal.type("n\n")
        assert terminal.ended() == 1
        assert "\x1b[3" not in terminal.raw and "handler" not in terminal.raw


def test_a_terminal_shows_how_far_a_check_is(kit):
    with Terminal(kit, "check", KEY) as terminal:
        terminal.wait_for("0/3")
        terminal.wait_for("Next: lab hint")
        assert terminal.ended() == 1


def test_no_colour_where_none_is_wanted(kit):
    with Terminal(kit, "check", KEY, NO_COLOR="1") as terminal:
        assert terminal.ended() == 1
        assert "\x1b[3" not in terminal.raw


def test_reset_brings_the_starter_back_and_keeps_the_files(kit):
    starter = (kit.lab_files / "app.py").read_text()
    kit.solve()
    mine = (kit.lab_files / "app.py").read_text()
    (kit.lab_files / "extra.py").write_text("x = 1\n")
    assert "--yes" in kit.lab("reset", KEY, code=1).stderr
    assert (kit.lab_files / "app.py").read_text() == mine
    kit.lab("reset", KEY, "--yes", code=0)
    assert (kit.lab_files / "app.py").read_text() == starter
    assert not (kit.lab_files / "extra.py").exists()
    (kept,) = (kit.work / "kept").iterdir()
    assert kept.name.startswith(f"{KEY}-")
    assert (kept / "app.py").read_text() == mine
    assert (kept / "extra.py").exists()
    assert "Nothing to do" in kit.lab("reset", code=0).stdout


def test_reset_of_all_stages_asks(kit):
    (kit.lab_files / "app.py").unlink()
    with Terminal(kit, "reset") as terminal:
        terminal.wait_for(f"Go back to the starter of {KEY}?")
        terminal.type("yes\n")
        assert terminal.ended() == 0
    assert (kit.lab_files / "app.py").exists()
    for folder in (kit.lab_files, kit.lab_files.parent):
        subprocess.run(["rm", "-r", folder], check=True)
        kit.lab("reset", "--yes", code=0)
        assert (kit.lab_files / "app.py").exists()


@pytest.mark.parametrize("command", ["hint", "solution", "reset", "check"])
def test_an_unknown_stage_names_the_known_ones(kit, command):
    done = kit.lab(command, "60-none", code=2)
    assert f"The stages with an exercise: {KEY}" in done.stdout + done.stderr


def test_status_says_where_the_cloud_is(kit, local_cloud):
    local_cloud.client("s3").create_bucket(Bucket="seen-by-status")
    found = json.loads(kit.lab("status", "--json", code=0).stdout)
    assert found["endpoint_url"] == local_cloud.endpoint_url
    assert found["port"] == local_cloud.port
    assert found["resources"]["buckets"] >= 1
    assert (found["target"], found["earned"], found["points"]) == ("local", 0, 4)
    shown = kit.lab("status", code=0).stdout
    assert local_cloud.endpoint_url in shown and "0 of 4 points" in shown


def test_status_without_a_cloud_has_an_exit_code_of_its_own(kit):
    done = kit.lab("status", "--json", code=1, AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert json.loads(done.stdout)["endpoint_url"] is None
    assert "none runs" in kit.lab("status", code=1, AWS_ENDPOINT_URL="").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_stages(kit, shell):
    words = {
        "bash": {"COMP_WORDS": "lab check 5", "COMP_CWORD": "2"},
        "zsh": {"_TYPER_COMPLETE_ARGS": "lab check 5"},
        "fish": {"_TYPER_COMPLETE_ARGS": "lab check 5", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    program = "import sys; sys.argv = ['lab']; from labkit.cli import app; app(prog_name='lab')"
    done = kit.python("-c", program, _LAB_COMPLETE=f"complete_{shell}", **words)
    assert KEY in done.stdout


def test_completion_loads_little(kit):
    program = (
        "import sys; from labkit import cli; cli._stage_keys();"
        "print([name for name in ('boto3', 'pytest', 'moto', 'rich.progress') if name in sys.modules])"
    )
    assert kit.python("-c", program, code=0).stdout == "[]\n"
