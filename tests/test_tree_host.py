"""The process that a grader's trees are forked from: it may die, and its forks are nobody's twins."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from labkit import project
from labkit.classroom import tree

pytestmark = [pytest.mark.needs("bwrap"), pytest.mark.timeout(300)]
KEY = "07-events-and-iam"
LIMIT_S = 240
FORKS = """
    import os
    import localcloud

    localcloud.load_services(["iam"])
    for _ in range(2):
        if os.fork() == 0:
            with localcloud.LocalCloud(port=0) as cloud:
                iam = cloud.client("iam")
                made = iam.create_user(UserName="somebody")["User"]["UserId"]
                key = iam.create_access_key(UserName="somebody")["AccessKey"]["SecretAccessKey"]
            print(made, key, flush=True)
            os._exit(0)
        os.wait()
"""


def graded():
    job = {"files": {}, "stage": KEY, "seed": 7, "confined": True}
    hidden = [project.CHECKS.parent / "notebooks"]
    return list(tree.run(job, trusted=False, hidden=hidden))


def test_a_host_that_died_is_started_anew():
    (before,) = graded()
    host = tree._host._process
    os.kill(host.pid, signal.SIGKILL)
    (after,) = graded()
    assert tree._host._process.pid != host.pid
    for stage in (before, after):
        assert stage["key"] == KEY and stage["checks"] and not stage["fault"]
        assert not stage["earned"], "nothing was handed in"


def test_clouds_of_forked_processes_make_ids_and_keys_of_their_own():
    said = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(FORKS)],
        capture_output=True, text=True, timeout=LIMIT_S,
    )  # fmt: skip
    ids, keys = zip(*map(str.split, said.stdout.splitlines()), strict=True)
    assert len(set(ids)) == len(set(keys)) == 2, said.stderr
