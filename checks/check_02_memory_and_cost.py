"""Stage 02: a bill read from a function's log, and the cheapest memory size found by measuring."""

import json
import random
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest

from labkit.grading import Unmet, expect

from . import report_lines as made
from .tuning import Tuning

WORK = (Path(__file__).parent / "workloads" / "work.py").read_text(encoding="utf-8")
LOGS = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "*",
}
PRINTS = (
    "REPORT: 12 pictures, Memory Size: 3 MB, Billed Duration: 5 ms\n",
    "seen: REPORT RequestId: 1\tBilled Duration: 7000 ms\tMemory Size: 512 MB\n",
    "Billed Duration: 9000 ms\tMemory Size: 10240 MB\n",
    "[INFO]\t2026-11-24T12:00:00.000Z\twrote 3 files\n",
    "INIT_REPORT Init Duration: 1670.77 ms\tPhase: init\tStatus: timeout\n",
    "XRAY TraceId: 1-5e34a614-10bdxmplf1fb44f07bc535a1\tSegmentId: 07f5xmpl2d1f6f85\tSampled: true\n",
    "\n",
)


# What the measured function can do, in words, and how work.py is told. A wait is one number for each size.
TASKS = {
    "waits 30 ms and calculates for 5 ms": {"wait_ms": 30, "cpu_ms": 5},
    "calculates for 12 ms": {"cpu_ms": 12},
    "waits 12 ms": {"wait_ms": 12},
    "waits 100 ms": {"wait_ms": 100},
    "needs 20 MB besides": {"hold_mb": 20},
    "needs more than 140 MB": {"hold_mb": 140},
    "waits 150 ms at 160 MB, 20 ms at 512 MB, 15 ms at 1769 MB": {
        "wait_ms": {"160": 150, "512": 20, "1769": 15}
    },
    "waits 300 ms at 160 MB, 90 ms at 512 MB, 12 ms at 1769 MB": {
        "wait_ms": {"160": 300, "512": 90, "1769": 12}
    },
    "waits 20 ms, and 400 ms longer in one call of each environment": {
        "wait_ms": 20,
        "late_ms": 400,
    },
    "waits 200 ms at 300 MB, 15 ms at 1800 MB": {"wait_ms": {"300": 200, "1800": 15}},
    "waits 300 ms at 128 MB, 10 ms at 1769 MB": {"wait_ms": {"128": 300, "1769": 10}},
}


def policy(*statements):
    """A policy document of the statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.fixture(scope="module")
def role(deployment):
    """The role of the functions that do nothing but run and log."""
    return deployment.role("run", policy(LOGS))


@pytest.fixture(scope="module")
def names(seed):
    """What the tasks are called in this run: words -> name. A name says nothing of what the task is."""
    rng = random.Random(f"{seed} tasks")
    return {words: f"{rng.getrandbits(64):016x}" for words in TASKS}


@pytest.fixture(scope="module")
def work(deployment, role, names):
    """The function that is measured: checks/workloads/work.py."""
    tasks = json.dumps({names[words]: task for words, task in TASKS.items()})
    return deployment.function(
        "work", {"work.py": WORK, "tasks.json": tasks}, handler="work.handler", role=role,
        environment={"INIT_MS": "150"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def calculator(deployment, workspace, role):
    """The learner's bill.py as a function, once it has answered one plain line in whatever way."""
    files = {"bill.py": workspace.bytes("bill.py")}
    name = deployment.function("bill", files, handler="bill.handler", role=role, memory=1769)
    plain = made.Invocation("8f507cfc-xmpl-4697-b07a-ac58fc914c95", 512, Decimal("99.50"))
    answer = deployment.invoke(name, {"lines": [plain.report]})
    if answer.error:
        raise Unmet(
            tried="invoked bill.handler with one REPORT line",
            expected="a bill",
            seen=answer.problem,
            log=answer.log,
        )
    return name


