"""What the gateways know of a REST API: immutable, like what descriptions.py has for HTTP APIs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .descriptions import Api, Throttle
from .rest_access_descriptions import RequestValidation, RestAuthorizer


@dataclass(frozen=True)
class IntegrationResponse:
    """What a non-proxy integration's answer becomes; no `pattern` is the default."""

    status: int
    pattern: str | None
    parameters: Mapping[str, str]
    templates: Mapping[str, str]


@dataclass(frozen=True)
class RestIntegration:
    """What answers a method."""

    type: str
    uri: str = ""
    timeout_s: float = 29.0
    credentials: str | None = None
    request_templates: Mapping[str, str] = field(default_factory=dict)
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
class RestStage:
    """A stage as a request finds it. `throttles` are by method such as `GET /pets`, the default by *;
    kept answers of authorizers are good for as long as `authorizers_epoch` is the same.
    """

    name: str
    deployment: RestDeployment | None
    variables: Mapping[str, str]
    log_group: str | None = None
    log_format: str = ""
    throttles: Mapping[str, Throttle] = field(default_factory=dict)
    authorizers_epoch: int = 0

    def throttle_of(self, method: Method) -> Throttle:
        """What the stage says of a method."""
        return self.throttles.get(method.key) or self.throttles.get("*") or Throttle()


@dataclass(frozen=True)
class RestApi(Api):
    """A REST API. A private one is reached through VPC endpoints alone."""

    stages: Mapping[str, RestStage]
    is_private: bool = False
