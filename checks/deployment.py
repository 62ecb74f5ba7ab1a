"""Puts the learner's work into the cloud, by boto3 alone, and takes it away again."""

import base64
import contextlib
import functools
import json
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from labkit import packages
from labkit.grading import Unmet, expect

from .json_texts import value_of

# AWS throttles its control plane: Lambda's takes 15 requests a second in all ("Lambda quotas").
_CONFIG = Config(read_timeout=60, retries={"total_max_attempts": 5, "mode": "standard"})
# Longer than any function here may run, and no second try: that would be a second invocation.
_ONCE = Config(read_timeout=60, retries={"total_max_attempts": 1, "mode": "standard"})
# New roles take seconds to be known everywhere on AWS; on the local cloud they are known at once.
ROLE_S = 30
_ACTIVE_S = 60
_UNREADABLE = object()
T = TypeVar("T")

TRUST_LAMBDA = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


@functools.cache
def client(service: str) -> Any:
    """The boto3 client of a service in the cloud in use."""
    return boto3.client(service, config=_CONFIG)


@functools.cache
def invoker() -> Any:
    """The boto3 client that invokes functions, each time once."""
    return boto3.client("lambda", config=_ONCE)


@dataclass(frozen=True)
class Answer:
    """What an invocation gave: its payload, FunctionError's value if it failed, the end of its log."""

    payload: Any
    error: str | None
    log: list[str]

    @classmethod
    def of(cls, response: Mapping[str, Any]) -> "Answer":
        """The answer in a response of Invoke. Raises Unmet where its payload can't be read as JSON."""
        log = (
            base64.b64decode(response.get("LogResult", "")).decode("utf-8", "replace").splitlines()
        )
        body = response["Payload"].read()
        payload = value_of(body, _UNREADABLE) if body else None
        if payload is _UNREADABLE:
            raise Unmet(
                tried="invoked the function",
                expected="an answer in JSON",
                seen=f"{body!r:.200}",
                log=log,
            )
        return cls(payload, response.get("FunctionError"), log)

    @property
    def problem(self) -> str:
        """The failure in one line, such as `NameError: name 'x' is not defined`; empty without one."""
        if self.error is None:
            return ""
        if not isinstance(self.payload, dict):
            return self.error
        parts = (self.payload.get("errorType"), self.payload.get("errorMessage"))
        return ": ".join(str(part) for part in parts if part) or self.error

    def reported(self, name: str) -> float | None:
        """A number of the REPORT line, such as Duration (ms) or Max Memory Used (MB); None where it has none
        of that name. Raises Unmet where the end of the log has no such line; on AWS every invocation's has.
        """
        reports = [line for line in self.log if line.startswith("REPORT ")]
        expect(
            reports,
            tried="invoked the function and asked for the end of its log",
            expected="a REPORT line",
            seen="there is none",
            log=self.log,
        )
        found = re.search(rf"\t{name}: ([\d.]+) ", reports[-1])
        return float(found[1]) if found else None

    def must_work(self, tried: str, expected: str) -> None:
        """Raises Unmet, with the log, if the invocation failed."""
        expect(self.error is None, tried=tried, expected=expected, seen=self.problem, log=self.log)


