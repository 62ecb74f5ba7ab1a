"""The processes of an execution environment: which they are, how much memory and time they take."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

# Linux lists a process's children in one small file; elsewhere psutil scans the process table.
_HAS_CHILDREN_FILE = Path(f"/proc/self/task/{os.getpid()}/children").exists()
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PROCESS_CPU_CLOCK = 2  # CPUCLOCK_SCHED, in the clock ids that clock_getcpuclockid(3) makes


def children(pid: int) -> list[int]:
    """The direct children of a process; empty where it is gone."""
    if not _HAS_CHILDREN_FILE:
        with contextlib.suppress(psutil.Error):
            return [child.pid for child in psutil.Process(pid).children()]
        return []
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as listing:
                found.extend(map(int, listing.read().split()))
    return found


def descendants(pid: int) -> list[int]:
    """All processes below `pid`, parents before their children."""
    found = children(pid)
    for child in found:  # grows as it goes
        found.extend(children(child))
    return found


def resident_bytes(pid: int) -> int:
    """The resident set of a process now, 0 where it is gone."""
    if _HAS_CHILDREN_FILE:
        with contextlib.suppress(OSError), open(f"/proc/{pid}/statm", "rb") as statm:
            return int(statm.read().split()[1]) * _PAGE_BYTES
        return 0
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).memory_info().rss
    return 0


def peak_resident_bytes(pid: int) -> int:
    """The largest resident set that a process has had, where the system keeps it; else that of now."""
    if _HAS_CHILDREN_FILE:
        with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/status", "rb") as status:
            text = status.read()
            start = text.index(b"VmHWM:") + 6
            return int(text[start : text.index(b"kB", start)]) * 1024
        return 0
    return resident_bytes(pid)


def cpu_seconds(pid: int) -> float:
    """The processor time that a process's threads have taken, 0 where it is gone."""
    if _HAS_CHILDREN_FILE:
        with contextlib.suppress(OSError):
            return time.clock_gettime((~pid << 3) | _PROCESS_CPU_CLOCK)
        return 0.0
    with contextlib.suppress(psutil.Error):
        times = psutil.Process(pid).cpu_times()
        return times.user + times.system
    return 0.0


def send(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to each process that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def send_to_groups(groups: list[int], number: signal.Signals) -> None:
    """Send a signal to all processes of each process group."""
    for group in groups:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def kill(find: Callable[[], list[int]]) -> None:
    """Kill what `find` lists, and what was forked meanwhile: until two looks find nothing new.

    A process with a SIGKILL waiting for it forks no more, so this ends, even for a fork bomb.
    """
    killed: set[int] = set()
    looks_in_vain = 0
    while looks_in_vain < 2:
        new = [pid for pid in find() if pid not in killed]
        send(new, signal.SIGKILL)
        killed.update(new)
        looks_in_vain = 0 if new else looks_in_vain + 1
