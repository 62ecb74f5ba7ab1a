"""The first process of a tree: it has one stage of a submission graded, and watches.

It is a fork of tree_host.py's process. It reads one line of JSON: {"files": {NAME: base64}, "stage": KEY,
"seed", "confined"}. The stage is graded in a fork with a local cloud, watched from here: one that takes
more time or memory than a stage may is killed with all below it, and its other checks count as not run.
The result goes out as a line of JSON.

Learner code runs in neither process, but in the execution environments of the cloud.
"""

import base64
import contextlib
import json
import multiprocessing
import os
import re
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path

import psutil

import localcloud
from localcloud import LocalCloud  # each stage's process is a fork of this one

from .. import target
from ..grading.results import CheckResult, StageResult
from ..grading.run import Listener, grade
from ..grading.stages import Stage, find

_LOOK_S = 0.25
_KEPT_S = 86400
_HELD = re.compile(rb"Rss(?:Anon|Shmem):\s+(\d+) kB")  # proc_pid_status(5)
# Names and ids that chance makes and that say nothing: without them a regrade gives the same words.
_CHANCE = (
    (re.compile(r"lab-check-[0-9a-f]{8}"), "lab-check"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "(id)"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1"),
    (re.compile(r"/[^\s'\"]*/lab-grade-[a-z0-9_]+"), "…"),
)


@dataclass(frozen=True)
class Limits:
    """What grading one stage may take: wall time and processor time in seconds, memory in MiB, processes."""

    seconds: float = 240
    processor_s: float = 240
    memory_mb: int = 3072
    processes: int = 2500


def main() -> int:
    """Grade what standard input asks for."""
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nothing but answers may come out there
    if job["confined"]:
        # Looked for once, and remembered in the fork; without it the stage's cloud says why not.
        with contextlib.suppress(RuntimeError):
            localcloud.require_confinement()
    with tempfile.TemporaryDirectory() as folder:
        stage, workspace = find(job["stage"]), Path(folder) / "lab"
        own = workspace / stage.key
        own.mkdir(parents=True)
        for name, content in job["files"].items():
            target = own / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(base64.b64decode(content))
        result = _graded(stage, workspace, job["seed"], job["confined"], Limits())
        answers.write(json.dumps(result.as_json()) + "\n")
        answers.flush()
    return 0


def _graded(
    stage: Stage, workspace: Path, seed: int, confined: bool, limits: Limits
) -> StageResult:
    """Grade a stage in a process of its own, within the limits."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    pid = os.fork()
    if pid == 0:
        ours.close()
        _work(theirs, stage, workspace, seed, confined)
    theirs.close()
    checks: list[CheckResult] = []
    result, fault = None, ""
    deadline = time.monotonic() + limits.seconds
    try:
        while result is None and not fault:
            if ours.poll(_LOOK_S):
                kind, value = ours.recv()
                if kind == "check":
                    checks.append(value)
                else:
                    result = value
            elif time.monotonic() > deadline:
                fault = f"stopped: it took longer than {limits.seconds:g} s"
            else:
                fault = _overdrawn(pid, limits)
    except EOFError:
        fault = "stopped: its grading ended early"
    _kill(pid)
    ours.close()
    if result is None:
        result = StageResult(stage.key, stage.title, seed, tuple(checks), fault)
    return replace(result, checks=tuple(map(_without_chance, result.checks)),
                   fault=_plain(result.fault))  # fmt: skip


def _work(results: Connection, stage: Stage, workspace: Path, seed: int, confined: bool) -> None:
    """In the fork: the cloud, the checks, and out."""

    class Teller(Listener):
        def ended(self, stage: Stage, result: CheckResult) -> None:
            results.send(("check", result))

    os.setsid()
    packages = workspace.parent / "packages"
    try:
        # No sandbox stands ready: nobody waits at a keyboard, and two of each cloud's would never be used.
        cloud = LocalCloud(
            port=0, confined=confined, folder=packages, packages_kept_s=_KEPT_S, spare_sandboxes=0
        ).start()
        keys = cloud.administrator if confined else ("test", "test")
        target.keep_to(cloud.endpoint_url, *keys)
        (result,) = grade([stage], workspace, seed=seed, listener=Teller())
    except BaseException as error:
        result = StageResult(stage.key, stage.title, seed, (), f"it can't be graded: {error!r}")
    results.send(("result", result))
    os._exit(0)


def _overdrawn(pid: int, limits: Limits) -> str:
    """Which limit the process and all below it go beyond, as a sentence; empty where none."""
    memory = processor = count = 0
    tmp = {}
    try:
        members = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return ""
    for member in members:
        try:
            memory += _held_bytes(member.pid)
            times = member.cpu_times()
            processor += times.user + times.system + times.children_user + times.children_system
            count += 1
            root = f"/proc/{member.pid}/root/tmp"
            place = os.stat(root).st_dev
            if place not in tmp:
                space = os.statvfs(root)
                tmp[place] = (space.f_blocks - space.f_bfree) * space.f_frsize
        except (psutil.Error, OSError):
            continue
    memory += sum(used for place, used in tmp.items() if place != os.stat("/tmp").st_dev)
    if memory > limits.memory_mb * 1024 * 1024:
        return f"stopped: it took more than {limits.memory_mb} MB of memory and /tmp"
    if processor > limits.processor_s:
        return f"stopped: it took more than {limits.processor_s:g} s of processor time"
    if count > limits.processes:
        return f"stopped: it ran more than {limits.processes} processes at once"
    return ""


def _held_bytes(pid: int) -> int:
    """What a process holds for itself and what it shares with others; not the files that it has mapped."""
    with open(f"/proc/{pid}/status", "rb") as status:
        return sum(int(kb) * 1024 for kb in _HELD.findall(status.read()))


def _kill(pid: int) -> None:
    """Kill a stage's process and all below it, and wait for its end."""
    try:
        below = psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        below = []
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    # The sandboxes' outer processes die with their parent; this is for the rest.
    for process in below:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(below, timeout=5)


def _without_chance(check: CheckResult) -> CheckResult:
    words = {name: _plain(getattr(check, name)) for name in ("tried", "expected", "seen")}
    return replace(check, log=tuple(map(_plain, check.log)), **words)


def _plain(words: str) -> str:
    for pattern, instead in _CHANCE:
        words = pattern.sub(instead, words)
    return words


def _end_with_input() -> None:
    """Whoever wants the answers is gone: end, and with process 1 all of the tree."""
    while os.read(0, 4096):
        pass
    os._exit(1)