class Deployment:
    """Resources with names of their own, so that nothing which is there already is touched.

    A context manager: on the way out it removes what it made, last things first.
    """

    def __init__(self) -> None:
        self._prefix = f"lab-check-{secrets.token_hex(4)}"
        self._made = contextlib.ExitStack()
        identity = client("sts").get_caller_identity()
        self.account: str = identity["Account"]
        self.partition: str = identity["Arn"].split(":")[1]
        self.region: str = client("s3").meta.region_name

    def __enter__(self) -> "Deployment":
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Remove all that was made."""
        self._made.close()

    def client(self, service: str) -> Any:
        """The boto3 client of a service."""
        return client(service)

    def name(self, word: str) -> str:
        """A name that nothing else has, good for buckets, roles, functions and layers."""
        return f"{self._prefix}-{word}"

    def fill(self, text: str, **values: str) -> str:
        """Replace ${Account}, ${Region}, ${Partition} and the values given; other ${…} stay."""
        known = {"Account": self.account, "Region": self.region, "Partition": self.partition}
        return Template(text).safe_substitute(known | values)

    def bucket(self, word: str) -> str:
        """Create a bucket and return its name."""
        name = self.name(word)
        place = {} if self.region == "us-east-1" else {"LocationConstraint": self.region}
        extra = {"CreateBucketConfiguration": place} if place else {}
        client("s3").create_bucket(Bucket=name, **extra)
        self._made.callback(_remove_bucket, name)
        return name

    def role(
        self, word: str, *policies: Mapping[str, Any], trust: Mapping[str, Any] = TRUST_LAMBDA
    ) -> str:
        """Create a role that Lambda may take, with the policies inline; return its ARN."""
        name, iam = self.name(word), client("iam")
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        self._made.callback(_remove_role, name)
        for number, policy in enumerate(policies, 1):
            iam.put_role_policy(
                RoleName=name, PolicyName=f"policy-{number}", PolicyDocument=json.dumps(policy)
            )
        return role["Arn"]

    def function(
        self,
        word: str,
        files: Mapping[str, str | bytes],
        *,
        handler: str,
        role: str,
        layers: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        memory: int = 256,
        timeout: int = 10,
    ) -> str:
        """Create a function of these files (name -> content) and return its name once it is active.

        `memory` in MB, `timeout` in seconds; runtime and architecture are those of the kit's Pillow.
        """
        name, functions = self.name(word), client("lambda")

        def create() -> bool:
            return is_created(
                functions, files, FunctionName=name, Role=role, Handler=handler,
                Layers=list(layers), MemorySize=memory, Timeout=timeout,
                Environment={"Variables": dict(environment or {})},
            )  # fmt: skip

        self._made.callback(_remove_function, name)
        self.wait_for(create, ROLE_S)
        self.wait_until_active(name)
        return name

    def wait_until_active(self, name: str) -> None:
        """Wait until the function is active and its last update is through."""

        def ready() -> bool:
            found = client("lambda").get_function_configuration(FunctionName=name)
            return found["State"] == "Active" and found.get("LastUpdateStatus") != "InProgress"

        self.wait_for(ready, _ACTIVE_S)

    def invoke(self, name: str, event: Any) -> Answer:
        """Invoke a function and wait for its answer."""
        return Answer.of(
            invoker().invoke(FunctionName=name, Payload=json.dumps(event), LogType="Tail")
        )

    def layer(self, word: str, archive: bytes, **parameters: Any) -> str:
        """Publish a layer version from a zip and return its ARN; `parameters` as publish_layer_version's."""
        found = client("lambda").publish_layer_version(
            **{"LayerName": self.name(word)} | parameters, Content={"ZipFile": archive}
        )
        self._made.callback(
            client("lambda").delete_layer_version,
            LayerName=found["LayerArn"],
            VersionNumber=found["Version"],
        )
        return found["LayerVersionArn"]

    def wait_for(self, look: Callable[[], T], seconds: float, *, words: str = "") -> T:
        """Return the first true value that `look` gives. Raises Unmet after that many seconds."""
        deadline = time.monotonic() + seconds
        pause = 0.01
        while not (found := look()):
            if time.monotonic() > deadline:
                words = words or "the cloud to be ready"
                raise Unmet(tried=f"waited {seconds:g} s", expected=words, seen="nothing came")
            time.sleep(pause)
            pause = min(pause * 1.5, 0.5)
        return found


def is_created(functions: Any, files: Mapping[str, str | bytes], **settings: Any) -> bool:
    """Create a function of these files; False where its role is not known everywhere yet."""
    try:
        functions.create_function(
            Code={"ZipFile": packages.zipped(files)}, Runtime=packages.runtime(),
            Architectures=[packages.architecture()], **settings,
        )  # fmt: skip
    except ClientError as error:
        if "cannot be assumed by Lambda" in str(error):
            return False
        raise
    return True


def kept_layer(word: str, content: str, make: Callable[[], bytes]) -> str:
    """The ARN of a layer that stays in the cloud.

    `content` says what is in it; `make` gives its zip where no version has that content.
    """
    runtime, architecture = packages.runtime(), packages.architecture()
    name = f"{word}-{runtime.replace('.', '-')}-{architecture}"
    functions = client("lambda")
    for page in functions.get_paginator("list_layer_versions").paginate(LayerName=name):
        for version in page["LayerVersions"]:
            if version.get("Description") == content:
                return version["LayerVersionArn"]
    return functions.publish_layer_version(
        LayerName=name, Description=content, Content={"ZipFile": make()},
        CompatibleRuntimes=[runtime], CompatibleArchitectures=[architecture],
    )["LayerVersionArn"]  # fmt: skip


def empty_bucket(name: str) -> None:
    """Delete all objects of a bucket, in all their versions."""
    s3 = client("s3")
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        # A page has no more than one request takes: 1,000 (S3 API reference, DeleteObjects).
        found = [
            {"Key": item["Key"], "VersionId": item["VersionId"]}
            for item in page.get("Versions", []) + page.get("DeleteMarkers", [])
        ]
        if found:
            s3.delete_objects(Bucket=name, Delete={"Objects": found, "Quiet": True})


def _remove_bucket(name: str) -> None:
    s3 = client("s3")
    with contextlib.suppress(s3.exceptions.NoSuchBucket):
        empty_bucket(name)
        s3.delete_bucket(Bucket=name)


def _remove_role(name: str) -> None:
    iam = client("iam")
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def _remove_function(name: str) -> None:
    functions, logs = client("lambda"), client("logs")
    with contextlib.suppress(functions.exceptions.ResourceNotFoundException):
        functions.delete_function(FunctionName=name)
    with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
        logs.delete_log_group(logGroupName=f"/aws/lambda/{name}")
