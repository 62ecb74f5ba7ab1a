"""What the gateways know of who may come in to a REST API: its authorizers, validators and limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .descriptions import Throttle


@dataclass(frozen=True)
class ClaimRule:
    """What a JWT authorizer asks of a claim; `value` None asks nothing of what it holds."""

    name: str
    is_required: bool
    value: str | None


@dataclass(frozen=True)
class TrustedIssuer:
    """An issuer whose tokens a JWT authorizer takes."""

    issuer: str
    audiences: tuple[str, ...]
    claims: tuple[ClaimRule, ...] = ()


@dataclass(frozen=True)
class RestAuthorizer:
    """A TOKEN, REQUEST, COGNITO_USER_POOLS or JWT authorizer.

    `identity_sources` are expressions such as method.request.header.Authorization; `validation` is a
    regular expression for the token, or for a Cognito token's audience. `ttl_s` 0 keeps no answers.
    `issuers` are the user pools' or those of a JWT authorizer.
    """

    id: str
    type: str
    identity_sources: tuple[str, ...] = ()
    uri: str = ""
    credentials: str | None = None
    validation: str | None = None
    ttl_s: int = 0
    issuers: tuple[TrustedIssuer, ...] = ()
    algorithms: tuple[str, ...] = ()


@dataclass(frozen=True)
class RequestValidation:
    """What a request must have. `parameters` are expressions; `models` are JSON schemas (draft 4, as
    text) by content type, where $default stands for all others.
    """

    parameters: tuple[str, ...] = ()
    models: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Membership:
    """An API key in a usage plan of a stage. `method_throttle` is what the plan has for the method that
    is asked for, if anything.
    """

    key: str
    key_id: str
    plan_id: str
    throttle: Throttle
    method_throttle: Throttle | None
