"""Does the local cloud stay as it was? Mixed load for a while, and its size before and after.

``python -m benchmarks.soak --minutes 10`` runs a server on a state folder and lets good, slow,
failing, throttled and asynchronous invocations, S3 events, deployments and deletions at it. After a
warm-up minute and again at the end the load pauses; memory, processes, open files, threads and files
on disk are then compared. The exit code is 1 where one grew beyond its margin, or a call went wrong.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import boto3
import psutil
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .functions import TRUST, zipped

WARM_UP_S = 60.0
# Environments end soon, and packages that nobody uses go soon, so that both pictures are of an idle cloud.
IDLE_S = 2.0
PACKAGES_KEPT_S = 1.0
SETTLE_S = 60.0
SOURCE = """
import os, time
def handler(event, context):
    print("event", event)
    time.sleep(event.get("sleep", 0))
    if event.get("raise"):
        raise ValueError("as asked")
    if event.get("exit"):
        os._exit(3)
    if event.get("hoard"):
        hoard = bytearray(512 << 20)
    return event
"""
TURN = """
import boto3
s3 = boto3.client("s3")
def handler(event, context):
    place = event["Records"][0]["s3"]
    name = {"Key": place["object"]["key"]}
    body = s3.get_object(Bucket=place["bucket"]["name"], **name)["Body"].read()
    s3.put_object(Bucket="soak-out", Body=body[::-1], **name)
"""
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
S3_ALL = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
}


@dataclass(frozen=True)
class Size:
    """What the server holds: memory in MB; processes are those below it."""

    memory: float
    processes: int
    files: int
    threads: int
    on_disk: int


# What may be more at the end: a share of what was, and an amount. Memory has the record of what
# happened in it, which fills up to its 100,000 entries.
MARGINS = {
    "memory": (0.10, 48),
    "processes": (0, 2),
    "files": (0, 12),
    "threads": (0, 4),
    "on_disk": (0, 20),
}


class Soak:
    """The load on one server, and what came of it."""

    def __init__(self, endpoint_url: str):
        self._session = boto3.Session("test", "test", region_name="us-east-1")
        self._endpoint_url = endpoint_url
        self._lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self._paused = threading.Event()
        self._numbers = itertools.count()
        self.s3, self.functions, self.logs = map(self._client, ("s3", "lambda", "logs"))

    def _client(self, service: str):
        config = Config(retries={"total_max_attempts": 1}, max_pool_connections=20)
        return self._session.client(service, endpoint_url=self._endpoint_url, config=config)

    def prepare(self) -> None:
        """Make the role, the buckets and the functions that stay."""
        iam = self._client("iam")
        role = iam.create_role(RoleName="soak", AssumeRolePolicyDocument=json.dumps(TRUST))
        self._role = role["Role"]["Arn"]
        iam.attach_role_policy(RoleName="soak", PolicyArn=BASIC)
        iam.put_role_policy(RoleName="soak", PolicyName="s3", PolicyDocument=json.dumps(S3_ALL))
        for bucket in ("soak-in", "soak-out"):
            self.s3.create_bucket(Bucket=bucket)
        self._create("soak")
        self._create("soak-none")
        arn = self._create("soak-turn", TURN, 1769)
        self.functions.put_function_concurrency(
            FunctionName="soak-none", ReservedConcurrentExecutions=0
        )
        self.functions.add_permission(
            FunctionName="soak-turn", StatementId="s3", Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
        )  # fmt: skip
        when = {"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}
        self.s3.put_bucket_notification_configuration(
            Bucket="soak-in", NotificationConfiguration={"LambdaFunctionConfigurations": [when]}
        )

    def load(self, seconds: float) -> None:
        """Let everything at the server for so long, then wait until all calls have ended."""
        self._paused.clear()
        kinds = [self.good, self.good, self.slow, self.failing, self.throttled, self.event,
                 self.upload, self.deploy, self.sweep]  # fmt: skip
        threads = [threading.Thread(target=self._repeat, args=(kind,)) for kind in kinds]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self._paused.set()
        for thread in threads:
            thread.join()
        self.clear()

    def _repeat(self, call: Callable[[], None]) -> None:
        while not self._paused.wait(0.02):
            try:
                call()
                outcome = self.counts
                name = call.__name__
            except (ClientError, BotoCoreError, AssertionError, KeyError) as error:
                outcome, name = self.wrong, f"{call.__name__}: {error}"[:200]
            with self._lock:
                outcome[name] += 1

    def good(self) -> None:
        self._succeed("soak", {"a": 1})

    def slow(self) -> None:
        self._succeed("soak", {"sleep": 0.3})

    def failing(self) -> None:
        event = [{"raise": 1}, {"exit": 1}, {"hoard": 1}, {"sleep": 9}][next(self._numbers) % 4]
        assert self._invoke("soak", event)[0] == "Unhandled"

    def throttled(self) -> None:
        try:
            self._invoke("soak-none", {})
        except self.functions.exceptions.TooManyRequestsException:
            return
        raise AssertionError("was not throttled")

    def event(self) -> None:
        for event in ({}, {"raise": 1}):
            self.functions.invoke(
                FunctionName="soak", InvocationType="Event", Payload=json.dumps(event)
            )

    def upload(self) -> None:
        key = f"{next(self._numbers)}"
        self.s3.put_object(Bucket="soak-in", Key=key, Body=key.encode() * 20_000)
        deadline = time.monotonic() + 30
        while not self.s3.list_objects_v2(Bucket="soak-out", Prefix=key).get("KeyCount"):
            assert time.monotonic() < deadline, "no object came of it"
            time.sleep(0.05)
        for bucket in ("soak-in", "soak-out"):
            self.s3.delete_object(Bucket=bucket, Key=key)

    def deploy(self) -> None:
        name = f"soak-{next(self._numbers)}"
        self._create(name, f"# {name}\n{SOURCE}")
        self._succeed(name, {})
        self._update(name)
        self._succeed(name, {})
        self.functions.delete_function(FunctionName=name)

    def sweep(self) -> None:
        """Delete the logs: they are the learner's and would grow."""
        time.sleep(3)
        self.clear()

    def clear(self) -> None:
        """Delete every log group there is."""
        for group in self.logs.describe_log_groups()["logGroups"]:
            try:
                self.logs.delete_log_group(logGroupName=group["logGroupName"])
            except self.logs.exceptions.ResourceNotFoundException:
                continue

    def _succeed(self, name: str, event: dict) -> None:
        answer = self._invoke(name, event)
        assert answer == (None, event), answer

    def _invoke(self, name: str, event: dict) -> tuple[str | None, object]:
        answer = self.functions.invoke(FunctionName=name, Payload=json.dumps(event))
        return answer.get("FunctionError"), json.loads(answer["Payload"].read())

    def _create(self, name: str, source: str = SOURCE, memory_mb: int = 256) -> str:
        return self.functions.create_function(
            FunctionName=name, Role=self._role, Runtime="python3.12", Handler="app.handler",
            Timeout=2, MemorySize=memory_mb, Code={"ZipFile": zipped({"app.py": source.encode()})},
        )["FunctionArn"]  # fmt: skip

    def _update(self, name: str) -> None:
        self.functions.update_function_configuration(FunctionName=name, Description=name, Timeout=3)


