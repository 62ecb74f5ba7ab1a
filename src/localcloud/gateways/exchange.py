"""A request to an API under way: what is known of it, and what expressions say of it."""

import base64
import functools
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from .. import payload_v2
from .addresses import Call, joined
from .descriptions import Api, Route, Stage
from .rest_descriptions import Method, RestStage

CLF_TIME = "%d/%b/%Y:%H:%M:%S +0000"


def new_request_id() -> str:
    """An id in the form of API Gateway's, such as Mc7UVioPPHcEKPA=."""
    return base64.urlsafe_b64encode(os.urandom(11)).decode()


@dataclass(frozen=True)
class Authorization:
    """What an authorizer found out: `requestContext.authorizer` of both payload formats, what belongs
    in `requestContext.identity` of format 1.0, $context's variables, and the API key that a Lambda
    authorizer says is the caller's.
    """

    authorizer_v2: Mapping[str, Any] = field(default_factory=dict)
    authorizer_v1: Mapping[str, Any] = field(default_factory=dict)
    identity: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    usage_key: str | None = None


@dataclass(frozen=True)
class Step:
    """A line of an execution's log; `at` is in seconds since 1970. Those `of_data` show headers and
    bodies.
    """

    at: float
    text: str
    of_data: bool = False
    is_error: bool = False


@dataclass
class Exchange:
    """A request to a stage. `path` is percent-encoded and without the stage."""

    call: Call
    api: Api
    stage: Stage | RestStage
    path: str
    trace_id: str
    request_id: str = field(default_factory=new_request_id)
    started: float = field(default_factory=time.time)
    route: Route | Method | None = None
    path_parameters: dict[str, str] = field(default_factory=dict)
    authorization: Authorization = field(default_factory=Authorization)
    # What becomes known on the way, under the names that access logs have for it.
    outcome: dict[str, Any] = field(default_factory=dict)
    # What an execution log says, where somebody will read it; see execution_log.py.
    trace: list[Step] | None = None

    @functools.cached_property
    def headers(self) -> dict[str, str]:
        """The request's headers, repeated ones joined."""
        return joined(self.call.fields)

    @functools.cached_property
    def query(self) -> dict[str, str]:
        """The query's parameters, decoded, repeated ones joined by commas."""
        return payload_v2.parameters(self.call.request.query)

    @property
    def stage_path(self) -> str:
        """The path with the stage, as events and logs give it: decoded, $default left out."""
        return self.with_stage(self.path)

    def with_stage(self, path: str) -> str:
        """A path without its stage, decoded, as one with it; at a custom domain name with the mapping's
        key in the stage's place.
        """
        base = self.call.base_path
        if base is None:
            base = "" if self.stage.name == "$default" else f"/{self.stage.name}"
        return unquote(base + path)

    def arn(self) -> str:
        """The ARN of what is asked for, as policies of callers name it."""
        return self.api.arn(self.stage.name, self.call.request.method, unquote(self.path)[1:])

    def route_arn(self) -> str:
        """The ARN of the route, as resource policies of functions name it in aws:SourceArn."""
        if self.route.key == "$default":
            return self.api.arn(self.stage.name, "$default")
        return self.api.arn(self.stage.name, self.call.request.method, self.route.path[1:])

    def context(self, name: str) -> Any:
        """The value of a $context variable; None where it has none.

        Names: "Customize HTTP API access logs". Times are in milliseconds.
        """
        found = self.outcome.get(name)
        if found is None:
            found = self.authorization.variables.get(name)
        if found is None:
            found = self._facts().get(name)
        return found

    def variables(self) -> dict[str, Any]:
        """All of $context's variables, by name."""
        return {**self._facts(), **self.authorization.variables, **self.outcome}

    def _facts(self) -> dict[str, Any]:
        call = self.call
        return {
            "accountId": self.api.account_id,
            "apiId": self.api.id,
            "domainName": call.domain,
            "domainPrefix": call.domain.partition(".")[0],
            "extendedRequestId": self.request_id,
            "httpMethod": call.request.method,
            "identity.sourceIp": call.source_ip,
            "identity.userAgent": self.headers.get("user-agent"),
            "path": self.stage_path,
            "protocol": "HTTP/1.1",
            "requestId": self.request_id,
            "requestTime": time.strftime(CLF_TIME, time.gmtime(self.started)),
            "requestTimeEpoch": int(self.started * 1000),
            "routeKey": self.route.key if self.route else None,
            "stage": self.stage.name,
        }

    def value(self, expression: str) -> str | None:
        """What an expression such as $request.header.x stands for; a text without $ is itself."""
        source, _, name = expression.partition(".")
        match source:
            case "$context":
                return as_text(self.context(name))
            case "$stageVariables":
                return self.stage.variables.get(name)
            case "$request":
                return self._request_value(name)
        return None if expression.startswith("$") else expression

    def parameter(self, expression: str) -> str | None:
        """What a REST API's expression such as method.request.header.x or stageVariables.y stands for;
        repeated values are joined, whether it says multivalue or not.
        """
        name = expression.removeprefix("method.").replace("request.multivalue", "request.", 1)
        return self.value(f"${name}")

    def _request_value(self, name: str) -> str | None:
        kind, _, name = name.partition(".")
        match kind:
            case "header":
                return self.headers.get(name.lower())
            case "querystring":
                return self.query.get(name)
            case "path":
                return self.path_parameters.get(name) if name else self.path
            case "body":
                return as_text(json_value(self.call.request.body, name))
        return None


def as_text(value: Any) -> str | None:
    """A value as it stands in a header or a log; None for None."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))


def claim_texts(claims: Mapping[str, Any]) -> dict[str, str | None]:
    """A token's claims as functions get them: as text, lists as [a b]."""
    return {
        name: f"[{' '.join(map(str, value))}]" if isinstance(value, list) else as_text(value)
        for name, value in claims.items()
    }


def json_value(body: bytes, path: str) -> Any:
    """The part of a JSON body at a path such as a.b[0].c; None where there is none."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    for part in path.replace("[", ".").replace("]", "").split(".") if path else ():
        if isinstance(found, dict):
            found = found.get(part)
        elif isinstance(found, list) and part.isdecimal() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    return found
