"""The measures, one function each. All take the running clouds and how often to measure."""

import asyncio
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil

from . import functions, sockets, thumbnail
from .callers import throughput
from .functions import Function, deploy
from .http_api import put_in_front
from .servers import OURS, Endpoint, Launch, Server
from .turns import Sampler, Samples, sentence, take_turns, timed_ms

SETTLE_S = 0.1  # for what a cloud still does after an update, such as ending old processes
IDLE_S = 2.0
SHARES_MB = (128, 442, 884)


@dataclass(frozen=True)
class Plan:
    """How often, how long."""

    starts: int
    colds: int
    warm_rounds: int
    warm_block: int
    load_rounds: int
    load_seconds: float
    trips: int
    shares: int
    budget_s: float  # per measure, for all clouds together


FULL = Plan(5, 25, 10, 30, 3, 4.0, 30, 7, 90.0)
QUICK = Plan(2, 5, 3, 20, 1, 2.0, 6, 2, 30.0)


class NotCold(RuntimeError):
    """An environment was reused, or started before it was asked for."""


def start(launches: list[Launch], plan: Plan) -> dict[str, Samples]:
    """Seconds from process start until list_buckets answers; MB of the idle process tree."""
    memory = Samples(values={launch.name: [] for launch in launches})

    def once(launch: Launch) -> list[float]:
        server = Server(launch)
        try:
            time.sleep(IDLE_S)
            memory.values[launch.name].append(server.resident_mb())
            return [server.start_seconds]
        finally:
            server.stop()

    samplers = {launch.name: (lambda launch=launch: once(launch)) for launch in launches}
    seconds = take_turns(samplers, plan.starts, plan.budget_s)
    memory.failures |= seconds.failures
    return {"start": seconds, "memory-idle": memory}


def cold(clouds: list[Endpoint], plan: Plan) -> dict[str, Samples]:
    return {"cold": _cold(clouds, plan, "bench-cold", functions.TRIVIAL)}


def cold_boto3(clouds: list[Endpoint], plan: Plan) -> dict[str, Samples]:
    source = functions.BOTO3_AT_IMPORT
    return {"cold-boto3": _cold(clouds, plan, "bench-cold-boto3", source)}


def _cold(clouds: list[Endpoint], plan: Plan, name: str, source: str) -> Samples:
    """End to end, in a new environment each time. The first, with its unpacking, is not counted."""
    turn = itertools.count()

    def sampler(function: Function) -> Sampler:
        def once() -> list[float]:
            function.replace_environments(next(turn))
            time.sleep(SETTLE_S)
            sent_at = time.time()
            started = time.perf_counter()
            result = function.invoke()
            elapsed = (time.perf_counter() - started) * 1000
            if result["imported_at"] < sent_at:
                raise NotCold(f"{name} was imported before it was invoked")
            return [elapsed]

        function.invoke()
        once()
        return once

    return _on_each(clouds, lambda c: sampler(deploy(c, name, source)), plan.colds, plan)


def warm(clouds: list[Endpoint], plan: Plan) -> dict[str, Samples]:
    """A handler that prints a line, invoked in blocks through boto3."""

    def sampler(cloud: Endpoint) -> Sampler:
        function = deploy(cloud, "bench-warm", functions.TRIVIAL)
        for _ in range(10):
            function.invoke()
        return lambda: [timed_ms(function.invoke) for _ in range(plan.warm_block)]

    return {"warm": _on_each(clouds, sampler, plan.warm_rounds, plan)}


def throughput_8(clouds: list[Endpoint], plan: Plan) -> dict[str, Samples]:
    return {"throughput": _load(clouds, plan, "bench-throughput", functions.TRIVIAL, callers=8)}


def sleepers_16(clouds: list[Endpoint], plan: Plan) -> dict[str, Samples]:
    return {"sleepers": _load(clouds, plan, "bench-sleepers", functions.SLEEP_50_MS, callers=16)}


def _load(clouds: list[Endpoint], plan: Plan, name: str, source: str, callers: int) -> Samples:
    def sampler(cloud: Endpoint) -> Sampler:
        function = deploy(cloud, name, source)
        function.invoke()
        return lambda: [throughput(cloud, name, callers, plan.load_seconds)]

    return _on_each(clouds, sampler, plan.load_rounds, plan)


def api_call(clouds: list[Endpoint], plan: Plan) -> dict[str, Samples]:
    """Calls of an HTTP API, each beside an invocation of the function behind it."""
    added: dict[str, list[float]] = {}

    def sampler(cloud: Endpoint) -> Sampler:
        function = deploy(cloud, "bench-api", functions.TRIVIAL)
        call, invoke = put_in_front(function).callers()
        for _ in range(10):
            call()
            invoke()

        def block() -> list[float]:
            pairs = [(timed_ms(call), timed_ms(invoke)) for _ in range(plan.warm_block)]
            added.setdefault(cloud.name, []).extend(api - own for api, own in pairs)
            return [api for api, _ in pairs]

        return block

    calls = _on_each(clouds, sampler, plan.warm_rounds, plan)
    return {"api": calls, "api-added": Samples(added, calls.failures)}


