"""The process that a grader's trees are forked from: what all of them load and make, it has once.

    python -m labkit.classroom.tree_host DESCRIPTOR

It has read no submission and is told of none: a tree gets its job through a pipe of its own. On the socket
come {"stage", "confined", "hidden"} and two descriptors, which become a tree's standard input and
output; the answer is a descriptor of its first process (pidfd), for waiting and killing. Where the
socket ends, this process does; the trees end with their input.
"""

import gc
import json
import os
import resource
import socket
import sys
from collections.abc import Iterable
from typing import Any

import localcloud

from .. import needs, packages
from ..grading import preloaded
from ..grading.rehearsal import rehearse
from ..grading.stages import find
from . import grading_process, walls

_OPEN_FILES = 4096
# A single process of the tree; what a stage may take in all is the grading process's to watch.
_PROCESSOR_S = 600
# What checks make clients of beyond those that are made for everybody, by IAM's names of the services.
_CLIENTS = {
    "apigateway": "apigatewayv2", "bedrock": "bedrock-agent", "cloudformation": "cloudformation",
    "dynamodb": "dynamodb", "s3vectors": "s3vectors", "sqs": "sqs",
}  # fmt: skip
_WITH_LAYER = {"lambda:PublishLayerVersion", "cloudformation:CreateStack"}
_MAX_REQUEST = 65536
_loaded: set[str] = set()  # the stages that this process is ready for


def main(descriptor: int) -> int:
    """Serve the socket until it ends."""
    asking = socket.socket(fileno=descriptor)
    while True:
        message, descriptors, _, _ = socket.recv_fds(asking, _MAX_REQUEST, 2)
        if not message:
            return 0
        _reap()
        asked = json.loads(message)
        _load(asked["stage"], asked["confined"])
        pid = os.fork()
        if pid == 0:
            asking.close()
            _become_tree(asked, descriptors)
        watched = os.pidfd_open(pid)
        socket.send_fds(asking, [b"1"], [watched])
        for each in (watched, *descriptors):
            os.close(each)


def _load(key: str, confined: bool) -> None:
    """Make and load what each tree of this stage would make and load anew, seconds in all, as far as no stage
    before it needed it.
    """
    if key in _loaded:
        return
    before, actions = _actions(_loaded), _actions([key])
    services = _services(actions) - _services(before)
    localcloud.load_services(services)
    clients = {_CLIENTS[each] for each in services & _CLIENTS.keys()}
    rehearse(find(key), sorted(clients if _loaded else clients | set(preloaded.SERVICES)), confined)
    if actions & _WITH_LAYER and not before & _WITH_LAYER:
        localcloud.load_package(packages.pillow_layer_zip())
    _loaded.add(key)
    # What is there now stays: no process forked from here needs to look through it, or to copy it for that.
    gc.collect()
    gc.freeze()


def _actions(keys: Iterable[str]) -> set[str]:
    return {action for names in needs.actions(keys, "checks").values() for action in names}


def _services(actions: Iterable[str]) -> set[str]:
    return {action.partition(":")[0] for action in actions}


def _become_tree(asked: dict[str, Any], descriptors: list[int]) -> None:
    """In the fork: be a tree's first process, in namespaces of its own where it is confined."""
    code = 1
    try:
        os.setsid()
        for number, each in enumerate(descriptors):
            os.dup2(each, number)
            os.close(each)
        if asked["confined"]:
            walls.close_in(os.environ["HOME"], asked["hidden"])
        _limit()
        code = grading_process.main()
    except BaseException as error:
        print(f"a tree can't be grown: {error!r}", file=sys.stderr)
    finally:
        os._exit(code)


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


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
