"""What the gateways know of an API: immutable, as the control plane describes it.

A Deployment is a snapshot: what changes later is not seen through it. A stage's own settings are as
they are now, because UpdateStage is effective without a deployment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Authorizer:
    """A JWT or REQUEST (Lambda) authorizer. `ttl_s` 0 means that its answers are not kept."""

    id: str
    type: str
    identity_sources: tuple[str, ...] = ()
    uri: str = ""
    payload_version: str = "2.0"
    is_simple: bool = False
    ttl_s: int = 0
    credentials: str | None = None
    issuer: str = ""
    audiences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Integration:
    """What answers a route: AWS_PROXY (a function), HTTP_PROXY or HTTP (another server), or MOCK.

    `response_parameters` are by status code, in digits; `response_templates` are those of a WebSocket
    API's integration response $default, by the name that selects one.
    """

    type: str
    uri: str
    method: str = "ANY"
    payload_version: str = "2.0"
    timeout_s: float = 30.0
    credentials: str | None = None
    subtype: str | None = None
    request_parameters: Mapping[str, str] = field(default_factory=dict)
    response_parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    request_templates: Mapping[str, str] = field(default_factory=dict)
    response_templates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """A route of an HTTP or WebSocket API. `method` is ANY where all are meant; `segments` are its
    path's parts, empty for $default, for the root and in WebSocket APIs, whose keys have no path.
    Only a WebSocket API's route that `is_two_way` sends its integration's answer back.
    """

    key: str
    method: str
    segments: tuple[str, ...]
    authorization: str = "NONE"
    scopes: tuple[str, ...] = ()
    authorizer: Authorizer | None = None
    integration: Integration | None = None
    is_two_way: bool = False

    @property
    def path(self) -> str:
        """The path as the route key has it; $default for the route of that name."""
        return self.key.partition(" ")[2] or self.key


@dataclass(frozen=True)
class Deployment:
    """An API's routes and CORS configuration (members as the API names them: AllowOrigins…) as they
    were at a moment, given as a Unix time; of a WebSocket API its route selection expression too.
    """

    id: str
    created: float
    is_automatic: bool
    routes: tuple[Route, ...]
    cors: Mapping[str, Any]
    description: str | None = None
    selection_expression: str = ""


@dataclass(frozen=True)
class Throttle:
    """A token bucket's size and how many tokens a second fill it; None is the account's."""

    rate: float | None = None
    burst: int | None = None


@dataclass(frozen=True)
class RouteSettings:
    """What a stage says of a route: how it is throttled, and whether it has metrics of its own."""

    throttle: Throttle = Throttle()
    is_detailed: bool = False


@dataclass(frozen=True)
class Stage:
    """A stage as a request finds it. `route_settings` are by route key, `default_settings` are for all
    other routes.
    """

    name: str
    deployment: Deployment | None
    variables: Mapping[str, str]
    default_settings: RouteSettings
    route_settings: Mapping[str, RouteSettings]
    log_group: str | None = None
    log_format: str = ""

    def settings_of(self, route: Route) -> RouteSettings:
        """The settings that hold for a route."""
        return self.route_settings.get(route.key, self.default_settings)


@dataclass(frozen=True)
class Api:
    """An API of any kind and where it is. A disabled one answers nobody at its execute-api address."""

    id: str
    region: str
    account_id: str
    is_disabled: bool

    def arn(self, *parts: str) -> str:
        """The execute-api ARN of a stage, method and path of this API."""
        place = f"arn:aws:execute-api:{self.region}:{self.account_id}:{self.id}"
        return "/".join((place, *parts))


@dataclass(frozen=True)
class HttpApi(Api):
    """An HTTP API."""

    stages: Mapping[str, Stage]


@dataclass(frozen=True)
class WebSocketApi(Api):
    """A WebSocket API."""

    stages: Mapping[str, Stage]
