"""What the gateways know of a REST API: immutable, like what descriptions.py has for HTTP APIs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .descriptions import Api, Throttle
from .rest_access_descriptions import RequestValidation, RestAuthorizer


@dataclass(frozen=True)
class IntegrationResponse:
    """What a non-proxy integration's answer becomes; no `pattern` is the default."""

    status: int
    pattern: str | None
    parameters: Mapping[str, str]
    templates: Mapping[str, str]
    content_handling: str | None = None


@dataclass(frozen=True)
class RestIntegration:
    """What answers a method, by the HTTP method that it asks for.

    `cache_keys` are the parameters by which answers are kept, such as method.request.path.id, under
    `cache_namespace`.
    """

    type: str
    uri: str = ""
    method: str = "POST"
    timeout_s: float = 29.0
    credentials: str | None = None
    request_parameters: Mapping[str, str] = field(default_factory=dict)
    request_templates: Mapping[str, str] = field(default_factory=dict)
    passthrough: str = "WHEN_NO_MATCH"
    content_handling: str | None = None
    cache_keys: tuple[str, ...] = ()
    cache_namespace: str = ""
    responses: tuple[IntegrationResponse, ...] = ()


@dataclass(frozen=True)
class Method:
    """A method of a resource; it has the shape of an HTTP API's route, and is chosen like one."""

    key: str
    method: str
    segments: tuple[str, ...]
    resource_id: str
    authorization: str = "NONE"
    is_key_required: bool = False
    authorizer: RestAuthorizer | None = None
    scopes: tuple[str, ...] = ()
    validation: RequestValidation = RequestValidation()
    integration: RestIntegration | None = None
    response_statuses: frozenset[int] = frozenset()

    @property
    def path(self) -> str:
        """The resource's path, with its variables in braces."""
        return self.key.partition(" ")[2]


@dataclass(frozen=True)
class GatewayResponse:
    """What an API answers by itself, where it was told to answer otherwise than API Gateway does."""

    status: int | None
    parameters: Mapping[str, str]
    templates: Mapping[str, str]


@dataclass(frozen=True)
class RestDeployment:
    """An API as it was when it was deployed. `responses` are by type, such as DEFAULT_4XX; `policy` is
    its resource policy; `key_source` says where API keys are, HEADER or AUTHORIZER.
    """

    id: str
    methods: tuple[Method, ...]
    responses: Mapping[str, GatewayResponse]
    policy: str | None = None
    key_source: str = "HEADER"
    binary_media_types: tuple[str, ...] = ()


@dataclass(frozen=True)
class MethodSettings:
    """What a stage says of a method besides its throttling. `log_level` is OFF, ERROR or INFO;
    `unauthorized` is what becomes of a request that may not invalidate the cache.
    """

    is_cached: bool = False
    ttl_s: int = 300
    needs_authorization: bool = True
    unauthorized: str = "SUCCEED_WITH_RESPONSE_HEADER"
    is_detailed: bool = False
    log_level: str = "OFF"
    logs_data: bool = False


@dataclass(frozen=True)
class Canary:
    """The share of a stage's requests, in percent, that another deployment answers."""

    percent: float
    deployment: RestDeployment
    variables: Mapping[str, str]
    uses_stage_cache: bool


@dataclass(frozen=True)
class RestStage:
    """A stage as a request finds it. `settings` and `throttles` are by method such as `GET /pets`, the
    default by *. What is kept under `cache_name` is good until `cache_flushes` changes, the answers of
    authorizers until `authorizers_epoch` does.
    """

    name: str
    deployment: RestDeployment | None
    variables: Mapping[str, str]
    log_group: str | None = None
    log_format: str = ""
    throttles: Mapping[str, Throttle] = field(default_factory=dict)
    authorizers_epoch: int = 0
    has_cache: bool = False
    settings: Mapping[str, MethodSettings] = field(default_factory=dict)
    canary: Canary | None = None
    cache_name: str = ""
    cache_flushes: int = 0

    def throttle_of(self, method: Method) -> Throttle:
        """What the stage says of a method."""
        return self.throttles.get(method.key) or self.throttles.get("*") or Throttle()

    def settings_of(self, method: Method) -> MethodSettings:
        """The settings that hold for a method."""
        own = self.settings.get(method.key)
        if own:
            return own
        general = self.settings.get("*", MethodSettings())
        # "Enable API caching": for all methods together it is for GET alone.
        return general if method.method == "GET" else replace(general, is_cached=False)


@dataclass(frozen=True)
class RestApi(Api):
    """A REST API. `endpoint_type` is EDGE, REGIONAL or PRIVATE; `log_role` is the role of the account by
    which executions are logged.
    """

    stages: Mapping[str, RestStage]
    endpoint_type: str = "EDGE"
    name: str = ""
    log_role: str | None = None

    @property
    def is_private(self) -> bool:
        """Whether it is reached through VPC endpoints alone."""
        return self.endpoint_type == "PRIVATE"
