"""``python -m benchmarks``: start both clouds, measure turn by turn, print one table."""

import argparse
import contextlib
import json
import signal
import sys
from pathlib import Path

from rich.console import Console

from . import machine, measures, thumbnail
from .measures import FULL, MEASURES, QUICK, Plan
from .peer import PeerMissing, ministack_launch, without_boto3
from .servers import Endpoint, Launch, Server, ServerFailed, localcloud_launch
from .table import OURS, outcomes, render
from .turns import Samples

NAMES = ("start", *MEASURES)


def main(arguments: list[str] | None = None) -> int:
    """Run the bench. Exit code 0 if at least one cloud was measured, whatever the targets say."""
    options = _parse(arguments)
    console = Console(stderr=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that every server is stopped
    plan = QUICK if options.quick else FULL
    wanted = options.only or list(NAMES)
    computer = machine.describe()  # before the run: its load average must not be ours
    launches = _launches(options, console)
    versions = {launch.name: launch.version for launch in launches}
    results: dict[str, Samples] = {}
    if "start" in wanted and launches:
        with console.status("Measuring start …"):
            whole = [launch for launch in launches if not launch.measures]
            results |= measures.start(whole, plan)
    if set(wanted) & set(MEASURES):
        with contextlib.ExitStack() as stack:
            clouds = _clouds(options, launches, wanted, stack, console)
            results |= _measure(clouds, wanted, plan, console)
    if not any(values for samples in results.values() for values in samples.values.values()):
        console.print("Nothing could be measured:", *_failures(results), sep="\n", markup=False)
        return 1
    _report(results, versions, computer, options)
    return 0


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few repetitions, about a minute")
    parser.add_argument("--only", action="append", choices=NAMES, metavar="NAME",
                        help=f"measure only this, may be repeated: {', '.join(NAMES)}")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every sample there")
    parser.add_argument("--no-peer", action="store_true", help="leave MiniStack out")
    parser.add_argument("--no-ours", action="store_true", help="leave localcloud out")
    parser.add_argument("--endpoint", metavar="URL",
                        help="measure what answers there in localcloud's place")  # fmt: skip
    return parser.parse_args(arguments)


def _launches(options: argparse.Namespace, console: Console) -> list[Launch]:
    launches = []
    if not (options.no_ours or options.endpoint):
        launches.append(localcloud_launch(machine.distribution_version("serverless-lab-kit")))
    if not options.no_peer:
        try:
            peer = ministack_launch(console.print)
            launches += [peer, without_boto3(peer)]
        except PeerMissing as error:
            console.print(f"MiniStack could not be installed, so it is left out: {error}")
    return launches


def _clouds(
    options: argparse.Namespace,
    launches: list[Launch],
    wanted: list[str],
    stack: contextlib.ExitStack,
    console: Console,
) -> list[Endpoint]:
    clouds: list[Endpoint] = []
    if options.endpoint:
        clouds.append(Endpoint(OURS, options.endpoint, options.endpoint))
    for launch in launches:
        if launch.measures and not launch.measures & set(wanted):
            continue
        try:
            server = Server(launch)
        except ServerFailed as error:
            console.print(str(error), markup=False)
            continue
        stack.callback(server.stop)
        clouds.append(server)
    return clouds


def _measure(
    clouds: list[Endpoint], wanted: list[str], plan: Plan, console: Console
) -> dict[str, Samples]:
    results: dict[str, Samples] = {}
    for name in [name for name in MEASURES if name in wanted]:
        with console.status(f"Measuring {name} …"):
            taking_part = [c for c in clouds if not c.measures or name in c.measures]
            results |= MEASURES[name](taking_part, plan)
    if results:
        results |= measures.memory_after([cloud for cloud in clouds if not cloud.measures])
    return results


def _failures(results: dict[str, Samples]) -> list[str]:
    return [
        f"{cloud}, {name}: {failure}"
        for name, samples in results.items()
        for cloud, failure in samples.failures.items()
    ]


def _report(
    results: dict[str, Samples],
    versions: dict[str, str],
    computer: machine.Machine,
    options: argparse.Namespace,
) -> None:
    found = outcomes(results)
    photo, origin = thumbnail.photograph()
    out = Console()
    if not out.is_terminal:
        out = Console(width=120)  # a log or a file: the measures stay on one line each
    for line in computer.lines():
        out.print(line, highlight=False)
    out.print(f"JPEG of {len(photo) / 1000:.0f} kB, made from {origin}", highlight=False)
    out.print(render(found, versions, results))
    for failure in _failures(results):
        out.print(failure, markup=False, highlight=False)
    if options.json:
        told = {
            "machine": computer.as_dict(),
            "versions": versions,
            "photograph": origin,
            "quick": options.quick,
            "table": [outcome.as_dict() for outcome in found],
            "samples": {
                name: {"values": samples.values, "failures": samples.failures}
                for name, samples in results.items()
            },
        }
        options.json.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
