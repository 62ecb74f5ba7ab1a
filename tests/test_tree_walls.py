"""What code could do that has got into the grading process, past bubblewrap: nothing outside its folder.

The kit's copy has such code in its checks, which are what runs there.
"""

import json
import socket
from pathlib import Path

import pytest

from attacks import left_running
from kit_copy import KEY, copy_kit

pytestmark = [pytest.mark.needs("bwrap"), pytest.mark.timeout(300)]
CHECKS = '''
import ctypes, os, signal, socket, sys
from pathlib import Path

import pytest

from labkit import project
from labkit.grading import expect

PLACES = {places}
NEWUSER_NEWNS, DETACH, READ_ONLY_GONE = 0x10000000 | 0x00020000, 2, 32 | 4096
KIT, HOME, OWN = project.ROOT, Path(PLACES["home"]), Path(os.environ["HOME"])
CHECKS, APP = project.CHECKS / "check_50_greeting.py", Path(PLACES["class"]) / "other/lab/50-greeting/app.py"
libc = ctypes.CDLL(None, use_errno=True)


def opens(path):
    open(path, "a").close()


def succeeds(answer):
    if answer != 0:
        raise OSError(ctypes.get_errno())


def in_a_namespace_of_its_own():
    """There it may mount and unmount: what is its own."""
    pid = os.fork()
    if pid == 0:
        user = os.getuid()
        libc.unshare(NEWUSER_NEWNS)
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {{user}} 1"), ("gid_map", f"0 {{user}} 1")):
            Path("/proc/self", name).write_text(text)
        for path in (PLACES["class"], PLACES["out"], "/tmp", "/home", "/root", "/run", "/dev", "/proc"):
            libc.umount2(str(path).encode(), DETACH)
        for path in (KIT, "/"):
            libc.mount(None, str(path).encode(), None, READ_ONLY_GONE, None)
        os._exit(not any(done(lambda: opens(path)) for path in (CHECKS, APP, PLACES["other"])))
    succeeds(os.waitpid(pid, 0)[1])


TRIES = {{
    "writes into its own folder": lambda: opens(OWN / "attacked"),
    "writes into the checks": lambda: opens(CHECKS),
    "writes beside the kit's sources": lambda: opens(KIT / "src/labkit/attacked.py"),
    "writes beside Python's packages": lambda: opens(Path(sys.prefix, "attacked")),
    "writes into the home": lambda: opens(HOME / ".bashrc"),
    "sees the class": lambda: os.listdir(PLACES["class"]),
    "sees the results": lambda: os.listdir(PLACES["out"]),
    "writes into the results": lambda: opens(Path(PLACES["out"], "grades.csv")),
    "writes into another submission": lambda: opens(APP),
    "sees others' temporary files": lambda: os.stat(PLACES["other"]),
    "leaves a temporary file": lambda: opens(OWN.parent / "attacked"),
    "leaves one elsewhere": lambda: opens("/var/tmp/attacked"),
    "leaves one in memory": lambda: opens("/dev/shm/attacked"),
    "changes the kernel": lambda: opens("/proc/sys/kernel/core_pattern"),
    "changes a group of processes": lambda: os.mkdir("/sys/fs/cgroup/attacked"),
    "sees devices": lambda: sorted(os.listdir("/dev"))[5],
    "sees other processes": lambda: succeeds(sum(
        "tree_host" not in each.read_text() and "bwrap" not in each.read_text()
        for each in Path("/proc").glob("[0-9]*/cmdline")) == 0),
    "mounts": lambda: succeeds(libc.mount(b"t", str(OWN).encode(), b"tmpfs", 0, None)),
    "unmounts": lambda: succeeds(libc.umount2(PLACES["class"].encode(), DETACH)),
    "undoes it in a namespace of its own": in_a_namespace_of_its_own,
    "reaches a server of this machine": lambda: socket.create_connection(("127.0.0.1", PLACES["port"]), 1),
}}


def done(call):
    try:
        call()
    except Exception:
        return False
    return True


@pytest.mark.check(points=2, section="1")
def check_greets(deployment):
    """Nothing is reached."""
    reached = [name for name, call in TRIES.items()
               if name in (PLACES["only"] or TRIES) and done(call)]
    expect(False, tried="everything", expected="nothing", seen=", ".join(reached))


@pytest.mark.check(points=1, section="2")
def check_without_a_name():
    """Nothing more."""


@pytest.mark.check(points=1, section="3")
def check_notes():
    """Nothing more."""
'''


