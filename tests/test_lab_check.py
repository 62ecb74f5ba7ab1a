"""`lab check` and `pytest checks/`: what a learner is told, whatever is in their files."""

import json
import signal
import xml.etree.ElementTree as ElementTree

import pytest

from kit_copy import CHECKS, KEY, STAGES, copy_kit
from processes import running

pytestmark = pytest.mark.usefixtures("local_cloud")


def checked(kit, *arguments, code=1):
    """`lab check --json`: the result of the only stage, and its checks by name."""
    done = kit.lab("check", KEY, "--json", *arguments, code=code)
    (stage,) = json.loads(done.stdout)["stages"]
    return stage, {check["name"]: check for check in stage["checks"]}


def test_the_untouched_starter_gets_no_points_and_words(kit):
    done = kit.lab("check", KEY, code=1)
    assert "✗ The function greets whoever the event names.  0/2" in done.stdout
    assert "seen      {'greeting': None}" in done.stdout
    assert "read      1 · Greeting (50-greeting.ipynb)" in done.stdout
    assert "Not run: first comes: The function greets whoever the event names." in done.stdout
    assert done.stdout.count("Not run") == 1
    assert "50-greeting: 0 of 4 points · seed" in done.stdout
    assert done.stdout.endswith(f"\nNext: lab hint {KEY}\n")
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def test_the_solution_gets_all_points(kit):
    done = kit.lab("check", "50", "--workspace", "solutions", code=0)
    assert "✓ The function greets whoever the event names.  2/2" in done.stdout
    assert done.stdout.endswith("\nEverything passes.\n")


def test_a_seed_repeats_a_run(kit):
    broken = "def handler(event, context): return event['name']\n"
    (kit.lab_files / "app.py").write_text(broken)
    first, second, other = (checked(kit, "--seed", seed)[1] for seed in ("5", "5", "6"))
    assert first["check_greets"]["seen"] == second["check_greets"]["seen"]
    assert first["check_greets"]["seen"] != other["check_greets"]["seen"]


