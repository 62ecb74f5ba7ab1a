"""The processes of one execution environment, seen from outside.

A fork server (fork_server.py) lives inside the isolation for as long as the environment does. A
sandbox can be started before it is known which function it is for; `assign` makes it a function's.
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Coroutine, Mapping

from . import process_tree
from .isolation import Contents, Isolation, Place
from .variables import base_variables

# 1,024 open files and processes are Lambda's own limits ("Lambda quotas"). Processes are counted for
# each user namespace since Linux 5.14; before that, and without one, all of the user's would count.
# The option is -p in dash and -u in other shells; root is exempt.
_FILES = "ulimit -n 1024; "
_PROCESSES = "ulimit -p 1024 2>/dev/null || ulimit -u 1024 2>/dev/null; "
_START = 'server="$1/fork_server.py"; shift; exec "$0" -S "$server" "$@"'
_RUNTIME_API_PORT = 9001  # Lambda's own, where nobody else listens
OpenDoor = Callable[[socket.socket], Coroutine[None, None, asyncio.Server]]
_COUNTS_BY_NAMESPACE = [int(n) for n in re.findall(r"\d+", os.uname().release)[:2]] >= [5, 14]


class Sandbox:
    """Starts, freezes, thaws, measures and kills what runs inside one environment.

    `on_exit(program, status)` is called when a program ends (a negative status is a signal), and
    `on_gone()` once when the sandbox itself has ended. Belongs to the event loop.

    A sandbox with a network of its own gets listeners in it: one for its Runtime API, and one for the
    cloud, which `open_door` serves; `cloud_port` is the port on which the function looks for it.
    """

    def __init__(
        self,
        isolation: Isolation,
        place: Place,
        cloud_port: int = 0,
        open_door: OpenDoor | None = None,
    ):
        self.view = isolation.view(place)
        isolation.prepare(place)
        self._isolation = isolation
        self._place = place
        self._loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[bool] = self._loop.create_future()
        self.on_exit: Callable[[str, int], None] = lambda program, status: None
        self.on_gone: Callable[[], None] = lambda: None
        # Where its Runtime API is to listen: awslambdaric wants to know it from the beginning.
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.runtime_api = "{}:{}".format(*self.listener.getsockname())
        self._open_door = open_door
        self._door: asyncio.Task[asyncio.Server] | None = None
        self._handed_over = theirs = None
        given: list[str] = []
        if isolation.own_network:
            self.runtime_api = f"127.0.0.1:{_RUNTIME_API_PORT}"
            self._handed_over, theirs = socket.socketpair()
            given = [str(theirs.fileno()), str(_RUNTIME_API_PORT), str(cloud_port)]
        (function, function_write), (extension, extension_write), (status, status_write) = (
            os.pipe() for _ in range(3)
        )
        for descriptor in (function, extension, status):
            os.set_blocking(descriptor, False)
        # What the function and the external extensions write, to be read from here.
        self.outputs = {"function": function, "extension": extension}
        self._status = status
        self._rest = b""
        limited = isolation.depth > 1 and _COUNTS_BY_NAMESPACE
        script = _FILES + (_PROCESSES if limited else "") + _START
        try:
            self._process = subprocess.Popen(
                [*isolation.command(place), "/bin/sh", "-c", script,
                 self.view.python, self.view.runtime, str(extension_write), *given],
                stdin=subprocess.PIPE,
                stdout=function_write,
                stderr=status_write,
                pass_fds=(extension_write, *([theirs.fileno()] if theirs else [])),
                env={**base_variables(self.view), "AWS_LAMBDA_RUNTIME_API": self.runtime_api},
                start_new_session=True,
            )  # fmt: skip
        except BaseException:
            for descriptor in (function, extension, status):
                os.close(descriptor)
            raise
        finally:
            for descriptor in (function_write, extension_write, status_write):
                os.close(descriptor)
            if theirs:
                theirs.close()
        self._gone = False
        self._server = 0
        self._programs = 0
        self._groups: list[int] = []
        self._strays: list[int] = []
        self._loop.add_reader(status, self._on_status)

    @property
    def is_alive(self) -> bool:
        """Whether the fork server is there, or on its way."""
        return not self._gone

    def assign(self, contents: Contents, environment: Mapping[str, str]) -> None:
        """Give the sandbox to a function. Raises BrokenPipeError where the sandbox is gone."""
        self._command(
            assign={
                "environment": dict(environment),
                "directory": self.view.task_root,
                "opt": self.view.opt,
                **self._isolation.fill(self._place, contents),
            }
        )

    def start(self, program: str = "runtime") -> None:
        """Start the runtime, or an executable. Raises BrokenPipeError where the sandbox is gone."""
        self._command(start=program)
        self._programs += 1
        self._groups = []

    def signal(self, program: str, number: signal.Signals) -> None:
        """Send a signal to a program that was started, if it still runs, and to what it started."""
        self._command(signal=[program, number])

    @property
    def programs(self) -> int:
        """How many of the programs that were started still run."""
        return self._programs

    def freeze(self) -> None:
        """Stop the function's processes, background threads included."""
        process_tree.send_to_groups(self._find_groups(), signal.SIGSTOP)

    def freeze_strays(self) -> None:
        """Stop those, too, that have left the process groups that were started."""
        self._strays = self.processes()
        process_tree.send(self._strays, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        process_tree.send_to_groups(self._find_groups(), signal.SIGCONT)
        if self._strays:
            process_tree.send(self._strays, signal.SIGCONT)
            self._strays = []

    def processes(self) -> list[int]:
        """The runtime and all that the function started, without the sandbox's own processes."""
        server = self._find_server()
        return process_tree.descendants(server) if server else []

    def resident_bytes(self, processes: list[int] | None = None) -> int:
        """Memory that processes hold now; of the programs that were started if none are given."""
        return sum(map(process_tree.resident_bytes, processes or self._find_groups()))

    def peak_bytes(self) -> int:
        """The largest resident sets of the programs that were started, added up."""
        return sum(map(process_tree.peak_resident_bytes, self._find_groups()))

    def cpu_seconds(self) -> float:
        """The processor time of the programs that were started."""
        return sum(map(process_tree.cpu_seconds, self._find_groups()))

    def kill_programs(self) -> None:
        """Kill the function's processes; the sandbox and its /tmp stay."""
        process_tree.kill(self.processes)
        self._groups = []

    def destroy(self) -> None:
        """Kill everything and wait until it is gone."""
        # Where the fork server is process 1 of a namespace, all that is in it dies with it, and
        # whoever started it sees that and ends.
        server = self._find_server() or self._process.pid
        process_tree.send([*self.processes(), server], signal.SIGKILL)
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()
        if not self._gone:
            self._end()
        for descriptor in self.outputs.values():
            os.close(descriptor)
        self.listener.close()
        if self._door:
            self._door.add_done_callback(_close)
        if self._handed_over:
            self._handed_over.close()
        if self._place.own.exists():
            shutil.rmtree(self._place.own, ignore_errors=True)

    def _command(self, **command) -> None:
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()

    def _find_server(self) -> int:
        """The fork server's process id, as this machine counts; 0 where it is gone."""
        if not self._server:
            pid = self._process.pid
            for _ in range(self._isolation.depth - 1):
                below = process_tree.children(pid)
                if not below:
                    return 0
                pid = below[0]
            self._server = pid
        return self._server

    def _find_groups(self) -> list[int]:
        """The programs that were started: each leads a process group."""
        if self._groups:
            return self._groups
        groups = process_tree.children(self._find_server())
        if len(groups) >= self._programs:  # else one is about to be forked
            self._groups = groups
        return groups

    def _on_status(self) -> None:
        try:
            data = os.read(self._status, 4096)
        except BlockingIOError:
            return
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            status, _, program = line.decode(errors="replace").partition(" ")
            if status == "ready":
                self._take_listeners()
                self.ready.set_result(True)
            elif program and status.lstrip("-").isdigit():  # else a word of bubblewrap's or sh's
                self._groups = []
                self._programs -= 1
                self.on_exit(program, int(status))
        if not data:
            self._end()
            self.on_gone()

    def _take_listeners(self) -> None:
        """Listen in the sandbox's own network from here."""
        if self._handed_over:
            _, descriptors, _, _ = socket.recv_fds(self._handed_over, 1, 2)
            self.listener.close()
            self.listener, door = (socket.socket(fileno=each) for each in descriptors)
            self._door = self._loop.create_task(self._open_door(door))

    def _end(self) -> None:
        self._gone = True
        self._loop.remove_reader(self._status)
        os.close(self._status)
        if not self.ready.done():
            self.ready.set_result(False)


def _close(door: asyncio.Task[asyncio.Server]) -> None:
    if not door.cancelled() and door.exception() is None:
        door.result().close()