# It writes an answer of its own into the pipe to the grader, which a stage's process has inherited.
FORGER = """

@pytest.fixture(autouse=True)
def forger(workspace):
    import os
    if "forger" in workspace.text("notes.txt"):
        for number in range(3, 64):
            try:
                os.write(number, {line!r}.encode() + b"\\n")
            except OSError:
                pass
"""
# These reach nothing but the test's own folder.
HARMLESS = [
    "writes into its own folder", "writes into the checks", "writes beside the kit's sources",
    "writes into the home", "sees the class", "sees the results", "writes into the results",
    "writes into another submission", "sees others' temporary files", "sees devices", "sees other processes",
    "reaches a server of this machine",
]  # fmt: skip


@pytest.fixture
def seen(tmp_path):
    """A function that grades two submissions by these checks and tells what they have reached."""
    kit = copy_kit(tmp_path / "kit", "http://127.0.0.1:9")
    folder, out = tmp_path / "class", tmp_path / "out"
    somebodys = tmp_path / "somebodys"
    somebodys.touch()
    for name in ("one", "other"):
        (folder / name / "lab" / KEY).mkdir(parents=True)
        (folder / name / "lab" / KEY / "app.py").write_text(f"# {name}\n")

    def grade(home, *arguments, only=()):
        with socket.create_server(("127.0.0.1", 0)) as neighbour:
            places = {"class": str(folder), "out": str(out), "home": str(home),
                      "other": str(somebodys), "port": neighbour.getsockname()[1], "only": only}  # fmt: skip
            checks = kit.folder / "checks" / "check_50_greeting.py"
            checks.write_text(CHECKS.format(places=places))
            kit.lab("grade", str(folder), "--out", str(out), *arguments, code=0)
        assert left_running(kit.folder) == []
        records = map(json.loads, (out / "results.jsonl").read_text().splitlines())
        words = {each["stages"][0]["checks"][0]["seen"] for each in records}
        assert len(words) == 1
        return words.pop().split(", ")

    return grade


def test_code_in_the_grading_process_reaches_its_own_folder_and_nothing_else(seen):
    assert seen(Path.home()) == ["writes into its own folder"]


def test_without_the_walls_it_would_reach_what_is_tried(seen, tmp_path):
    assert seen(tmp_path, "--trusted", only=HARMLESS) == HARMLESS


@pytest.mark.parametrize("forged", ["another stage", "no number"])
def test_what_a_tree_makes_up_harms_nobody_elses_result(tmp_path, forged):
    kit = copy_kit(tmp_path / "kit", "http://127.0.0.1:9")
    check = {"name": "x", "wants": "x", "section": "", "outcome": "passed", "points": "many"}
    stage = {"key": KEY, "title": "x", "seed": 1, "fault": "", "checks": [check]}
    if forged == "another stage":
        stage |= {"key": "51-other", "checks": []}
    checks = kit.folder / "checks" / "check_50_greeting.py"
    checks.write_text(checks.read_text() + FORGER.format(line=json.dumps(stage)))
    for name in ("forger", "honest"):
        (tmp_path / "class" / name / "lab" / KEY).mkdir(parents=True)
        (tmp_path / "class" / name / "lab" / KEY / "notes.txt").write_text(f"mine, {name}")
    done = kit.lab("grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"), code=1)
    assert f"Not graded: forger, {KEY}: ValueError" in done.stdout
    forger, honest = map(json.loads, (tmp_path / "out" / "results.jsonl").read_text().splitlines())
    assert forger["stages"][0]["fault"].startswith("not graded: ValueError")
    assert (forger["stages"][0]["earned"], honest["stages"][0]["earned"]) == (0, 1)
    # Nothing of it is kept as a result: it is tried again.
    again = kit.lab("grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"), code=1).stdout
    assert "1 stages as before, 0 graded" in again and f"Not graded: forger, {KEY}" in again