@pytest.fixture
def bill_of(deployment, calculator):
    """Hand lines to the learner's function and compare its bill with that of (MB, billed ms) pairs."""

    def compare(lines, usage, words, **given):
        wanted = made.bill(usage, **given)
        answer = deployment.invoke(calculator, {"lines": lines, **given})
        options = ", ".join(f"{name}={value!r}" for name, value in given.items())
        expect(
            answer.error is None and same(answer.payload, wanted),
            tried=f"asked for the bill of {words}" + (f", with {options}" if options else ""),
            expected=f"requests {wanted.requests}, gb_seconds {float(wanted.gb_seconds):.10g}, "
            f"dollars {wanted.dollars:.2f}",
            seen=answer.problem or shown(answer.payload),
            log=answer.log if answer.error else (),
        )

    return compare


def same(payload, wanted):
    """Whether an answer is the bill wanted: GB-seconds nearly, dollars to the cent."""
    try:
        requests, gb_seconds, dollars = (
            Decimal(str(payload[name])) for name in ("requests", "gb_seconds", "dollars")
        )
        distance = abs(float(gb_seconds) - float(wanted.gb_seconds))
        near = distance <= 1e-9 * max(float(wanted.gb_seconds), 1)
        return near and requests == wanted.requests and dollars == wanted.dollars
    except (TypeError, KeyError, InvalidOperation, ValueError, OverflowError):
        return False


def shown(payload):
    """An answer in words, a long one cut."""
    if not isinstance(payload, dict):
        return f"{payload!r:.200}"
    return f"{', '.join(f'{name} {value}' for name, value in payload.items()):.300}"


def usage_of(invocations):
    """The (MB, billed ms) pairs of invocations."""
    return [(one.memory, one.billed) for one in invocations]


@pytest.mark.check(points=1, section="8 · The bill of one line")
def check_warm_line(bill_of, rng):
    """One REPORT line is one request, and its GB-seconds are GB of memory times billed seconds."""
    one = made.invocation(rng, rng.choice([128, 512, 1769, 3008]))
    bill_of(
        [one.report], usage_of([one]), f"a line of {one.memory} MB and {one.billed} ms", times=10**7
    )


@pytest.mark.check(points=1, section="9 · Init is not free")
def check_cold_line(bill_of, rng):
    """The Init of a cold start is paid for once: Billed Duration holds it already."""
    one = made.invocation(rng, 1024, cold=True)
    words = f"a cold line of {one.duration} ms, Init of {one.init} ms, billed {one.billed} ms"
    bill_of([one.report], usage_of([one]), words, times=10**7)


@pytest.mark.check(points=1, section="8 · The bill of one line")
def check_many_lines(bill_of, rng):
    """A log of many lines, with other memory sizes before and after a change, gives their sum."""
    sizes = [128, 256, 1000, 1769, 10240]
    many = [made.invocation(rng, size, cold=n == 0) for size in sizes for n in range(4)]
    lines = [one.report for one in many]
    bill_of(lines, usage_of(many), f"{len(many)} REPORT lines of five memory sizes", times=10**6)
    bill_of([], [], "an empty log")


@pytest.mark.check(points=2, section="8 · The bill of one line")
def check_other_lines(bill_of, rng):
    """Lines that are no REPORT lines cost nothing, whatever the code has printed."""
    few = [made.invocation(rng, 512, cold=n == 0) for n in range(3)]
    words = "the whole log of three invocations, with START, END, INIT_START, INIT_REPORT, prints"
    bill_of(made.log(rng, few, PRINTS), usage_of(few), words, times=10**7)


@pytest.mark.check(points=1, section="7 · Out of memory")
def check_failures(bill_of, rng):
    """Invocations that time out or fail are paid for, and so is every retry under the same id."""
    slow = made.invocation(rng, 256, duration=Decimal("3000.00"), status=made.TIMEOUT)
    full = made.invocation(rng, 256, status=made.OUT_OF_MEMORY)
    again = [made.invocation(rng, 256, id=full.id, status=made.OUT_OF_MEMORY) for _ in range(2)]
    fine = made.invocation(rng, 256, cold=True)
    for words, some in (
        ("one that timed out and one that did not", [slow, fine]),
        (
            "an event that failed and was tried twice again, so three lines of one id",
            [full, *again],
        ),
    ):
        bill_of(made.log(rng, some, ()), usage_of(some), words, times=10**7)


