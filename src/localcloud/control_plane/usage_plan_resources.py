"""moto's API keys and usage plans, as the gateways and the operations about usage need them.

What has been used lies on moto's plans, so that it is saved with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from moto.apigateway.models import APIGatewayBackend, UsagePlan, apigateway_backends

from ..gateways.descriptions import Throttle
from ..gateways.quotas import Usage
from ..gateways.rest_access_descriptions import Membership


def find_membership(
    region: str, account_id: str, value: str, api_id: str, stage: str, method: str
) -> Membership | None:
    """The plan of a stage that a key, by its value, is in; None where there is none, or the key is
    disabled. `method` is such as `GET /pets`.
    """
    backend = apigateway_backends[account_id][region]
    keys = [key for key in list(backend.keys.values()) if key.value == value and key.enabled]
    for key in keys:
        for plan in plans_of(backend, key.id):
            for associated in plan.api_stages:
                if (associated["apiId"], associated["stage"]) == (api_id, stage):
                    own = _method_throttles(associated).get(method)
                    return Membership(value, key.id, plan.id, _throttle(plan.throttle), own)
    return None


def plans_of(backend: APIGatewayBackend, key_id: str) -> list[UsagePlan]:
    """The plans that a key is in."""
    plans = list(backend.usage_plans.values())
    return [plan for plan in plans if key_id in backend.usage_plan_keys.get(plan.id, {})]


def _method_throttles(associated: Mapping[str, Any]) -> dict[str, Throttle]:
    """Those of a plan's stage, whose keys are such as /pets/GET, by method such as `GET /pets`."""
    found = {}
    for key, settings in (associated.get("throttle") or {}).items():
        path, _, method = key.rpartition("/")
        found[f"{method} /{path.strip('/')}"] = _throttle(settings)
    return found


def _throttle(settings: Mapping[str, Any]) -> Throttle:
    rate, burst = settings.get("rateLimit"), settings.get("burstLimit")
    return Throttle(None if rate is None else float(rate), None if burst is None else int(burst))


def take(region: str, account_id: str, plan_id: str, key_id: str) -> bool:
    """Count a request of a key against its plan's quota; False where that is used up."""
    plan = apigateway_backends[account_id][region].usage_plans[plan_id]
    return not plan.quota or usage_of(plan, key_id).take(plan.quota, today())


def usage_of(plan: UsagePlan, key_id: str) -> Usage:
    """What a key has used of a plan."""
    if not hasattr(plan, "usage"):
        plan.usage = {}
    return plan.usage.setdefault(key_id, Usage())


def today() -> date:
    """The day by which quotas are counted."""
    return datetime.now(UTC).date()
