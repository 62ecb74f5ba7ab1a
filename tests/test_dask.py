"""`lab grade --scheduler`: the same grading on a Dask cluster, one of whose workers is killed meanwhile."""

import json
import signal

import psutil
import pytest

from deployment import wait_for
from kit_copy import KEY, copy_kit
from processes import running

pytestmark = [pytest.mark.needs("bwrap"), pytest.mark.timeout(300)]
COUNT, COPIES = 5, 3


@pytest.fixture
def kit(tmp_path):
    return copy_kit(tmp_path / "kit", "http://127.0.0.1:9")


@pytest.fixture
def cluster(kit):
    """A scheduler and three workers, each in a process of its own: the address and the workers."""
    sources = {"PYTHONPATH": str(kit.folder / "src")}
    arguments = ("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    with running(*arguments, module="dask", **sources) as scheduler:
        address = scheduler.line_with("Scheduler at:").split()[-1]
        worker = ("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard")
        with (
            running(*worker, module="dask", **sources) as one,
            running(*worker, module="dask", **sources) as two,
            running(*worker, module="dask", **sources) as three,
        ):
            for each in (one, two, three):
                each.line_with("Registered to:")
            yield address, (one, two, three)


def busy(workers):
    """A worker that has processes below it, and these; None where none has."""
    for worker in workers:
        if below := psutil.Process(worker.process.pid).children(recursive=True):
            return worker, below
    return None


def test_a_class_is_graded_though_a_worker_is_killed(kit, cluster, tmp_path):
    address, workers = cluster
    solution = (kit.folder / "solutions" / KEY / "app.py").read_text()
    for number in range(COUNT + COPIES):
        own = tmp_path / "class" / f"learner-{number}" / "lab" / KEY
        own.mkdir(parents=True)
        # What several hold in the same files is graded once: enough to do for three workers are other ones.
        (own / "app.py").write_text(f"{solution}# {min(number, COUNT - 1)}\n")
        (own / "notes.txt").write_text("mine" if number else "nothing")
    environment = {"PYTHONPATH": str(kit.folder / "src")}
    out = tmp_path / "out"
    command = (
        "grade",
        str(tmp_path / "class"),
        "--out",
        str(out),
        "--scheduler",
        address,
        "--seed",
        "1",
    )
    with running(*command, **environment) as grading:
        victim, below = wait_for(lambda: busy(workers), 120)
        victim.process.send_signal(signal.SIGKILL)
        assert grading.ended() == 0, grading.lines
        said = " ".join(" ".join(grading.lines).split())
        assert f"{COUNT} graded, {COPIES} the same as another's." in said
    wait_for(lambda: not any(each.is_running() for each in below), 30)
    lines = (out / "results.jsonl").read_text().splitlines()
    earned = {r["learner"]: r["stages"][0]["earned"] for r in map(json.loads, lines)}
    rest = {f"learner-{number}": 4 for number in range(1, COUNT + COPIES)}
    assert earned == {"learner-0": 3} | rest


def test_no_scheduler_is_said_so(kit, tmp_path):
    own = tmp_path / "class" / "ada" / "lab" / KEY
    own.mkdir(parents=True)
    (own / "notes.txt").write_text("mine")
    done = kit.lab(
        "grade",
        str(tmp_path / "class"),
        "--out",
        str(tmp_path / "out"),
        "--scheduler",
        "tcp://127.0.0.1:9",
    )
    assert done.returncode == 2 and "127.0.0.1:9" in done.stdout
