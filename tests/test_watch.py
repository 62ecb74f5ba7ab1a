"""`lab watch`, in a terminal and without one."""

import json
import os
import signal

import pytest

from deployment import wait_for
from kit_copy import KEY, SOLUTION
from labkit import workspace
from processes import gone, running
from terminals import Terminal

GREETS = workspace.without_marks(SOLUTION)


def write(path):
    path.write_text(GREETS)


def rename(path):
    """As vim and many other editors save: another file, renamed."""
    swap = path.with_name(f"{path.name}.new")
    swap.write_text(GREETS)
    os.replace(swap, path)


def rename_away(path):
    """As editors with a backup save: the old file is renamed, and a new one written."""
    path.rename(path.with_name(f"{path.name}~"))
    path.write_text(GREETS)


@pytest.mark.parametrize("save", [write, rename, rename_away])
def test_a_saved_file_is_checked(kit, save):
    with Terminal(kit, "watch", KEY) as terminal:
        terminal.wait_for("0 of 4 points")
        terminal.wait_for("h hint · c check again · q quit")
        save(kit.lab_files / "app.py")
        assert "✓ The function greets" in terminal.wait_for("3 of 4 points")
        terminal.wait_for("q quit")
        terminal.type("q")
        assert terminal.ended() == 0
    assert json.loads((kit.work / "progress.json").read_text())["stages"][KEY]["runs"] == 2


def test_a_link_to_elsewhere_stops_nothing(kit, tmp_path):
    (tmp_path / "mine.txt").write_text("What I know.")
    with Terminal(kit, "watch", KEY) as terminal:
        terminal.wait_for("q quit")
        (kit.lab_files / "mine.txt").symlink_to(tmp_path / "mine.txt")
        assert "0 of 4 points" in terminal.wait_for("q quit")
        write(kit.lab_files / "app.py")
        terminal.wait_for("3 of 4 points")
        terminal.wait_for("q quit")
        terminal.type("q")
        assert terminal.ended() == 0


def test_keys(kit):
    with Terminal(kit, "watch") as terminal:
        terminal.wait_for("q quit")
        terminal.type("h")
        terminal.wait_for("1. Who is it?")
        terminal.type("h")
        terminal.wait_for("2. See section 1.")
        terminal.type("x")
        terminal.type("c")
        assert "✗ The function greets" in terminal.wait_for("q quit")
        terminal.type("\x03")
        assert terminal.ended() == 130


def test_what_is_saved_during_a_run_is_checked_afterwards(kit):
    app = kit.lab_files / "app.py"
    app.write_text("def handler(event, context):\n    while True: pass\n")
    with Terminal(kit, "watch", KEY) as terminal:
        terminal.wait_for("50-greeting · Greeting")
        app.write_text(GREETS)
        terminal.wait_for("3 of 4 points")
        terminal.wait_for("q quit")
        terminal.type("q")
        assert terminal.ended() == 0


def test_without_a_terminal_it_prints_and_ends_on_a_signal(kit, local_cloud):
    environment = kit.environment | {"LAB_WORK": str(kit.work)}
    with running("watch", KEY, **environment) as command:
        command.line_with("0 of 4 points")
        command.line_with("In all: 0 of 4 points")
        write(kit.lab_files / "app.py")
        command.line_with("3 of 4 points")
        command.line_with("In all: 3 of 4 points")
        family = command.family()
        assert command.interrupt(signal.SIGINT) == 130
        assert not any("\x1b" in line for line in command.lines)
    wait_for(lambda: gone(family))
    assert local_cloud.client("lambda").list_functions()["Functions"] == []


def test_ctrl_c_in_a_run_leaves_nothing_in_the_cloud(kit, local_cloud):
    (kit.lab_files / "app.py").write_text("def handler(event, context):\n    while True: pass\n")
    with running("watch", KEY, **kit.environment, LAB_WORK=str(kit.work)) as command:
        command.line_with("50-greeting · Greeting")
        assert command.interrupt(signal.SIGTERM) == 130
    assert local_cloud.client("lambda").list_functions()["Functions"] == []


def test_an_unknown_stage(kit):
    assert "There is no stage '60'" in kit.lab("watch", "60", code=2).stdout
