"""Usage plans as API Gateway has them: what it refuses, all changes, and the operations about usage."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from moto.apigateway.exceptions import BadRequestException, ConflictException, NotFoundException
from moto.apigateway.models import APIGatewayBackend, UsagePlan
from moto.apigateway.responses import APIGatewayResponse

from ..gateways.quotas import LARGEST_OFFSETS, PERIODS
from .usage_plan_resources import today, usage_of

# /pets/GET, and //GET for the root.
_METHOD_KEY = re.compile(r"/.*/(?:GET|PUT|POST|DELETE|PATCH|OPTIONS|HEAD|ANY)")
_LONGEST_RANGE = timedelta(days=90)


class NotFound(NotFoundException):
    """What a request names isn't there."""

    code = 404


def install() -> None:
    """Complete moto's usage plans."""
    moto_create = APIGatewayBackend.create_usage_plan
    moto_add_key = APIGatewayBackend.create_usage_plan_key

    @functools.wraps(moto_create)
    def create_usage_plan(self, payload):
        _check(self, payload.get("apiStages") or [], payload.get("quota") or {})
        return moto_create(self, payload)

    @functools.wraps(moto_add_key)
    def create_usage_plan_key(self, usage_plan_id, payload):
        self.get_usage_plan(usage_plan_id)
        if payload["keyId"] in self.usage_plan_keys.get(usage_plan_id, {}):
            raise ConflictException("Usage Plan already contains this API Key")  # UNCONFIRMED
        return moto_add_key(self, usage_plan_id, payload)

    def update_usage_plan(self, usage_plan_id, patch_operations):
        plan = self.get_usage_plan(usage_plan_id)
        changed = _copy(plan)
        for operation in patch_operations:
            _patch(changed, operation)
        _check(self, changed.api_stages, changed.quota)
        vars(plan).update(vars(changed))
        return plan

    def delete_usage_plan(self, usage_plan_id):
        self.get_usage_plan(usage_plan_id)
        del self.usage_plans[usage_plan_id]
        self.usage_plan_keys.pop(usage_plan_id, None)

    APIGatewayBackend.create_usage_plan = create_usage_plan
    APIGatewayBackend.create_usage_plan_key = create_usage_plan_key
    APIGatewayBackend.update_usage_plan = update_usage_plan
    APIGatewayBackend.delete_usage_plan = delete_usage_plan


def _check(backend: APIGatewayBackend, stages: list, quota: Mapping[str, Any]) -> None:
    for each in stages:
        for key in each.get("throttle") or ():
            if not _METHOD_KEY.fullmatch(key):
                message = f"Invalid method {{resourcePath: {key},method: }} specified"
                raise BadRequestException(message)
        api = backend.apis.get(each["apiId"])
        if api is None or each["stage"] not in api.stages:
            raise NotFound(f"API Stage not found: {each['apiId']}:{each['stage']}")
    if not quota:
        return
    period, offset = quota.get("period"), int(quota.get("offset") or 0)
    if period not in PERIODS:
        raise BadRequestException(
            f"Invalid Usage Plan quota period specified. Must be one of [{', '.join(PERIODS)}]"
        )
    largest = LARGEST_OFFSETS[period]
    if not 0 <= offset <= largest:
        rule = f"between 0 and {largest} inclusive" if largest else "zero"
        raise BadRequestException(f"Usage Plan quota offset must be {rule} in the {period} period")
    if int(quota.get("limit") or 0) < 0:
        raise BadRequestException("Usage Plan quota limit must be a non-negative numeric")


def _copy(plan: UsagePlan) -> UsagePlan:
    changed = UsagePlan(plan.id)
    vars(changed).update(vars(plan))
    changed.api_stages = [
        {**each, "throttle": dict(each.get("throttle") or {})} for each in plan.api_stages
    ]
    changed.throttle, changed.quota = dict(plan.throttle), dict(plan.quota)
    return changed


def _patch(plan: UsagePlan, operation: dict[str, Any]) -> None:
    """One of UpdateUsagePlan's ("Patch operations", PATCH /usageplans/…)."""
    parts = [
        part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]
    ]
    value, is_removed = operation.get("value"), operation["op"] == "remove"
    match parts:
        case ["name" | "description" as name]:
            setattr(plan, name, None if is_removed else value)
        case ["productCode"]:
            plan.product_code = None if is_removed else value
        case ["throttle" | "quota" as name]:
            setattr(plan, name, {} if is_removed else json.loads(value))
        case ["throttle" | "quota" as name, member]:
            _set(getattr(plan, name), member, value, is_removed)
        case ["apiStages"]:
            _patch_stages(plan, value, is_removed)
        case ["apiStages", place, "throttle", *rest]:
            _patch_method_throttle(plan, place, rest, value, is_removed)
        case _:
            raise BadRequestException(f"Invalid patch path {operation['path']}")


