"""The first process of an execution environment: it starts the runtime when it is told to.

Copied into the runtime's folder and run inside the isolation for as long as the environment lives, so
that /tmp outlives a runtime that crashed, as it does on AWS. It has imported what awslambdaric itself
imports, and nothing more; each runtime is a fork of it. So a sandbox can be started before anybody
knows which function it is for, as Lambda does with its own, while everything that a function imports
is imported for real, in its Init.

On its standard input come commands, one JSON object a line: `{"assign": {...}}` once, then
`{"start": PROGRAM}`, where the program is `runtime` or an executable, and
`{"signal": [PROGRAM, NUMBER]}`. On its standard error go
`ready` and `STATUS PROGRAM`, the exit status of each program that ended (negative: the signal).
The runtime writes to its standard output, extensions to the descriptor that its argument names.
Where the sandbox has a network of its own, three more arguments name a socket and two ports: on these the
server outside is to listen in that network, by way of listeners that it gets through the socket.
"""

import gc
import importlib
import json
import os
import select
import signal
import sys

import awslambdaric.__main__
import bootstrap
from kernel import Kernel

# What a process or its libraries read when they start: where a function sets one of these, its
# runtime has to start anew instead of being forked.
_READ_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "TZ", "MALLOC_", "GLIBC_")


class ForkServer:
    """Takes commands and starts programs; `serve` returns only in the process of a runtime."""

    def __init__(self, extension_output):
        self._extension_output = extension_output
        self._kernel = Kernel() if sys.platform.startswith("linux") else None
        if self._kernel and os.getpid() != 1:
            self._kernel.take_orphans()
        self._status = os.dup(2)
        os.dup2(1, 2)
        self._wake, self._wake_write = os.pipe()
        os.set_blocking(self._wake, False)
        os.set_blocking(self._wake_write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write)
        self._programs = {}
        self._environment = {}
        self._opt = ""

    def serve(self):
        """Serve until the input ends. In a forked runtime return the folder that stands for /opt."""
        self._report("ready")
        rest = b""
        while True:
            readable, _, _ = select.select([0, self._wake], [], [])
            if self._wake in readable:
                os.read(self._wake, 4096)
                self._reap()
            if 0 not in readable:
                continue
            data = os.read(0, 65536)
            if not data:  # the server is gone
                for pid in self._programs:
                    os.killpg(pid, signal.SIGKILL)
                os._exit(0)
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                command = json.loads(line)
                if "assign" in command:
                    self._assign(**command["assign"])
                elif "signal" in command:
                    self._signal(*command["signal"])
                elif self._start(command["start"]):
                    return self._opt

    def _assign(self, environment, directory, opt, mount=None):
        if mount:
            self._mount(**mount)
        self._environment = environment
        self._opt = opt
        os.chdir(directory)

    def _mount(self, binds, tmp_bytes, store, confined=False):
        """Put the function's folders in their places, hide all others' and give up the right to."""
        for source, target in binds:
            self._kernel.bind(source, target)
        self._kernel.mount_tmpfs("/tmp", f"size={tmp_bytes},mode=0700")
        self._kernel.mount_tmpfs(store, "size=4k,mode=0000")
        self._kernel.drop_capabilities()
        if confined:
            self._kernel.forbid_unneeded_calls()

    def _start(self, program):
        """Start a program; True in the process that is to become the runtime."""
        pid = os.fork()
        if pid:
            self._programs[pid] = program
            return False
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor in (self._wake, self._wake_write, self._status):
            os.close(descriptor)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        if program != "runtime":
            os.dup2(self._extension_output, 1)
            os.dup2(self._extension_output, 2)
        os.close(self._extension_output)
        os.setpgid(0, 0)  # so that one signal reaches all that it starts
        command = self._command(program)
        if command is None:
            os.environ.clear()
            os.environ.update(self._environment)
            return True
        try:
            os.execve(command[0], command, self._environment)
        except OSError as error:
            os.write(1, f"{command[0]}: {error.strerror}\n".encode())
            os._exit(127 if isinstance(error, FileNotFoundError) else 126)

    def _signal(self, program, number):
        for pid, name in self._programs.items():
            if name == program:
                os.killpg(pid, number)

    def _command(self, program):
        """The command to execute, or None where this very process can become the runtime."""
        if program != "runtime":
            return [program]
        command = [sys.executable, "-S", bootstrap.__file__, self._opt]
        wrapper = self._environment.get("AWS_LAMBDA_EXEC_WRAPPER")
        if wrapper:
            return [wrapper, *command]
        ours, wanted = (
            {name: value for name, value in variables.items() if name.startswith(_READ_AT_START)}
            for variables in (os.environ, self._environment)
        )
        return None if ours == wanted else command

    def _reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            program = self._programs.pop(pid, None)  # else an orphan that was handed to us
            if program:
                self._report(f"{os.waitstatus_to_exitcode(status)} {program}")

    def _report(self, line):
        os.write(self._status, line.encode() + b"\n")


def hand_over_listeners(descriptor, *ports):
    """Give listeners on these ports of the sandbox's own network to the server outside."""
    before = set(sys.modules)
    import socket

    listeners = [socket.create_server(("127.0.0.1", port), backlog=128) for port in ports]
    with socket.socket(fileno=descriptor) as server:
        socket.send_fds(server, [b"l"], [listener.fileno() for listener in listeners])
    for listener in listeners:
        listener.close()
    for name in set(sys.modules) - before:  # a function that wants it imports it for itself
        del sys.modules[name]


def become_runtime(opt):
    """Turn this fork into the runtime: what awslambdaric read from the variables, it reads anew.

    All but the Runtime API's address, which its native client reads when it is loaded: a sandbox has
    the same from the beginning.
    """
    if "AWS_LAMBDA_LOG_FORMAT" in os.environ:
        importlib.reload(awslambdaric.bootstrap)
    sys.modules["__main__"] = bootstrap
    bootstrap.run(opt)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        hand_over_listeners(*map(int, sys.argv[2:]))
    gc.freeze()  # what is shared with every fork need not be looked through in each
    become_runtime(ForkServer(int(sys.argv[1])).serve())
