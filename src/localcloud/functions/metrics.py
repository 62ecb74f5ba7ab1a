"""Lambda's CloudWatch metrics, counted from the record.

Names, units and what counts are those of "Types of metrics for Lambda functions" (Lambda developer
guide; facts C5). A minute's values are kept as one aggregate: the statistics are there, percentiles
are not. An invocation pays no more than to put its entries aside; they are counted in a thread of their
own, once a second, and when somebody reads. Only the narrowest dimensions are kept; the wider ones are
summed when read.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

NAMESPACE = "AWS/Lambda"
_PERIOD_S = 60
_COUNTED_EVERY_S = 1.0
# A few at a time, or an invocation would have to wait until all are counted.
_AT_A_TIME = 16
_PAUSE_S = 0.001
# CloudWatch keeps one-minute values for 15 days; a day is enough for a local cloud.
_KEPT_MINUTES = 24 * 60
# More than can run at once, by far.
_MOST_REQUESTS = 20_000
_UNITS = {"Duration": "Milliseconds", "AsyncEventAge": "Milliseconds"}
Dimensions = tuple[tuple[str, str], ...]
Entry = dict[str, Any]


class Aggregate:
    """Values as CloudWatch's statistics: sample count, sum, minimum and maximum."""

    __slots__ = ("count", "total", "least", "most")

    def __init__(self):
        self.count, self.total = 0, 0.0
        self.least, self.most = float("inf"), float("-inf")

    def add(self, value: float) -> None:
        """Take one more value."""
        self.count += 1
        self.total += value
        if value < self.least:
            self.least = value
        if value > self.most:
            self.most = value

    def merge(self, other: "Aggregate") -> None:
        """Take the values of another."""
        self.count += other.count
        self.total += other.total
        self.least = min(self.least, other.least)
        self.most = max(self.most, other.most)


@dataclass(frozen=True)
class Datum:
    """A metric's values in the minute that begins at the Unix time `time`."""

    name: str
    unit: str
    dimensions: Dimensions
    time: int
    values: Aggregate


# A function's ARN (with the version that ran) and how the caller named it; None for what is counted
# over all functions only.
_Subject = tuple[str, str] | None


@dataclass
class _Request:
    """An invocation under way: how it was named, whether its function has reserved concurrency, how many
    provisioned environments that name has, and whether it got one of them.
    """

    resource: str = ""
    reserved: bool = True
    provisioned: int = 0
    in_provisioned: bool = False