def measure(process: psutil.Process, folder: Path) -> Size:
    """The server's size now."""
    return Size(
        process.memory_info().rss / 1e6,
        len(process.children(recursive=True)),
        process.num_fds(),
        process.num_threads(),
        sum(1 for path in folder.rglob("*") if path.is_file()),
    )


def settle(process: psutil.Process, folder: Path) -> Size:
    """Wait until idle environments have ended and nothing changes any more; the size then."""
    deadline = time.monotonic() + SETTLE_S
    before, now = None, measure(process, folder)
    while time.monotonic() < deadline:
        time.sleep(2 * IDLE_S)
        before, now = now, measure(process, folder)
        if (before.processes, before.files, before.on_disk) == (
            now.processes, now.files, now.on_disk,
        ):  # fmt: skip
            break
    return now


def rows(began: Size, ended: Size) -> Iterator[tuple[str, float, float, float, bool]]:
    """Name, begin, end, most that is allowed, and whether it is kept."""
    for name, (share, amount) in MARGINS.items():
        first, last = getattr(began, name), getattr(ended, name)
        most = first * (1 + share) + amount
        yield name, first, last, most, last <= most


def serve(folder: str) -> None:
    """Run the server until its input ends."""
    from localcloud import LocalCloud

    with LocalCloud(
        port=0,
        state=Path(folder, "state"),
        idle_timeout_s=IDLE_S,
        packages_kept_s=PACKAGES_KEPT_S,
        event_speed=600,
    ) as cloud:
        print(cloud.endpoint_url, flush=True)
        sys.stdin.read()


def run(minutes: float) -> int:
    """Soak and print the table; return the exit code."""
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        command = [sys.executable, "-m", "benchmarks.soak", "--serve", name]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            soak = Soak(server.stdout.readline().strip())
            process, folder = psutil.Process(server.pid), Path(name)
            soak.prepare()
            soak.load(WARM_UP_S)
            began = settle(process, folder)
            soak.load(minutes * 60)
            ended = settle(process, folder)
            server.stdin.close()
    kept = True
    print(f"\n{'':12}{'began':>10}{'ended':>10}{'at most':>10}")
    for label, first, last, most, fine in rows(began, ended):
        kept &= fine
        print(f"{label:12}{first:10.0f}{last:10.0f}{most:10.0f}{'' if fine else '  grew'}")
    print("\n" + ", ".join(f"{count} {kind}" for kind, count in sorted(soak.counts.items())))
    for words, count in soak.wrong.most_common(10):
        print(f"went wrong {count} times: {words}")
    return 0 if kept and not soak.wrong else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--serve", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
    else:
        sys.exit(run(options.minutes))
