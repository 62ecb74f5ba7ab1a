"""What the local cloud of this process is asked: operations, the IAM actions they need, and what AWS bills.

All of it is heard at the cloud's door, whoever asks: a check, a notebook's kernel, the functions. Of what
functions ask only the bill is kept; what they may do is their roles' business.
"""

import json
import os
import re
import urllib.request
from collections import Counter, defaultdict
from typing import Any
from unittest import mock
from urllib.parse import unquote

import boto3

from localcloud.actions import ApiRequest, credential_scope, needs, operation
from localcloud.foundation_models import guarded
from localcloud.foundation_models.api import FoundationModels
from localcloud.foundation_models.conversations import Reply
from localcloud.identity import Gatekeeper
from needed_actions import place, stack_needs, with_tags

# A call and its lines in the log, START, END and REPORT among them, take about so much there.
_LOG_GIGABYTES = 1e-6
# Of 1,000 concurrent executions 100 stay unreserved; a notebook shows how more is refused.
_MOST_RESERVED = 900
_INVOKE = "execute-api:Invoke"
# What AWS calls an API's requests in its prices, by CloudWatch's metric and what it is counted by.
_API_UNITS = {
    ("Count", "ApiName"): "rest_request", ("Count", "ApiId"): "http_request",
    ("MessageCount", "ApiId"): "message", ("ConnectCount", "ApiId"): "message",
}  # fmt: skip


