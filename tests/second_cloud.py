"""The way to AWS against a second implementation that nobody here wrote: MiniStack, in a process of its own.

    python tests/second_cloud.py [WHAT…]     runs it all and prints the table of docs/aws.md: `make second`

LAB_TARGET=aws and AWS_ENDPOINT_URL lead there, as they would lead to AWS: nothing of the local cloud
takes part. benchmarks/ministack.lock says which version.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.peer import ministack_launch, with_cfnresponse
from benchmarks.servers import Server

from labkit import project
from labkit.grading.stages import stages

LIMIT_S = 300


@dataclass(frozen=True)
class Outcome:
    """What came of one command: how many checks passed of how many, and what the others saw."""

    what: str
    passed: int
    count: int
    seconds: float
    reasons: tuple[str, ...] = ()


@contextmanager
def second_cloud() -> Iterator[dict[str, str]]:
    """Start it, and yield the environment that leads the `lab` command there."""
    launch = ministack_launch(lambda words: print(words, file=sys.stderr))
    server = Server(with_cfnresponse(launch))
    try:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LAB_"))}
        yield kept | {
            "LAB_TARGET": "aws", "AWS_ENDPOINT_URL": server.url, "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        }  # fmt: skip
    finally:
        server.stop()


def lab(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run the `lab` command there."""
    return subprocess.run(
        [sys.executable, "-m", "labkit.cli", *words], env=environment, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=LIMIT_S,
    )  # fmt: skip


def tried(environment: dict[str, str], what: str) -> Outcome:
    """Run `lab demo`, or check the solution of a stage."""
    began = time.monotonic()
    try:
        return _tried(environment, what, began)
    except subprocess.TimeoutExpired:
        return Outcome(what, 0, 1, LIMIT_S, (f"no end in {LIMIT_S} s",))


def _tried(environment: dict[str, str], what: str, began: float) -> Outcome:
    if what == "demo":
        done = lab(environment, "demo", "--yes", "--json")
        answer = json.loads(done.stdout) if done.stdout else {"faults": [done.stderr[-300:]]}
        faults = tuple(answer["faults"])
        return Outcome(what, int(not faults), 1, time.monotonic() - began, faults)
    done = lab(
        environment, "check", what, "--workspace", str(project.SOLUTIONS), "--seed", "1", "--yes", "--json"
    )  # fmt: skip
    if not done.stdout:
        return Outcome(what, 0, 1, time.monotonic() - began, (done.stderr[-300:],))
    (result,) = json.loads(done.stdout)["stages"]
    checks = result["checks"]
    passed = [check for check in checks if check["outcome"] == "passed"]
    reasons = tuple(
        f"{check['name']}: {check['seen']}" for check in checks if check["outcome"] == "failed"
    )
    return Outcome(what, len(passed), len(checks), time.monotonic() - began, reasons)


def main(chosen: list[str]) -> int:
    """Run them all, each on a cloud of its own, and print the table; return 0."""
    print("| what | passes | time | what does not, and what is seen |\n|---|---|---|---|")
    for what in chosen or ["demo", *(stage.key for stage in stages())]:
        with second_cloud() as environment:
            found = tried(environment, what)
        reasons = "; ".join(" ".join(reason.split())[:160] for reason in found.reasons)
        print(
            f"| {found.what} | {found.passed} of {found.count} | {found.seconds:.0f} s | {reasons} |",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
