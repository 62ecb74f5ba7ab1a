"""The processes of one execution environment.

A small shell lives inside the isolation for as long as the environment does and starts the runtime
when it is told to: so /tmp outlives a runtime that crashed, as it does on AWS. It reports the exit
status of each runtime on a pipe of its own.
"""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from . import process_tree
from .isolation import Folders, Isolation, View

# A line on its input starts the runtime, whose two outputs go to the log; the shell's own error
# output carries the exit statuses. 1,024 open files is Lambda's own limit.
_SCRIPT = """ulimit -n 1024
while read -r line; do (exec "$0" -S "$1/bootstrap.py" "$2" </dev/null 2>&1); echo $? >&2; done"""


class Sandbox:
    """Starts, freezes, thaws, measures and kills what runs inside one environment."""

    def __init__(self, isolation: Isolation, folders: Folders, environment: Mapping[str, str]):
        self._isolation = isolation
        view: View = isolation.view(folders)
        log_read, log_write = os.pipe()
        status_read, status_write = os.pipe()
        for descriptor in (log_read, status_read):
            os.set_blocking(descriptor, False)
        self.log_descriptor = log_read
        self.status_descriptor = status_read
        try:
            self._process = subprocess.Popen(
                [*isolation.command(folders), "/bin/sh", "-c", _SCRIPT,
                 view.python, view.runtime, view.opt],
                stdin=subprocess.PIPE,
                stdout=log_write,
                stderr=status_write,
                env=dict(environment),
                cwd=view.task_root if Path(view.task_root).is_dir() else "/",
                start_new_session=True,
            )  # fmt: skip
        except BaseException:
            for descriptor in (log_read, status_read):
                os.close(descriptor)
            raise
        finally:
            os.close(log_write)
            os.close(status_write)
        self._frozen: list[int] = []

    def start_runtime(self) -> None:
        """Start the runtime process. Raises BrokenPipeError where the sandbox is gone."""
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def runtime_pids(self) -> list[int]:
        """The runtime and all that the function started, without the sandbox's own processes."""
        own = {self._process.pid}
        pid = self._process.pid
        for _ in range(self._isolation.depth - 1):
            below = process_tree.children(pid)
            if not below:
                return []
            pid = below[0]
            own.add(pid)
        return [pid for pid in process_tree.descendants(self._process.pid) if pid not in own]

    def freeze(self) -> None:
        """Stop every process of the function, background threads included."""
        self._frozen = self.runtime_pids()
        process_tree.send(self._frozen, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        process_tree.send(self._frozen, signal.SIGCONT)
        self._frozen = []

    def resident_bytes(self) -> int:
        """Memory that the function's processes hold now."""
        return sum(map(process_tree.resident_bytes, self.runtime_pids()))

    def peak_bytes(self) -> int:
        """The largest resident sets that the function's processes have had, added up."""
        return sum(map(process_tree.peak_resident_bytes, self.runtime_pids()))

    def kill_runtime(self) -> None:
        """Kill the function's processes; the sandbox and its /tmp stay."""
        process_tree.send(self.runtime_pids(), signal.SIGKILL)

    def destroy(self) -> None:
        """Kill everything and wait until it is gone."""
        process_tree.send(self.runtime_pids(), signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()
        os.close(self.log_descriptor)
        os.close(self.status_descriptor)