@pytest.mark.check(points=1, section="11 · Other prices")
def check_architecture(bill_of, rng):
    """On arm64 a GB-second costs less than on x86_64; a request costs the same."""
    some = [made.invocation(rng, 1024) for _ in range(3)]
    for architecture in ("arm64", "x86_64"):
        bill_of(
            [one.report for one in some], usage_of(some), "three lines",
            architecture=architecture, times=10**7,
        )  # fmt: skip


@pytest.mark.check(points=2, section="10 · The bill of a month")
def check_free_tier(bill_of, rng):
    """The free requests and the free GB-seconds are taken off, each by itself, and never more."""
    small = [made.invocation(rng, 128, duration=Decimal("20.00"))]
    large = [made.invocation(rng, 10240, duration=Decimal("90000.00"))]
    middle = [made.invocation(rng, 1024, duration=Decimal("1000.00"))]
    for words, some, times in (
        ("many requests, few GB-seconds", small, 10**7 + rng.randrange(10**6)),
        ("few requests, many GB-seconds", large, 10**5 + rng.randrange(10**5)),
        ("many of both", middle, 10**8 + rng.randrange(10**6)),
        ("few of both", small, 1000),
    ):
        lines = [one.report for one in some]
        bill_of(lines, usage_of(some), words, free_tier=True, times=times)
    bill_of([small[0].report], usage_of(small), "the same without", free_tier=False, times=10**7)


@pytest.mark.check(points=2, section="8 · The bill of one line")
def check_cents(bill_of, rng):
    """Dollars are rounded once, at the end, to the cent, and exactly half a cent is rounded up."""
    # What is paid is 25,000 requests and a multiple of 50,000: odd multiples of half a cent, exactly.
    one = made.invocation(rng, 128, duration=Decimal("1.00"))
    for halves in (1, 3, 5, 2 * rng.randrange(10, 400) + 1):
        words = f"a month whose price is exactly {halves * 5 / 1000:.3f} dollars"
        times = made.FREE_REQUESTS + 25_000 * halves
        bill_of([one.report], usage_of([one]), words, free_tier=True, times=times)
    many = [made.invocation(rng, 10240, duration=Decimal("250.00")) for _ in range(1000)]
    bill_of(
        [one.report for one in many], usage_of(many), "1,000 lines of a fraction of a cent each"
    )


@pytest.mark.check(points=1, section="8 · The bill of one line", timeout=120)
def check_real_log(bill_of, deployment, work):
    """The log of a function that has just run gives the bill of these runs."""
    for event in ({}, {"wait_ms": 5}, {"fail": "no"}):
        deployment.invoke(work, event)
    logs = deployment.client("logs")

    def lines():
        with_streams = logs.exceptions.ResourceNotFoundException
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{work}")["events"]
        except with_streams:
            return None
        found = [event["message"] for event in events]
        return found if sum(line.startswith("REPORT R") for line in found) == 3 else None

    log = deployment.wait_for(lines, 60, words="three REPORT lines in the function's log")
    usage = [
        (int(between(line, "Memory Size: ")), int(between(line, "Billed Duration: ")))
        for line in log if line.startswith("REPORT R")
    ]  # fmt: skip
    bill_of(log, usage, "three real invocations, the last of which failed", times=10**6)


def between(line, name):
    """The number behind a name in a REPORT line."""
    return line.partition(f"\t{name}")[2].split()[0]


@pytest.fixture(scope="module")
def tuning(deployment, workspace, work, names):
    """The learner's choose.py as a function that may configure and invoke the one to measure."""
    measured = deployment.fill("arn:${Partition}:lambda:${Region}:${Account}:function:") + work
    own_log = deployment.fill("arn:${Partition}:logs:${Region}:${Account}:log-group:/aws/lambda/")
    allowed = {
        "Effect": "Allow",
        "Action": [
            "lambda:InvokeFunction",
            "lambda:GetFunction*",
            "lambda:UpdateFunctionConfiguration",
        ],
        "Resource": measured,
    }
    # The log of the one to measure is evidence, and not for it to write.
    logs = LOGS | {"Resource": f"{own_log}{deployment.name('choose')}:*"}
    chooser = deployment.function(
        "choose", {"choose.py": workspace.bytes("choose.py")}, handler="choose.handler",
        role=deployment.role("choose", policy(logs, allowed)), memory=1769, timeout=50,
    )  # fmt: skip
    return Tuning(deployment, chooser, work, names)


