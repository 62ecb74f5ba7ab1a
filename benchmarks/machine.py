"""What the numbers were taken on: CPU, cores, memory, operating system, Python, versions."""

import os
import platform
import sys
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Machine:
    """The computer of a run, as it stands above the table."""

    cpu: str
    cores: int
    memory_gib: float
    system: str
    python: str
    boto3: str
    load: float

    def as_dict(self) -> dict:
        return asdict(self)

    def lines(self) -> list[str]:
        return [
            f"{self.cpu}, {self.cores} cores usable, {self.memory_gib:.0f} GiB, {self.system}",
            f"Python {self.python}, boto3 {self.boto3}, load average before {self.load:.1f}",
        ]


def describe() -> Machine:
    return Machine(
        cpu=_cpu_name(),
        cores=_usable_cores(),
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        system=_system_name(),
        python=platform.python_version(),
        boto3=metadata.version("boto3"),
        load=round(psutil.getloadavg()[0], 1),
    )


def distribution_version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _usable_cores() -> int:
    # Affinity, not the machine's count: a container is often given fewer cores than it sees.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if sys.platform == "linux" and cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _system_name() -> str:
    if sys.platform == "linux":
        try:
            release = platform.freedesktop_os_release()
            return f"{release.get('PRETTY_NAME', 'Linux')} (Linux {platform.release()})"
        except OSError:
            pass
    return platform.platform(terse=True)
