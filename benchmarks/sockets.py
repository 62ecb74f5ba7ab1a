"""WebSocket connections: what many of them weigh, how fast messages go to a function and back."""

import asyncio
import contextlib
import resource
import time
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

from .functions import deploy
from .servers import Endpoint

CONNECTIONS = 1000
EXCHANGING = 8
BATCH, BATCH_S = 100, 0.25  # API Gateway takes 500 new connections a second
SETTLE_S = 1.0

SOURCE = """
def handler(event, context):
    return {"statusCode": 200, "body": event["body"]}
"""


def make_api(cloud: Endpoint) -> str:
    """An API whose messages go to a function and back: its address, by path."""
    name = "bench-sockets"
    function = deploy(cloud, name, SOURCE)
    arn = cloud.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    with contextlib.suppress(cloud.client("lambda").exceptions.ResourceConflictException):
        cloud.client("lambda").add_permission(
            FunctionName=function.name, StatementId="gateway", Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
        )  # fmt: skip
    client = cloud.client("apigatewayv2")
    api = client.create_api(
        Name=name, ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    integration = client.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=arn
    )["IntegrationId"]
    route = client.create_route(
        ApiId=api, RouteKey="$default", Target=f"integrations/{integration}",
        RouteResponseSelectionExpression="$default",
    )["RouteId"]  # fmt: skip
    client.create_route_response(ApiId=api, RouteId=route, RouteResponseKey="$default")
    client.create_stage(ApiId=api, StageName="prod", AutoDeploy=True)
    return f"ws://127.0.0.1:{urlsplit(cloud.url).port}/_aws/execute-api/{api}/prod"


async def open_and_close(address: str, count: int) -> None:
    """Open connections and close them, so that everything is loaded."""
    async with contextlib.AsyncExitStack() as stack:
        await _open(address, count, stack)


async def memory_of_connections(cloud: Endpoint, address: str) -> float:
    """MB that the cloud has grown by with all connections open, each having had an answer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + 200
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    before = cloud.resident_mb()
    if before is None:
        raise RuntimeError("the cloud's memory can't be seen from here")
    async with contextlib.AsyncExitStack() as stack:
        connections = await _open(address, CONNECTIONS, stack)
        for connection in connections:
            await _exchange(connection)
        await asyncio.sleep(SETTLE_S)
        return cloud.resident_mb() - before


async def messages_per_second(address: str, seconds: float) -> float:
    """Messages that come back each second; each connection sends the next when one has come back."""
    async with contextlib.AsyncExitStack() as stack:
        connections = await _open(address, EXCHANGING, stack)
        await asyncio.gather(*map(_exchange, connections))
        until = time.perf_counter() + seconds
        counts = await asyncio.gather(*(_exchange_until(each, until) for each in connections))
        return sum(counts) / seconds


async def _open(address: str, count: int, stack: contextlib.AsyncExitStack) -> list:
    found: list = []
    while len(found) < count:
        pause = asyncio.create_task(asyncio.sleep(BATCH_S))
        batch = min(BATCH, count - len(found))
        entered = (
            stack.enter_async_context(connect(address, compression=None, proxy=None))
            for _ in range(batch)
        )
        found += await asyncio.gather(*entered)
        await pause
    return found


async def _exchange(connection) -> None:
    await connection.send("hello")
    answer = await connection.recv()
    if answer != "hello":
        raise RuntimeError(f"the answer was {answer[:200]!r}")


async def _exchange_until(connection, until: float) -> int:
    count = 0
    while time.perf_counter() < until:
        await _exchange(connection)
        count += 1
    return count