def shuffled(rng, *items):
    """The items in an order by chance.

    Checks that need a cold call have sizes that the check before had not, so that none is still warm. The
    questions of one check differ in their task alone, which only measuring can tell.
    """
    return rng.sample(items, len(items))


@pytest.mark.check(points=1, section="12 · The cheapest size", timeout=60)
def check_waiting(tuning):
    """For a function that mostly waits, the smallest size is the cheapest."""
    tuning.choose("waits 30 ms and calculates for 5 ms", [512, 128, 1769], 1000, 128)


@pytest.mark.check(points=2, section="12 · The cheapest size", needs=("check_waiting",), timeout=60)
def check_deadline(tuning, rng):
    """A size that is too slow is left out: a function that calculates needs more to be in time."""
    sizes = shuffled(rng, 128, 1769, 3008)
    tasks = {"calculates for 12 ms": 1769, "waits 100 ms": None, "waits 12 ms": 128}
    for task, wanted in shuffled(rng, *tasks.items()):
        tuning.choose(task, sizes, 80, wanted)


@pytest.mark.check(points=1, section="7 · Out of memory", needs=("check_waiting",), timeout=60)
def check_out_of_memory(tuning, rng):
    """A size at which the function fails is left out, however cheap it looks."""
    sizes = shuffled(rng, 128, 1024, 3008)
    tasks = {"needs more than 140 MB": 1024, "needs 20 MB besides": 128}
    for task, wanted in shuffled(rng, *tasks.items()):
        tuning.choose(task, sizes, 5000, wanted)


@pytest.mark.check(points=2, section="12 · The cheapest size", needs=("check_waiting",), timeout=60)
def check_warm_calls(tuning, rng):
    """The middle size can be the cheapest, and cold starts don't hide it."""
    sizes = shuffled(rng, 160, 512, 1769)
    tasks = {
        "waits 150 ms at 160 MB, 20 ms at 512 MB, 15 ms at 1769 MB": 512,
        "waits 300 ms at 160 MB, 90 ms at 512 MB, 12 ms at 1769 MB": 1769,
        "waits 12 ms": 160,
    }
    for task, wanted in shuffled(rng, *tasks.items()):
        tuning.choose(task, sizes, 1000, wanted)


@pytest.mark.check(points=1, section="12 · The cheapest size", needs=("check_waiting",), timeout=60)
def check_median(tuning, rng):
    """One call that is late does not decide: the median does."""
    sizes = shuffled(rng, 300, 1800)
    tasks = {
        "waits 20 ms, and 400 ms longer in one call of each environment": 300,
        "waits 200 ms at 300 MB, 15 ms at 1800 MB": 1800,
    }
    for task, wanted in shuffled(rng, *tasks.items()):
        tuning.choose(task, sizes, 70, wanted)


@pytest.mark.check(points=1, section="12 · The cheapest size", needs=("check_waiting",), timeout=60)
def check_memory_before(tuning, deployment, rng):
    """After the measuring the function has the memory size that it had before."""
    functions, before = deployment.client("lambda"), rng.randrange(200, 400)
    functions.update_function_configuration(FunctionName=tuning.measured, MemorySize=before)
    deployment.wait_until_active(tuning.measured)
    tasks = {"waits 300 ms at 128 MB, 10 ms at 1769 MB": 1769, "waits 12 ms": 128}
    sizes = shuffled(rng, *tasks.values())
    for task, wanted in shuffled(rng, *tasks.items()):
        tuning.choose(task, sizes, 1000, wanted)
    deployment.wait_until_active(tuning.measured)
    after = functions.get_function_configuration(FunctionName=tuning.measured)["MemorySize"]
    expect(
        after == before,
        tried=f"had choose.py measure a function of {before} MB at 128 and 1769 MB",
        expected=f"{before} MB as before",
        seen=f"{after} MB",
    )