class Recording:
    """Hears every request while it is in use; a context manager, one at a time.

    Operations and actions are kept of those who use the key that this process has at the beginning.
    """

    def __init__(self) -> None:
        self._key = os.environ["AWS_ACCESS_KEY_ID"]
        self._operations: Counter[str] = Counter()
        self._actions: dict[str, set[str]] = defaultdict(set)
        self._memory: dict[str, int] = {}
        self._units: dict[str, Counter[str]] = defaultdict(Counter)
        self._models: dict[str, str] = {}
        self._replies: list[tuple[str, Reply]] = []
        self._reserved = 0
        self._refused: set[str] = set()

    def __enter__(self) -> "Recording":
        self._last = _entries(0)[-1]["sequence"] if _entries(0) else 0
        self._apis_before = _api_units()
        check, answer = Gatekeeper.check, FoundationModels.answer
        judge_connection, judge_api = Gatekeeper.judge_connection_call, Gatekeeper.judge_api_call
        ask = guarded.ask

        def heard_check(gatekeeper: Gatekeeper, request: ApiRequest) -> Any:
            name = self._hear(request)
            denial = check(gatekeeper, request)
            if denial and name:
                self._refused.add(denial.message)
            return denial

        def heard_connection(gatekeeper: Gatekeeper, request: ApiRequest, arn: str | None) -> Any:
            verdict = judge_connection(gatekeeper, request, arn)
            if arn:
                self._hear_call(request, "execute-api:ManageConnections", verdict.allowed)
            return verdict

        def heard_api(
            gatekeeper: Gatekeeper,
            request: ApiRequest,
            arn: str,
            action: str = _INVOKE,
            **more: Any,
        ) -> Any:
            verdict = judge_api(gatekeeper, request, arn, action, **more)
            self._hear_call(request, action, verdict.allowed)
            return verdict

        async def heard_answer(
            models: FoundationModels, request: ApiRequest, service: str, region: str
        ) -> Any:
            answered = await answer(models, request, service, region)
            if answered and answered[0] == 200 and request.path.startswith("/model/"):
                self._count_model(unquote(request.path).split("/")[2], region)
            return answered

        async def heard_ask(call: Any, model: Any, *asked: Any) -> Any:
            reply = await ask(call, model, *asked)
            self._replies.append((model.id, reply))
            return reply

        self._patches = [
            mock.patch.object(Gatekeeper, "check", heard_check),
            mock.patch.object(Gatekeeper, "judge_connection_call", heard_connection),
            mock.patch.object(Gatekeeper, "judge_api_call", heard_api),
            mock.patch.object(FoundationModels, "answer", heard_answer),
            mock.patch.object(guarded, "ask", heard_ask),
        ]
        for patch in self._patches:
            patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        for patch in self._patches:
            patch.stop()

    def _hear(self, request: ApiRequest) -> str:
        """Note a request; return what it asks where it is one of those that are kept, else nothing."""
        scope = credential_scope(request)
        if scope is None:
            return ""
        name, given = operation(request, scope.service)
        self._bill(scope.service, name, request.body)
        if scope.access_key_id != self._key:
            return ""
        self._operations[f"{scope.service}:{name}"] += 1
        for need in needs(request, scope, "000000000000"):
            self._add(need.action, place(need.resource))
        if name in ("CreateFunction", "UpdateFunctionConfiguration"):
            function, size = given["FunctionName"], given.get("MemorySize", 128)
            self._memory[function] = max(size, self._memory.get(function, 0))
        wanted = given.get("ReservedConcurrentExecutions", 0)
        if self._reserved < wanted <= _MOST_RESERVED:
            self._reserved = wanted
        if name in ("CreateStack", "UpdateStack", "CreateChangeSet"):
            self.add_stack(given.get("TemplateBody", ""))
        return f"{scope.service}:{name}"

    def _hear_call(self, request: ApiRequest, action: str, allowed: bool) -> None:
        """Note a request to an API, which has an id in place of a name."""
        scope = credential_scope(request)
        if scope and scope.access_key_id == self._key:
            self._operations[action] += 1
            self._add(action, "*")
            if not allowed:
                self._refused.add(f"{action} {request.path}")

    def _bill(self, service: str, name: str, body: bytes) -> None:
        if service == "s3" and not name.startswith("Delete"):
            self._units["s3"]["get" if name.startswith(("Get", "Head")) else "put"] += 1
        elif service in ("sqs", "sns", "dynamodb", "s3vectors"):
            self._units[service]["request"] += 1
        elif name in ("ApplyGuardrail", "CreateGuardrail"):
            self._units["guardrails"]["request"] += 1
        elif name == "PutProvisionedConcurrencyConfig":
            self._units["provisioned_concurrency"]["request"] += 1
        elif service == "apigateway" and b"cacheCluster" in body:
            self._units["api_cache"]["request"] += 1
        elif name in ("StartIngestionJob", "Retrieve", "RetrieveAndGenerate"):
            self._units["knowledge_bases"]["request"] += 1

    def _count_model(self, model: str, region: str) -> None:
        # Whether it can be used is looked at before anything is made.
        base = re.sub(r"^[a-z-]+\.(?=\w+\.)", "", model)
        self._add("bedrock:GetFoundationModel", place(f"arn:aws:bedrock:::foundation-model/{base}"))
        self._models[model] = "" if region == os.environ["AWS_DEFAULT_REGION"] else region
        if "embed" in model or "image" in model:
            self._units[model]["request"] += 1

    def add_stack(self, template: str) -> None:
        """What CloudFormation needs for a template's types: without a role of its own it does what the
        caller may do.
        """
        for action, places in stack_needs(template):
            self._actions[action].update(places)

    def _add(self, action: str, resource: str) -> None:
        for needed, where in with_tags(action, resource):
            self._actions[needed].add(where)

    def as_json(self) -> dict[str, Any]:
        """Operations with how often, actions with where, models with their region if it is not the
        learner's, what was refused, and units of what is billed.
        """
        units = {name: dict(sorted(counts.items())) for name, counts in self._units.items()}
        units |= self._lambda_units()
        if apis := _api_units() - self._apis_before:
            units["apigateway"] = dict(sorted(apis.items()))
        for model, reply in self._replies:
            tokens = units.setdefault(model, {"in": 0, "out": 0})
            tokens["in"] += reply.input_tokens
            tokens["out"] += reply.output_tokens
        return {
            "actions": {action: sorted(self._actions[action]) for action in sorted(self._actions)},
            "calls": dict(sorted(self._operations.items())),
            "models": dict(sorted(self._models.items())),
            "refused": sorted(self._refused),
            "reserved": self._reserved,
            "units": dict(sorted(units.items())),
        }

    def _lambda_units(self) -> dict[str, dict[str, float]]:
        """Invocations, and GB-seconds by each function's largest size in MB."""
        ends = [entry for entry in _entries(self._last) if entry["type"] == "invoke.end"]
        gb_seconds = sum(
            self._memory.get(end["function"].split(":")[6], 512) / 1024 * end["billed_ms"] / 1000
            for end in ends
        )
        if not ends:
            return {}
        return {
            "lambda": {"gb_second": round(gb_seconds, 1), "request": len(ends)},
            "logs": {"gigabyte": round(len(ends) * _LOG_GIGABYTES, 6)},
        }


def _api_units() -> Counter[str]:
    """Requests and messages that APIs have taken, deleted ones too."""
    # Asked as nobody whom IAM knows: its administrator.
    cloudwatch = boto3.Session("nobody", "nobody", region_name="us-east-1").client("cloudwatch")
    found: Counter[str] = Counter()
    for metric in cloudwatch.list_metrics(Namespace="AWS/ApiGateway")["Metrics"]:
        names = [dimension["Name"] for dimension in metric["Dimensions"]]
        unit = _API_UNITS.get((metric["MetricName"], names[0])) if len(names) == 1 else None
        if unit:
            points = cloudwatch.get_metric_statistics(
                Namespace="AWS/ApiGateway", MetricName=metric["MetricName"], Period=86400,
                Dimensions=metric["Dimensions"], StartTime="2020-01-01", EndTime="2100-01-01",
                Statistics=["Sum"],
            )["Datapoints"]  # fmt: skip
            found[unit] += round(sum(point["Sum"] for point in points))
    return found


def _entries(since: int) -> list[dict[str, Any]]:
    address = f"{os.environ['AWS_ENDPOINT_URL']}/_localcloud/events?since={since}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        return json.load(answer)