class Metrics:
    """Counts entries of the record: `observe` takes them, in whatever thread adds them.

    `allocated(region)` is the reserved and provisioned concurrency of all functions of a region.
    """

    def __init__(self, allocated: Callable[[str], int]):
        self._allocated = allocated
        self._lock = threading.Lock()
        self._waiting: deque[Entry] = deque()
        self.observe: Callable[[Entry], None] = self._waiting.append
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self._thread.start()
        # By minute, then region, metric and subject.
        self._minutes: dict[int, dict[tuple[str, str, _Subject], Aggregate]] = {}
        self._requests: dict[str, _Request] = {}  # those under way
        # Running invocations by function, by region, and by region without reserved concurrency.
        self._running: dict[Any, int] = {}

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._thread.join(timeout=10)

    def data(self, region: str) -> list[Datum]:
        """Everything that has happened in a region."""
        with self._lock:
            self._count_waiting()
            return [
                Datum(name, _UNITS.get(name, "Count"), dimensions, minute * _PERIOD_S, values)
                for minute, kept in self._minutes.items()
                for (name, dimensions), values in _rolled_up(kept, region).items()
            ]

    def _run(self) -> None:
        while not self._closed.wait(_COUNTED_EVERY_S):
            while self._waiting:
                with self._lock:
                    self._count_waiting(_AT_A_TIME)
                time.sleep(_PAUSE_S)

    def _count_waiting(self, most: float = float("inf")) -> None:
        while self._waiting and most > 0:
            most -= 1
            entry = self._waiting.popleft()
            count = _COUNTERS.get(entry["type"])
            if count is not None:
                count(self, entry)

    def _add(self, entry: Entry, subject: _Subject, region: str, **values: float) -> None:
        minute = int(entry["time"]) // _PERIOD_S
        kept = self._minutes.get(minute)
        if kept is None:
            kept = self._minutes[minute] = {}
            self._minutes.pop(minute - _KEPT_MINUTES, None)
        for name, value in values.items():
            key = (region, name, subject)
            aggregate = kept.get(key)
            if aggregate is None:
                aggregate = kept[key] = Aggregate()
            aggregate.add(value)

    def _request(self, entry: Entry) -> None:
        self._requests[entry["request_id"]] = _Request(
            entry["resource"], entry["reserved"], entry["provisioned"]
        )
        if len(self._requests) > _MOST_REQUESTS:  # those that were throttled never end
            del self._requests[next(iter(self._requests))]

    def _start(self, entry: Entry) -> None:
        region, function = _region(entry), _unqualified(entry)
        request = self._requests.get(entry["request_id"], _Request())
        reserved = request.reserved
        running = self._running
        for key in (function, region, (region, reserved)):
            running[key] = running.get(key, 0) + 1
        # A function's own count is given under its name alone, the region's without a name.
        self._add(entry, (function, ""), region, ConcurrentExecutions=running[function])
        self._add(entry, None, region, ConcurrentExecutions=running[region])
        unreserved = running.get((region, False), 0)
        if not reserved:
            self._add(entry, None, region, UnreservedConcurrentExecutions=unreserved)
        # What is allocated is claimed, used or not ("Monitoring concurrency", Lambda developer guide).
        claimed = unreserved + self._allocated(region)
        self._add(entry, None, region, ClaimedAccountConcurrency=claimed)
        if entry["initialization_type"] == "provisioned-concurrency" and request.provisioned:
            request.in_provisioned = True
            key = (entry["function"], request.resource)
            count = running[key] = running.get(key, 0) + 1
            self._add(
                entry, key, region, ProvisionedConcurrentExecutions=count,
                ProvisionedConcurrencyUtilization=count / request.provisioned,
            )  # fmt: skip

    def _end(self, entry: Entry) -> None:
        region = _region(entry)
        request = self._requests.pop(entry["request_id"], _Request())
        subject = (entry["function"], request.resource or _resource(entry))
        ended = [_unqualified(entry), region, (region, request.reserved)]
        if request.in_provisioned:
            ended.append(subject)
            self._add(entry, subject, region, ProvisionedConcurrencyInvocations=1)
        elif request.provisioned:
            self._add(entry, subject, region, ProvisionedConcurrencySpilloverInvocations=1)
        for key in ended:
            self._running[key] = max(self._running.get(key, 0) - 1, 0)
        self._add(
            entry, subject, region, Invocations=1, Errors=int(entry["failed"]), Throttles=0,
            Duration=entry["duration_ms"],
        )  # fmt: skip

    def _throttle(self, entry: Entry) -> None:
        self._add(entry, (entry["function"], _resource(entry)), _region(entry), Throttles=1)

    def _destination(self, entry: Entry) -> None:
        dead = entry["kind"] == "dead-letter"
        name = "DeadLetterErrors" if dead else "DestinationDeliveryFailures"
        self._add(entry, _named(entry), _region(entry), **{name: int(entry["error"] is not None)})

    def _age(self, entry: Entry) -> None:
        self._add(entry, _named(entry), _region(entry), AsyncEventAge=entry["age_ms"])


def _one(name: str) -> Callable[[Metrics, Entry], None]:
    return lambda metrics, entry: metrics._add(entry, _named(entry), _region(entry), **{name: 1})


_COUNTERS: dict[str, Callable[[Metrics, Entry], None]] = {
    "request": Metrics._request,
    "invoke.start": Metrics._start,
    "invoke.end": Metrics._end,
    "throttle": Metrics._throttle,
    "recursion": _one("RecursiveInvocationsDropped"),
    "async.queued": _one("AsyncEventsReceived"),
    "async.taken": Metrics._age,
    "async.dropped": _one("AsyncEventsDropped"),
    "destination": Metrics._destination,
}


def _rolled_up(
    kept: dict[tuple[str, str, _Subject], Aggregate], region: str
) -> dict[tuple[str, Dimensions], Aggregate]:
    rolled: dict[tuple[str, Dimensions], Aggregate] = {}
    for (where, name, subject), values in kept.items():
        if where == region:
            for dimensions in _dimensions(name, subject):
                rolled.setdefault((name, dimensions), Aggregate()).merge(values)
    return rolled


def _dimensions(name: str, subject: _Subject) -> Iterator[Dimensions]:
    """The sets of dimensions under which a value is given ("Working with Lambda function metrics")."""
    if subject is None:
        yield ()
        return
    arn, resource = subject
    function = ("FunctionName", arn.split(":")[6])
    yield (function,)
    if not resource:  # counted for the function and over all functions apart
        return
    yield ()
    yield function, ("Resource", resource)
    _, _, qualifier = resource.partition(":")
    version = arn.split(":")[7] if arn.count(":") == 7 else "$LATEST"
    if qualifier and qualifier != version:  # an alias
        yield function, ("Resource", resource), ("ExecutedVersion", version)


@lru_cache(maxsize=1024)
def _parts(arn: str) -> tuple[str, str, str]:
    """Region, unqualified ARN, and name or name:qualifier."""
    parts = arn.split(":", 6)
    return parts[3], ":".join(arn.split(":")[:7]), parts[6]


def _region(entry: Entry) -> str:
    return _parts(entry["function"])[0]


def _unqualified(entry: Entry) -> str:
    return _parts(entry["function"])[1]


def _resource(entry: Entry) -> str:
    return _parts(entry["function"])[2]


def _named(entry: Entry) -> tuple[str, str]:
    return entry["function"], entry["resource"]