def api_throughput_8(clouds: list[Endpoint], plan: Plan) -> dict[str, Samples]:
    def sampler(cloud: Endpoint) -> Sampler:
        api = put_in_front(deploy(cloud, "bench-api", functions.TRIVIAL))
        return lambda: [throughput(cloud, api.host, 8, plan.load_seconds)]

    return {"api-throughput": _on_each(clouds, sampler, plan.load_rounds, plan)}


def put_to_thumbnail(clouds: list[Endpoint], plan: Plan) -> dict[str, Samples]:
    """PUT of the photograph until the thumbnail is read back, warm."""
    photo, _ = thumbnail.photograph()
    layer = thumbnail.pillow_layer()

    def sampler(cloud: Endpoint) -> Sampler:
        thumbnail.set_up(cloud, layer)
        trips = thumbnail.trips(cloud, photo)
        for _ in range(3):
            next(trips)
        return lambda: [next(trips)]

    return {"thumbnail": _on_each(clouds, sampler, plan.trips, plan)}


def processor_share(clouds: list[Endpoint], plan: Plan) -> dict[str, Samples]:
    """A busy handler's duration times its memory, divided by the same at one vCPU's memory.

    Of a few invocations the fastest counts: what else the machine does can only slow them down. At one
    vCPU's memory, which leaves no slack to catch up in, what it waited for the processor is taken off.
    """

    def sampler(cloud: Endpoint, memory_mb: int) -> Sampler:
        full = deploy(cloud, "bench-busy", functions.BUSY)
        part = deploy(cloud, f"bench-busy-{memory_mb}", functions.BUSY, memory_mb=memory_mb)

        def once() -> list[float]:
            slow = min(part.invoke()["seconds"] for _ in range(3))
            answers = [full.invoke() for _ in range(3)]
            fast = min(answer["seconds"] - answer["waited"] for answer in answers)
            return [slow * memory_mb / (fast * functions.MEMORY_MB)]

        return once

    return {
        f"share-{memory_mb}": _on_each(
            clouds, lambda cloud, mb=memory_mb: sampler(cloud, mb), plan.shares, plan
        )
        for memory_mb in SHARES_MB
    }


def websocket(clouds: list[Endpoint], plan: Plan) -> dict[str, Samples]:
    """A thousand connections at once, and messages to a function and back over some."""
    ours = [cloud for cloud in clouds if cloud.name == OURS]

    def open_many(cloud: Endpoint) -> Sampler:
        address = sockets.make_api(cloud)
        asyncio.run(sockets.open_and_close(address, 10))
        return lambda: [asyncio.run(sockets.memory_of_connections(cloud, address))]

    def exchange(cloud: Endpoint) -> Sampler:
        address = sockets.make_api(cloud)
        return lambda: [asyncio.run(sockets.messages_per_second(address, plan.load_seconds))]

    return {
        "websocket-memory": _on_each(ours, open_many, 1, plan),
        "websocket-messages": _on_each(ours, exchange, plan.load_rounds, plan),
    }


def memory_after(clouds: list[Endpoint]) -> dict[str, Samples]:
    """MB of the process tree after the run, the functions deleted and their processes gone."""
    samples = Samples()
    for cloud in clouds:
        try:
            client = cloud.client("lambda")
            for function in client.list_functions()["Functions"]:
                if function["FunctionName"].startswith("bench-"):
                    client.delete_function(FunctionName=function["FunctionName"])
        except Exception as error:  # noqa: BLE001 - told in the table
            samples.failures[cloud.name] = sentence(error)
    time.sleep(IDLE_S)
    for cloud in clouds:
        try:
            resident = cloud.resident_mb()
        except psutil.Error as error:
            samples.failures[cloud.name] = sentence(error)
            continue
        if resident is not None:
            samples.values[cloud.name] = [resident]
    return {"memory-after": samples}


MEASURES: dict[str, Callable[[list[Endpoint], Plan], dict[str, Samples]]] = {
    "cold": cold,
    "cold-boto3": cold_boto3,
    "warm": warm,
    "throughput": throughput_8,
    "sleepers": sleepers_16,
    "api": api_call,
    "api-throughput": api_throughput_8,
    "thumbnail": put_to_thumbnail,
    "share": processor_share,
    "websocket": websocket,
}


def _on_each(
    clouds: list[Endpoint], prepare: Callable[[Endpoint], Sampler], rounds: int, plan: Plan
) -> Samples:
    samplers: dict[str, Sampler] = {}
    failures: dict[str, str] = {}
    for cloud in clouds:
        try:
            samplers[cloud.name] = prepare(cloud)
        except Exception as error:  # noqa: BLE001 - told in the table
            failures[cloud.name] = sentence(error)
    samples = take_turns(samplers, rounds, plan.budget_s)
    samples.failures |= failures
    return samples
