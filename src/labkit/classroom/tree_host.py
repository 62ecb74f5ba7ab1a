"""The process that a grader's trees are forked from: what all of them load and make, it has once.

    python -m labkit.classroom.tree_host DESCRIPTOR

It has read no submission and is told of none: a tree gets its job through a pipe of its own. On the socket
come {"stages", "confined", "hidden"} and two descriptors, which become a tree's standard input and
output; the answer is a descriptor of its first process (pidfd), for waiting and killing. Where the
socket ends, this process does; the trees end with their input.
"""

import ctypes
import functools
import gc
import json
import os
import resource
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import localcloud

from .. import needs, packages, project
from ..grading import preloaded
from . import grading_process

_FOLDER_MB = 1024
_OPEN_FILES = 4096
# A single process of the tree; what a stage may take in all is the grading process's to watch.
_PROCESSOR_S = 600
_CLONE_NEWNS, _CLONE_NEWIPC, _CLONE_NEWUSER, _CLONE_NEWPID, _CLONE_NEWNET = (
    0x00020000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
_PR_SET_PDEATHSIG = 1
# What checks make clients of beyond those that are made for everybody, by IAM's names of the services.
_CLIENTS = {
    "apigateway": "apigatewayv2", "bedrock": "bedrock-agent", "cloudformation": "cloudformation",
    "dynamodb": "dynamodb", "s3vectors": "s3vectors", "sqs": "sqs",
}  # fmt: skip
_MAX_REQUEST = 65536
_libc = ctypes.CDLL(None, use_errno=True)


def main(descriptor: int) -> int:
    """Serve the socket until it ends."""
    asking = socket.socket(fileno=descriptor)
    while True:
        message, descriptors, _, _ = socket.recv_fds(asking, _MAX_REQUEST, 2)
        if not message:
            return 0
        _reap()
        asked = json.loads(message)
        _load(tuple(asked["stages"]))
        pid = os.fork()
        if pid == 0:
            asking.close()
            _become_tree(asked, descriptors)
        watched = os.pidfd_open(pid)
        socket.send_fds(asking, [b"1"], [watched])
        for each in (watched, *descriptors):
            os.close(each)


@functools.cache
def _load(keys: tuple[str, ...]) -> None:
    """Make and load what these stages' processes would each make and load anew, seconds in all."""
    actions = {action for names in needs.actions(keys, "checks").values() for action in names}
    services = {action.partition(":")[0] for action in actions}
    localcloud.load_services(services)
    preloaded.make_clients(*sorted({_CLIENTS[each] for each in services & _CLIENTS.keys()}))
    if actions & {"lambda:PublishLayerVersion", "cloudformation:CreateStack"}:
        packages.pillow_layer_zip()
    # What is there now stays: no process forked from here needs to look through it, or to copy it for that.
    gc.collect()
    gc.freeze()


def _become_tree(asked: dict[str, Any], descriptors: list[int]) -> None:
    """In the fork: be a tree's first process, in namespaces of its own where it is confined."""
    code = 1
    try:
        os.setsid()
        for number, each in enumerate(descriptors):
            os.dup2(each, number)
            os.close(each)
        if asked["confined"]:
            _enter_namespaces()
            _hide(asked["hidden"])
        _limit()
        code = grading_process.main()
    except BaseException as error:
        print(f"a tree can't be grown: {error!r}", file=sys.stderr)
    finally:
        os._exit(code)


def _enter_namespaces() -> None:
    """Go on as process 1 of new namespaces, as their root and nobody's outside; another process stays
    behind as what the grader waits for, and takes process 1 along when it is killed."""
    user, group = os.geteuid(), os.getegid()
    _call("unshare",
          _CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWPID | _CLONE_NEWIPC | _CLONE_NEWNS)  # fmt: skip
    for name, content in (
        ("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1"),
    ):  # fmt: skip
        Path("/proc/self", name).write_text(content)
    pid = os.fork()
    if pid:
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        os.waitpid(pid, 0)
        os._exit(0)
    _call("prctl", _PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _hide(hidden: list[str]) -> None:
    """Mount what only this tree sees: its own /proc, empty places for folders, and one to write to."""
    own = os.environ["HOME"]
    mounts = [("size=4k,mode=0000", path) for path in hidden if os.path.isdir(path)]
    mounts.append((f"size={_FOLDER_MB}m,mode=0700", own))
    script = " && ".join(
        ["mount --make-rprivate /", "mount -t proc -o nosuid,nodev,noexec proc /proc",
         *(f"mount -t tmpfs -o {options} tmpfs {shlex.quote(path)}" for options, path in mounts)]
    )  # fmt: skip
    subprocess.run(["/bin/sh", "-c", script], check=True, stdout=subprocess.DEVNULL)
    os.chdir(project.ROOT)  # what is mounted over it is seen by who enters anew


def _limit() -> None:
    for which, most in (
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CPU, _PROCESSOR_S),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(which)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (most, most))


def _reap() -> None:
    """Take leave of trees that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _call(name: str, *arguments: int) -> None:
    if getattr(_libc, name)(*arguments) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
