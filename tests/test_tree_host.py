"""The process that a grader's trees are forked from: it may die, and its forks are nobody's twins."""

import json
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
REHEARSAL = """
    import json, os, sys, threading
    import boto3
    from labkit.grading import preloaded
    from labkit.grading.rehearsal import rehearse
    from labkit.grading.stages import find
    from localcloud import LocalCloud

    environment = dict(os.environ)
    rehearse(find("07-events-and-iam"), preloaded.SERVICES, True)
    left = {
        "threads": threading.active_count() - 1, "environment": dict(os.environ) != environment,
        "keys": boto3.DEFAULT_SESSION.get_credentials() is not None,
    }
    with LocalCloud(port=0) as cloud:
        left["buckets"] = cloud.client("s3").list_buckets()["Buckets"]
        left["roles"] = cloud.client("iam").list_roles()["Roles"]
    print(json.dumps([left, "checks.check_07_events_and_iam" in sys.modules]))
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


def test_a_rehearsal_leaves_nothing_but_what_was_loaded(tmp_path):
    said = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(REHEARSAL)], cwd=project.ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(project.ROOT / "src"), "HOME": str(tmp_path),
             "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True, text=True, timeout=LIMIT_S,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    left, is_loaded = json.loads(said.stdout)
    assert not any(left.values()), left
    assert is_loaded
