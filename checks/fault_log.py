"""A log in which the four faults stand among much else, made anew for each run.

The forms are Lambda's: "Understanding the Lambda execution environment lifecycle" in the Lambda Developer
Guide, and lines from AWS of 2025 and 2026. Lines of the older style are there too, in some invocations: a
pattern may find them, and need not.
"""

import random
import re
import time
import uuid
from dataclasses import dataclass

_TRACE = '\nTraceback (most recent call last):\n\u00a0\u00a0File "/var/task/app.py", line {n}, in handler'


@dataclass(frozen=True)
class Event:
    """One log event. `fault` is import, permission, timeout, memory or empty; `must` says that its pattern
    has to find it, where False only lets it."""

    fault: str
    must: bool
    message: str


def events(rng: random.Random) -> list[Event]:
    """Four to six invocations for each fault, and twenty others, in an order by chance."""
    invocations = []
    for make in (_import, _permission, _timeout, _memory):
        invocations += [
            make(rng, str(uuid.UUID(int=rng.getrandbits(128)))) for _ in range(rng.randint(4, 6))
        ]
    invocations += [_other(rng, str(uuid.UUID(int=rng.getrandbits(128))), n) for n in range(20)]
    rng.shuffle(invocations)
    return [event for invocation in invocations for event in invocation]


def put(logs, group: str, found: list[Event]) -> None:
    """Write the events to two streams of the group, which must be there."""
    now = int(time.time() * 1000)
    for number in range(2):
        stream = f"2026/11/24/[$LATEST]{number}"
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        batch = [
            {"timestamp": now - 60_000 + place * 10, "message": event.message}
            for place, event in enumerate(found)
            if place % 2 == number
        ]
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=batch)


def find(logs, group, pattern):
    """The messages of a log group's events that a filter pattern finds."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=group, filterPattern=pattern
    )
    return [event["message"] for page in pages for event in page["events"]]


def short(message):
    """A message on one line that is not too long to read."""
    line = re.sub(r"\s+", " ", message)
    return line if len(line) < 160 else f"{line[:40]} … {line[-110:]}"


def _import(rng, request):
    missing = rng.choice(["No module named 'requests'", "cannot import name '_imaging' from 'PIL'"])
    text = f"[ERROR] Runtime.ImportModuleError: Unable to import module 'app': {missing}"
    report = f"INIT_REPORT Init Duration: {_ms(rng)} ms\tPhase: {{}}\tStatus: error"
    report += "\tError Type: Runtime.ImportModuleError\t\n"
    return [
        Event("import", True, text + "\nTraceback (most recent call last):"),
        Event("import", False, report.format("init")),
        Event("import", False, report.format("invoke")),
        *_frame(request, _report(rng, request)),
    ]


def _permission(rng, request):
    call, action, key = rng.choice(
        [
            ("PutObject", "s3:PutObject", "destination/thumbnails/a.jpg"),
            ("GetObject", "s3:GetObject", "source/raw/a.jpg"),
        ]
    )
    # boto3 has had a class of its own for this error for some time; older ones raise ClientError.
    kind = rng.choice(["AccessDenied", "ClientError"])
    text = (
        f"[ERROR] {kind}: An error occurred (AccessDenied) when calling the {call} operation: User: "
        f"arn:aws:sts::123456789012:assumed-role/resizer/resizer is not authorized to perform: {action} on "
        f'resource: "arn:aws:s3:::{key}" because no identity-based policy allows the {action} action'
    )
    return _frame(
        request, Event("permission", True, text + _TRACE.format(n=30)), _report(rng, request)
    )


def _timeout(rng, request):
    seconds = rng.choice([3, 10, 30])
    old = Event(
        "timeout", False, f"{_now()} {request} Task timed out after {seconds}.00 seconds\n\n"
    )
    report = _report(rng, request, "\tStatus: timeout", duration=f"{seconds}000.00")
    return _frame(
        request, *([old] if rng.random() < 0.3 else []), Event("timeout", True, report.message)
    )


def _memory(rng, request):
    report = _report(rng, request, "\tStatus: error\tError Type: Runtime.OutOfMemory", used=512)
    old = f"RequestId: {request} Error: Runtime exited with error: signal: killed\nRuntime.ExitError\n"
    extra = [Event("memory", False, old)] if rng.random() < 0.3 else []
    return _frame(request, *extra, Event("memory", True, report.message))


def _other(rng, request, number):
    """Invocations that went well or had other faults, with words in them that look like the four."""
    keys = ("timeout.jpg", "import of cars.jpg", "memory lane.jpg", "permission.png", "error.gif")
    others = (
        "[ERROR] ClientError: An error occurred (NoSuchKey) when calling the GetObject operation: "
        "The specified key does not exist." + _TRACE.format(n=41),
        "[ERROR] KeyError: 's3'" + _TRACE.format(n=12),
        "[WARNING] no timeout so far, memory is fine",
        "importing 3 photographs, access granted",
    )
    status = "\tStatus: error\tError Type: Runtime.ExitError" if number % 5 == 0 else ""
    return _frame(
        request,
        Event(
            "", False, f"raw/{keys[number % len(keys)]}: {rng.randint(200, 6000)} x 400 pixels\n"
        ),
        Event("", False, others[number % len(others)]),
        _report(rng, request, status),
    )


def _frame(request, *inside):
    start = Event("", False, f"START RequestId: {request} Version: $LATEST\n")
    end = Event("", False, f"END RequestId: {request}\n")
    return [start, *inside[:-1], end, inside[-1]]


def _report(rng, request, status="", duration=None, used=None):
    duration = duration or _ms(rng)
    return Event(
        "",
        False,
        f"REPORT RequestId: {request}\tDuration: {duration} ms\tBilled Duration: {rng.randint(20, 900)} ms"
        f"\tMemory Size: 512 MB\tMax Memory Used: {used or rng.randint(60, 480)} MB{status}\t\n",
    )


def _ms(rng):
    return f"{rng.uniform(3, 900):.2f}"


def _now():
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
