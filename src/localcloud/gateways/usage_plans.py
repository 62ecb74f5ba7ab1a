"""API keys and usage plans: "Usage plans and API keys for REST APIs in API Gateway"."""

from ..control_plane import usage_plan_resources
from .exchange import Exchange
from .gateway_responses import GatewayError
from .rest_access_descriptions import Membership
from .throttling import Limit


def find_membership(exchange: Exchange) -> Membership:
    """The caller's key, in the header or from the authorizer, and the plan that it is in.

    Raises GatewayError where there is no such key, it is disabled, or in no plan of this stage.
    """
    if exchange.stage.deployment.key_source == "AUTHORIZER":
        value = exchange.authorization.usage_key
    else:
        value = exchange.headers.get("x-api-key")
    api, stage = exchange.api, exchange.stage
    found = usage_plan_resources.find_membership(
        api.region, api.account_id, value or "", api.id, stage.name, exchange.route.key
    )
    if found is None:
        raise GatewayError("INVALID_API_KEY")
    return found


def limits_of(membership: Membership, exchange: Exchange) -> list[Limit]:
    """A plan throttles a key in all its stages together, where it has nothing for the method itself;
    that the method's throttle stands in for the plan's is UNCONFIRMED.
    """
    key = (membership.plan_id, membership.key_id)
    if membership.method_throttle is None:
        return [(key, membership.throttle)]
    method = (exchange.api.id, exchange.stage.name, exchange.route.key)
    return [(key + method, membership.method_throttle)]


def use_quota(membership: Membership, exchange: Exchange) -> None:
    """Count the request. Raises GatewayError where the quota is used up."""
    api = exchange.api
    if not usage_plan_resources.take(
        api.region, api.account_id, membership.plan_id, membership.key_id
    ):
        raise GatewayError("QUOTA_EXCEEDED")
