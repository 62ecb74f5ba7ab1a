"""The way to AWS against a second implementation that nobody here wrote: MiniStack, in a process of its own.

    python tests/second_cloud.py [WHAT…]     `make second`; measures what was not measured yet, or WHAT anew

WHAT is demo, deploy, templates (with destroy) or a stage. LAB_TARGET=aws and AWS_ENDPOINT_URL lead there, as
they would lead to AWS: nothing of the local cloud takes part. benchmarks/ministack.lock says which version.
What comes of it is kept by second_record.py, and written into docs/aws.md. It ends with 1 where something
does not pass and no reason is known.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context

import boto3
from benchmarks.peer import locked_version, ministack_launch, with_cfnresponse
from benchmarks.servers import Server

import second_record
import stacks
from labkit import project, target, template_bucket
from labkit.grading.results import IN_TIME, CheckResult
from labkit.grading.run import Listener, grade
from labkit.grading.stages import Stage, find
from second_record import COMMANDS, OUT_OF_TIME, TEMPLATES, Measured, Seen

COMMAND_S = 900
# Of a check's own limit: it is the cloud that is tried here, not the machine.
PATIENCE = 6
SEED = 1
BUCKET = "lab-templates"
LONGEST_SEEN = 240
# How the plugin words that another check comes first.
HELD = "Not run: first comes: "


@contextmanager
def second_cloud() -> Iterator[dict[str, str]]:
    """Start it, and yield the environment that leads the `lab` command there."""
    launch = with_cfnresponse(ministack_launch(lambda words: print(words, file=sys.stderr)))
    # Its APIs' names are below this one, and names below localhost lead to this machine.
    server = Server(
        replace(launch, environment=launch.environment | {"MINISTACK_HOST": "localhost"})
    )
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
        stdin=subprocess.DEVNULL, timeout=COMMAND_S,
    )  # fmt: skip


def measured(what: str) -> Measured:
    """Run a command, make the templates' stacks, or check a stage's solution, in a cloud of its own."""
    with second_cloud() as environment:
        if what == "templates":
            checks = _in_process(environment, stacks_made)
        elif what not in COMMANDS:
            checks = _in_process(environment, checked, what)
        else:
            checks = {}
        for words in COMMANDS.get(what, ()):
            if words.startswith("lab "):
                checks[words] = _command(environment, words)
    return Measured(locked_version(), checks)


def _in_process(
    environment: dict[str, str], work: Callable[..., dict[str, Seen]], *given: str
) -> dict[str, Seen]:
    """Do the work in a process that has this environment."""
    alone = {"max_workers": 1, "mp_context": get_context("spawn")}
    with ProcessPoolExecutor(**alone, initializer=_lead, initargs=(environment,)) as process:
        return process.submit(work, *given).result()


def stacks_made() -> dict[str, Seen]:
    """Make a stack of each template, with the kit's tag, in the cloud in use; they stay."""
    found = {}
    with target.cloud():
        cfn = boto3.client("cloudformation")
        uploaded = {f"{each.name}.yaml": each for each in template_bucket.upload(BUCKET)}
        for name in TEMPLATES:
            given = uploaded[name].parameters.items()
            made = cfn.create_stack(
                StackName=name.removesuffix(".yaml"), TemplateURL=uploaded[name].address,
                Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in given],
                Capabilities=["CAPABILITY_IAM"],
            )  # fmt: skip
            stack = stacks.ended(cfn, made["StackId"])
            status = stack["StackStatus"]
            said = _short(f"{status}: {stack.get('StackStatusReason', '')}")
            found[name] = Seen("passed") if status == "CREATE_COMPLETE" else Seen("failed", said)
    return found


def checked(key: str) -> dict[str, Seen]:
    """Every check of a stage in the cloud in use. What another check holds back is run by itself."""
    found: dict[str, CheckResult] = {}
    held: list[str] = []
    while True:
        (result,) = grade(
            [find(key)], project.SOLUTIONS, seed=SEED, patience=PATIENCE, only=held, listener=Told()
        )
        if result.fault:
            raise RuntimeError(f"{key} can't be checked: {result.fault}")
        found |= {check.name: check for check in result.checks}
        held = [name for name, check in found.items() if check.seen.startswith(HELD)]
        if not held:
            return {name: seen_of(check) for name, check in found.items()}


class Told(Listener):
    """Tells how far the checks are."""

    def ended(self, stage: Stage, result: CheckResult) -> None:
        words = f"{stage.key} {result.name}: {result.outcome} in {result.seconds:.1f} s"
        print(words, *result.seen.splitlines()[:1], file=sys.stderr, flush=True)


def _lead(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


def _command(environment: dict[str, str], words: str) -> Seen:
    try:
        done = lab(environment, *words.split()[1:], "--yes")
    except subprocess.TimeoutExpired:
        return Seen(OUT_OF_TIME)
    if done.returncode == 0:
        return Seen("passed")
    lines = done.stdout.splitlines()
    telling = [line for line in lines if re.search("^✗|not looked at|are left", line)]
    return Seen("failed", _short(" ".join(telling or lines[-3:]) or done.stderr))


def seen_of(check: CheckResult) -> Seen:
    """What is recorded of a check."""
    if check.outcome == "passed":
        return Seen("passed")
    if check.expected == IN_TIME:
        return Seen(OUT_OF_TIME)
    return Seen(check.outcome, _short(check.seen))


def _short(words: str) -> str:
    return " ".join(words.split())[:LONGEST_SEEN]


def main(chosen: list[str]) -> int:
    """Measure, write the table, and return 0 if all that does not pass has its reason."""
    record, version = second_record.read(), locked_version()
    asked = [what if what in COMMANDS else find(what).key for what in chosen] or [
        what for what in second_record.everything()
        if what not in record or not record[what].holds(what, version)
    ]  # fmt: skip
    for what in asked:
        one = measured(what)
        record = second_record.read() | {what: one}
        second_record.keep(record)
        print(f"{what}: {one.passed} of {len(one.checks)}", flush=True)
    second_record.write_table(record)
    faults = list(second_record.faults(record))
    print(second_record.table(record), *faults, sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