def _set(settings: dict[str, Any], member: str, value: Any, is_removed: bool) -> None:
    settings.pop(member, None)
    if not is_removed:
        kinds = {"rateLimit": float, "burstLimit": int, "limit": int, "offset": int, "period": str}
        if member not in kinds:
            raise BadRequestException(f"Invalid patch path: there is no {member}")
        settings[member] = kinds[member](value)


def _patch_stages(plan: UsagePlan, place: str, is_removed: bool) -> None:
    api_id, _, stage = place.partition(":")
    kept = [each for each in plan.api_stages if (each["apiId"], each["stage"]) != (api_id, stage)]
    if is_removed and len(kept) == len(plan.api_stages):
        raise NotFound(f"API Stage not found: {place}")
    plan.api_stages = kept if is_removed else [*kept, {"apiId": api_id, "stage": stage}]


def _patch_method_throttle(
    plan: UsagePlan, place: str, rest: list[str], value: Any, is_removed: bool
) -> None:
    found = [each for each in plan.api_stages if f"{each['apiId']}:{each['stage']}" == place]
    if not found:
        raise NotFound(f"API Stage not found: {place}")
    throttles = found[0].setdefault("throttle", {})
    if not rest:
        found[0]["throttle"] = {} if is_removed else json.loads(value)
        return
    path, method, *members = rest
    key = f"/{path.strip('/')}/{method}" if path.strip("/") else f"//{method}"
    if not members:
        throttles.pop(key, None)
        if not is_removed:
            throttles[key] = json.loads(value)
    else:
        throttles[key] = dict(throttles.get(key) or {})
        _set(throttles[key], members[0], value, is_removed)


def get_usage(backend: APIGatewayBackend, response: APIGatewayResponse) -> dict[str, Any]:
    """GetUsage: of each key, for each day, what has been used and what is left of the quota; nothing
    of a plan without a quota.
    """
    plan = backend.get_usage_plan(response.path.split("/")[2])
    query = {name: values[0] for name, values in response.querystring.items()}
    try:
        first, last = (date.fromisoformat(query[name]) for name in ("startDate", "endDate"))
    except (KeyError, ValueError) as error:
        raise BadRequestException(
            "startDate and endDate must be days such as 2026-11-24"
        ) from error
    if not first <= last <= first + _LONGEST_RANGE:
        raise BadRequestException("endDate must be from 0 to 90 days after startDate")
    wanted = query.get("keyId")
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    values = {}
    for key_id in backend.usage_plan_keys.get(plan.id, {}):
        if plan.quota and wanted in (None, key_id):
            usage = usage_of(plan, key_id)
            values[key_id] = [
                [usage.used.get(day, 0), usage.remaining(plan.quota, day)] for day in days
            ]
    return {
        "usagePlanId": plan.id,
        "startDate": first.isoformat(),
        "endDate": last.isoformat(),
        "values": values,
    }


def update_usage(backend: APIGatewayBackend, response: APIGatewayResponse) -> dict[str, Any]:
    """UpdateUsage: let a key make so many requests more in this period."""
    _, _, plan_id, _, key_id, *_ = response.path.split("/")
    plan = backend.get_usage_plan(plan_id)
    backend.get_usage_plan_key(plan_id, key_id)
    if not plan.quota:
        raise BadRequestException("Usage Plan has no quota")  # UNCONFIRMED
    usage, day = usage_of(plan, key_id), today()
    for operation in response._get_param("patchOperations"):
        if (operation["op"], operation["path"]) != ("replace", "/remaining"):
            raise BadRequestException(f"Invalid patch path {operation['path']}")
        usage.set_remaining(plan.quota, day, int(operation["value"]))
    return {
        "usagePlanId": plan.id,
        "startDate": day.isoformat(),
        "endDate": day.isoformat(),
        "values": {key_id: [[usage.used.get(day, 0), usage.remaining(plan.quota, day)]]},
    }
