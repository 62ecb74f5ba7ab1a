"""Commands of the kit in processes of their own, and what they print, line by line."""

import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress

import boto3
import psutil
import pytest

WAIT_S = 120
ISOLATIONS = [pytest.param("bubblewrap", marks=pytest.mark.needs("bwrap")), "plain"]


class CloudAt:
    """A cloud in another process; `client(name)` as LocalCloud has it."""

    def __init__(self, endpoint_url: str):
        self.endpoint_url = endpoint_url

    def client(self, service: str):
        return boto3.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


def gone(processes: list[psutil.Process]) -> bool:
    """Whether none of the processes runs any more."""
    return not any(
        process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes
    )


class Command:
    """A running command whose lines can be waited for."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self._queue = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)

    def line_with(self, words):
        """Wait for a line that holds the words, and return it."""
        while (line := self._queue.get(timeout=WAIT_S)) is not None:
            self.lines.append(line)
            if words in line:
                return line
        raise AssertionError(f"ended without {words!r}: {self.lines}")

    def family(self):
        """The process and all that it started."""
        own = psutil.Process(self.process.pid)
        return [own, *own.children(recursive=True)]

    def interrupt(self, number=signal.SIGINT):
        """Send the signal, wait for the end, and return the exit code."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self):
        """Wait for the end, read the rest of its lines, and return the exit code."""
        code = self.process.wait(timeout=WAIT_S)
        self._reader.join(timeout=WAIT_S)
        while not self._queue.empty():
            line = self._queue.get()
            if line is not None:
                self.lines.append(line)
        return code


@contextmanager
def running(*arguments, module="labkit.cli", **environment):
    """`python -m MODULE ARGUMENTS`, both outputs together, killed with its children at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    command = Command(process)
    try:
        yield command
    finally:
        with suppress(psutil.NoSuchProcess):
            for member in command.family():
                with suppress(psutil.NoSuchProcess):
                    member.kill()
        process.wait()
        command._reader.join(timeout=WAIT_S)
        process.stdout.close()
