"""Resource policies of REST APIs: "How API Gateway resource policies affect authorization workflow"."""

from collections.abc import Iterable

from ..actions import Scope
from ..caller_keys import caller_keys
from ..conditions import Context
from ..control_plane.principals import ANONYMOUS
from ..policies import AccessRequest, Decision, Policy, PolicyType, evaluate
from ..policy_documents import Caller
from .exchange import Exchange
from .gateway_responses import GatewayError


def policy_of(exchange: Exchange) -> Policy | None:
    """The policy that the stage's deployment has, if any."""
    document = exchange.stage.deployment.policy
    return Policy(document) if document else None


def place_keys(exchange: Exchange) -> dict[str, str]:
    """The condition keys that say where a request comes from."""
    call = exchange.call
    keys = {"aws:SourceIp": call.source_ip}
    if call.vpc_endpoint:
        keys["aws:SourceVpce"] = call.vpc_endpoint
    return keys


def judge_anonymous(exchange: Exchange, authorizers: Iterable[Policy] = ()) -> Decision:
    """What the resource policy says of a request that nobody signed, together with the policies of a
    Lambda authorizer (Table A of that page).
    """
    api, request = exchange.api, exchange.call.request
    scope = Scope("", api.region, "execute-api")
    keys = caller_keys(ANONYMOUS, scope, request, api.account_id)
    context = Context(keys, place_keys(exchange))
    asked = AccessRequest("execute-api:Invoke", exchange.arn(), Caller(), context)
    return evaluate(asked, authorizers, policy_of(exchange))


def refuse_denied(exchange: Exchange) -> None:
    """Before any authorizer is asked: whom the policy denies goes no further. Raises GatewayError."""
    if policy_of(exchange):
        decision = judge_anonymous(exchange)
        if decision.explicit:
            raise refusal(exchange, "anonymous", True)


def require_allow(exchange: Exchange) -> None:
    """Where nothing else decides, or a token has been found good: a policy must allow explicitly.

    Raises GatewayError.
    """
    if policy_of(exchange):
        decision = judge_anonymous(exchange)
        if not decision.allowed:
            raise refusal(exchange, "anonymous", decision.explicit)


def is_resource_policys(decision: Decision) -> bool:
    """Whether it was the resource policy that denied."""
    return decision.explicit and decision.policy_type is PolicyType.RESOURCE_BASED


def refusal(exchange: Exchange, who: str, is_explicit: bool) -> GatewayError:
    """In the words of "How do I troubleshoot HTTP 403 errors from API Gateway?"; of the account's id the
    last four digits are shown ("Create and attach an API Gateway resource policy to an API").
    """
    account = exchange.api.account_id
    arn = exchange.arn().replace(f":{account}:", f":{'*' * 8}{account[-4:]}:", 1)
    message = f"User: {who} is not authorized to perform: execute-api:Invoke on resource: {arn}"
    if is_explicit:
        message += " with an explicit deny"
    return GatewayError("ACCESS_DENIED", message=message)