BROKEN = {
    "syntax": ("def handler(event, context)\n", "SyntaxError"),
    "endless": ("def handler(event, context):\n    while True: pass\n", "timed out"),
    "exit at import": ("import sys\nsys.exit(3)\n", "exit"),
    "exit": ("import sys\ndef handler(event, context): sys.exit('bye')\n", "exit"),
    "killed": ("import os\ndef handler(event, context): os.kill(os.getpid(), 9)\n", "killed"),
    "no handler": ("", "Handler"),
    "not JSON": ("def handler(event, context): return object()\n", "MarshalError"),
    "surrogate": ("def handler(event, context): return chr(0xD800)\n", ""),
    "control": ("def handler(event, context): raise ValueError('\\x1b[2J\\x07' * 500)\n", "ValueError"),
    "huge": (f"def handler(event, context): return '{'x' * 900_000}'\n", "xxx"),
}  # fmt: skip
PAST_THE_RUNTIME = """
import http.client, os
def handler(event, context):
    there = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    path = f"/2018-06-01/runtime/invocation/{context.aws_request_id}/response"
    there.request("POST", path, %s)
    there.getresponse().read()
"""
BROKEN |= {
    "no JSON": (PAST_THE_RUNTIME % "b'no JSON'", "b'no JSON'"),
    "too deep": (PAST_THE_RUNTIME % "b'[' * 100_000", "b'[[[["),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_code_costs_its_checks_and_nothing_else(kit, name):
    source, words = BROKEN[name]
    (kit.lab_files / "app.py").write_text(source)
    (kit.lab_files / "notes.txt").write_text("mine\n")
    stage, checks = checked(kit)
    assert {name: check["outcome"] for name, check in checks.items()} == {
        "check_greets": "failed", "check_without_a_name": "not run", "check_notes": "passed",
    }  # fmt: skip
    failed = checks["check_greets"]
    assert words in failed["seen"] + "".join(failed["log"])
    assert len(failed["seen"]) <= 600 and failed["seen"].isprintable()
    assert stage["earned"] == 1


FILES = {
    "missing": (lambda path: path.unlink(), f"lab reset {KEY}"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), f"lab reset {KEY}"),
    "a link": (lambda path: (path.unlink(), path.symlink_to("/etc/hostname")), f"lab reset {KEY}"),
    "not UTF-8": (lambda path: path.write_bytes(b"name = '\xff'"), "byte 8 is no UTF-8"),
    "huge": (lambda path: path.write_bytes(b"#" * (1 << 20) + b"#"), "larger"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_can_not_be_read_is_said(kit, name):
    damage, words = FILES[name]
    damage(kit.lab_files / "app.py")
    (kit.lab_files / "notes.txt").write_text("mine\n")
    _, checks = checked(kit)
    assert checks["check_greets"]["tried"] == f"read lab/{KEY}/app.py"
    assert words in checks["check_greets"]["seen"]
    assert checks["check_notes"]["outcome"] == "passed"


def test_an_own_traceback_is_shown_without_noise(kit):
    source = "def handler(event, context):\n    print('a note')\n    return greet(event)\n\n\n"
    source += "def greet(event):\n    return event['nam']\n"
    (kit.lab_files / "app.py").write_text(source)
    log = checked(kit)[1]["check_greets"]["log"]
    assert "a note" in log
    assert any(line.startswith("[ERROR] KeyError: 'nam'") for line in log)
    assert [line.strip() for line in log if "File " in line] == [
        'File "/var/task/app.py", line 3, in handler', 'File "/var/task/app.py", line 7, in greet',
    ]  # fmt: skip
    assert not any("RequestId" in line and not line.startswith("[ERROR]") for line in log)


def with_checks(tmp_path, local_cloud, addition):
    kit = copy_kit(tmp_path / "kit", local_cloud.endpoint_url)
    (kit.folder / "checks" / "check_50_greeting.py").write_text(CHECKS + addition)
    kit.solve()
    return kit


def test_a_check_that_breaks_is_no_fault_of_the_learners(tmp_path, local_cloud):
    broken = "\n\n@pytest.mark.check(points=1)\ndef check_broken():\n    '''Breaks.'''\n    1 / 0\n"
    stage, checks = checked(with_checks(tmp_path, local_cloud, broken))
    assert "the kit's fault and not yours" in checks["check_broken"]["seen"]
    assert (stage["earned"], stage["points"]) == (4, 5)


def test_a_check_has_a_time_limit(tmp_path, local_cloud):
    slow = (
        "\n\n@pytest.mark.check(points=1, timeout=1)\ndef check_slow():\n    '''Waits.'''\n"
        "    import threading; threading.Event().wait()\n"
    )
    stage, checks = checked(with_checks(tmp_path, local_cloud, slow))
    assert checks["check_slow"]["expected"] == "this check to end in time"
    assert stage["earned"] == 4


def test_what_a_check_prints_stays_out_of_the_json(tmp_path, local_cloud):
    loud = (
        "\n\n@pytest.mark.check(points=1)\ndef check_loud():\n    '''Talks.'''\n    print('hm')\n"
    )
    stage, _ = checked(with_checks(tmp_path, local_cloud, loud), code=0)
    assert stage["earned"] == 5


def test_checks_that_can_not_be_loaded_leave_other_stages_alone(tmp_path, local_cloud):
    both = STAGES + STAGES.replace(KEY, "51-broken")
    kit = copy_kit(tmp_path / "kit", local_cloud.endpoint_url, stages=both)
    (kit.folder / "checks" / "check_51_broken.py").write_text("import no_such_module\n")
    kit.solve()
    done = kit.lab("check", "--json", code=1)
    good, bad = json.loads(done.stdout)["stages"]
    assert good["passed"] and not bad["passed"]
    assert bad["fault"].startswith("its checks can't run, which is no fault of yours")
    assert "no_such_module" in bad["fault"]


@pytest.mark.parametrize("arguments", [("60-none",), (KEY, "--workspace", "nowhere")])
def test_what_is_not_there_has_an_exit_code_of_its_own(kit, arguments):
    done = kit.lab("check", *arguments, code=2)
    assert "There is no" in done.stdout


def test_a_cloud_that_does_not_answer_has_an_exit_code_of_its_own(kit):
    nobody = {"LAB_TARGET": "aws", "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    keys = {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    done = kit.lab("check", KEY, code=3, **nobody, **keys)
    assert "The cloud does not answer" in done.stdout


def test_ctrl_c_tidies_up_and_records_nothing(tmp_path, local_cloud):
    waits = (
        "\n\n@pytest.mark.check(points=1)\ndef check_waits(greeter):\n    '''Waits.'''\n"
        "    import sys; print('now', file=sys.stderr)\n    import threading; threading.Event().wait()\n"
    )
    kit = with_checks(tmp_path, local_cloud, waits)
    environment = kit.environment | {"LAB_WORK": str(kit.work)}
    with running("check", KEY, **environment) as command:
        command.line_with("now")
        assert local_cloud.client("lambda").list_functions()["Functions"]
        assert command.interrupt(signal.SIGINT) == 130
    assert local_cloud.client("lambda").list_functions()["Functions"] == []
    assert not (kit.work / "progress.json").exists()


def test_instructors_have_pytest_and_its_reports(kit):
    done = kit.python(
        "-m", "pytest", "checks", "--workspace", "solutions", "--seed", "7", "--rootdir", ".",
        "--junitxml", "report.xml", "--report-log", "report.jsonl", code=0,
    )  # fmt: skip
    assert "seed: 7" in done.stdout
    suite = ElementTree.parse(kit.folder / "report.xml").getroot()
    points = [
        {p.get("name"): p.get("value") for p in case.iter("property")}
        for case in suite.iter("testcase")
    ]
    assert points[0] == {"points": "2", "earned": "2", "outcome": "passed"}
    lines = [json.loads(line) for line in (kit.folder / "report.jsonl").read_text().splitlines()]
    reported = [line["check"]["name"] for line in lines if "check" in line]
    assert reported == ["check_greets", "check_without_a_name", "check_notes"]


def test_pytest_shows_words_and_no_traceback_of_ours(kit):
    done = kit.python("-m", "pytest", "checks", "--rootdir", ".", code=1)
    assert "tried:    sent the event" in done.stdout
    assert "expectations.py" not in done.stdout
