"""REST APIs: API keys, usage plans, quotas."""

from datetime import UTC, date, datetime, timedelta

import pytest

from http_apis import make_function
from localcloud.gateways.quotas import Usage, period_start
from people import refusal
from rest_apis import RestApi

SLOW = 0.001


@pytest.fixture
def api(local_cloud):
    api = RestApi(local_cloud)
    api.mock("GET", "/pets", apiKeyRequired=True)
    api.mock("GET", "/cats/{id}", apiKeyRequired=True)
    api.mock("GET", "/open")
    api.deploy()
    return api


def key(api, plan=None, **options):
    """A key, in a plan where one is given; its id and its value."""
    made = api.client.create_api_key(name="caller", **{"enabled": True, **options})
    if plan:
        api.client.create_usage_plan_key(usagePlanId=plan, keyId=made["id"], keyType="API_KEY")
    return made["id"], made["value"]


def make_plan(api, stage_throttle=None, **options):
    stage = {"apiId": api.id, "stage": "dev"}
    if stage_throttle:
        stage["throttle"] = stage_throttle
    return api.client.create_usage_plan(name="plan", apiStages=[stage], **options)["id"]


def statuses(api, value, count, path="/dev/pets"):
    return [api.call(path, headers={"x-api-key": value}).status for _ in range(count)]


def test_who_may_come_in(api):
    plan = make_plan(api)
    key_id, value = key(api, plan)
    _, stranger = key(api)
    for headers in ({}, {"x-api-key": "nonsense"}, {"x-api-key": stranger}):
        reply = api.call("/dev/pets", headers=headers)
        assert (reply.status, reply.json()) == (403, {"message": "Forbidden"})
        assert reply.headers["x-amzn-errortype"] == "ForbiddenException"
    assert statuses(api, value, 1) == [200]
    assert api.call("/dev/open").status == 200
    disabled = [{"op": "replace", "path": "/enabled", "value": "false"}]
    api.client.update_api_key(apiKey=key_id, patchOperations=disabled)
    assert statuses(api, value, 1) == [403]


def test_a_plan_is_for_its_stages_at_once(api):
    plan = make_plan(api)
    _, value = key(api, plan)
    api.deploy("prod")
    assert (statuses(api, value, 1), statuses(api, value, 1, "/prod/pets")) == ([200], [403])
    prod = f"{api.id}:prod"
    added = [{"op": "add", "path": "/apiStages", "value": prod}]
    changed = api.client.update_usage_plan(usagePlanId=plan, patchOperations=added)
    assert [each["stage"] for each in changed["apiStages"]] == ["dev", "prod"]
    assert statuses(api, value, 1, "/prod/pets") == [200]
    removed = [{"op": "remove", "path": "/apiStages", "value": prod}]
    api.client.update_usage_plan(usagePlanId=plan, patchOperations=removed)
    assert statuses(api, value, 1, "/prod/pets") == [403]


def test_a_plan_throttles_each_key(api):
    plan = make_plan(api, throttle={"rateLimit": SLOW, "burstLimit": 2})
    first, second = key(api, plan)[1], key(api, plan)[1]
    assert statuses(api, first, 2) == [200, 200]
    assert statuses(api, first, 1, "/dev/cats/7") == [429], "all methods together"
    assert statuses(api, second, 3) == [200, 200, 429]
    assert api.call("/dev/open").status == 200
    reply = api.call("/dev/pets", headers={"x-api-key": first})
    assert reply.json() == {"message": "Too Many Requests"}
    more = [
        {"op": "replace", "path": "/throttle/burstLimit", "value": "3"},
        {"op": "replace", "path": "/throttle/rateLimit", "value": "0.002"},
    ]
    changed = api.client.update_usage_plan(usagePlanId=plan, patchOperations=more)
    assert changed["throttle"] == {"burstLimit": 3, "rateLimit": 0.002}
    assert statuses(api, second, 4) == [200, 200, 200, 429]


def test_a_plan_throttles_a_method(api):
    own = {"/cats/{id}/GET": {"rateLimit": SLOW, "burstLimit": 1}}
    plan = make_plan(api, own, throttle={"rateLimit": SLOW, "burstLimit": 3})
    _, value = key(api, plan)
    assert statuses(api, value, 2, "/dev/cats/7") == [200, 429]
    assert statuses(api, value, 4) == [200, 200, 200, 429]
    place = f"/apiStages/{api.id}:dev/throttle/~1cats~1{{id}}/GET"
    more = [{"op": "replace", "path": f"{place}/burstLimit", "value": "2"}]
    changed = api.client.update_usage_plan(usagePlanId=plan, patchOperations=more)
    assert changed["apiStages"][0]["throttle"]["/cats/{id}/GET"]["burstLimit"] == 2
    assert statuses(api, value, 3, "/dev/cats/7") == [200, 200, 429]


def test_a_quota(api):
    plan = make_plan(api, quota={"limit": 3, "period": "DAY"})
    key_id, value = key(api, plan)
    assert statuses(api, value, 4) == [200, 200, 200, 429]
    reply = api.call("/dev/pets", headers={"x-api-key": value})
    assert reply.body == b'{"message":"Limit Exceeded"}'
    assert reply.headers["x-amzn-errortype"] == "LimitExceededException"
    today = datetime.now(UTC).date()
    yesterday = (today - timedelta(days=1)).isoformat()
    usage = api.client.get_usage(
        usagePlanId=plan, startDate=yesterday, endDate=today.isoformat(), keyId=key_id
    )
    assert usage["items"] == {key_id: [[0, 3], [3, 0]]}
    more = [{"op": "replace", "path": "/remaining", "value": "2"}]
    changed = api.client.update_usage(usagePlanId=plan, keyId=key_id, patchOperations=more)
    assert changed["items"] == {key_id: [[3, 2]]}
    assert statuses(api, value, 3) == [200, 200, 429]


def test_a_quota_that_is_used_up_may_be_worded(local_cloud):
    api = RestApi(local_cloud)
    api.mock("GET", "/pets", apiKeyRequired=True)
    api.client.put_gateway_response(
        restApiId=api.id, responseType="QUOTA_EXCEEDED", statusCode="402",
        responseTemplates={"application/json": '{"pay":$context.error.messageString}'},
    )  # fmt: skip
    api.deploy()
    _, value = key(api, make_plan(api, quota={"limit": 1, "period": "MONTH"}))
    assert statuses(api, value, 1) == [200]
    reply = api.call("/dev/pets", headers={"x-api-key": value})
    assert (reply.status, reply.json()) == (402, {"pay": "Limit Exceeded"})


def test_the_key_from_an_authorizer(local_cloud):
    source = """
        def handler(event, context):
            return {
                "principalId": "somebody", "usageIdentifierKey": event["authorizationToken"],
                "policyDocument": {"Version": "2012-10-17", "Statement": [
                    {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}]},
            }
    """
    api = RestApi(local_cloud, apiKeySource="AUTHORIZER")
    arn = make_function(local_cloud, "key-of", source)
    echo = "import json\ndef handler(event, context):\n"
    echo += "    return {'statusCode': 200, 'body': json.dumps(event['requestContext'])}\n"
    place = api.proxy("GET", "/pets", make_function(local_cloud, "context-of", echo))
    guard = api.authorizer("TOKEN", arn)
    changes = {"authorizationType": "CUSTOM", "authorizerId": guard, "apiKeyRequired": "true"}
    api.client.update_method(
        **place,
        patchOperations=[
            {"op": "replace", "path": f"/{name}", "value": value} for name, value in changes.items()
        ],
    )
    api.deploy()
    key_id, value = key(api, make_plan(api))
    reply = api.call("/dev/pets", headers={"Authorization": value})
    assert reply.status == 200
    identity = reply.json()["identity"]
    assert (identity["apiKey"], identity["apiKeyId"]) == (value, key_id)
    headers = {"Authorization": "another", "x-api-key": value}
    assert api.call("/dev/pets", headers=headers).status == 403


def test_what_is_refused(api):
    create = api.client.create_usage_plan
    stage = [{"apiId": api.id, "stage": "prod"}]
    said = ("NotFoundException", f"API Stage not found: {api.id}:prod", 404)
    assert refusal(create, name="plan", apiStages=stage) == said
    for period, offset, rule in (("DAY", 1, "zero"), ("WEEK", 7, "between 0 and 6 inclusive")):
        quota = {"limit": 1, "period": period, "offset": offset}
        message = f"Usage Plan quota offset must be {rule} in the {period} period"
        assert refusal(create, name="plan", quota=quota)[:2] == ("BadRequestException", message)
    for quota, message in (
        (
            {"limit": 1},
            "Invalid Usage Plan quota period specified. Must be one of [DAY, WEEK, MONTH]",
        ),
        ({"limit": -1, "period": "DAY"}, "Usage Plan quota limit must be a non-negative numeric"),
    ):
        assert refusal(create, name="plan", quota=quota)[1] == message
    stage = {"apiId": api.id, "stage": "dev", "throttle": {"/pets": {"rateLimit": 1}}}
    message = "Invalid method {resourcePath: /pets,method: } specified"
    assert refusal(create, name="plan", apiStages=[stage])[1] == message
    plan = make_plan(api)
    key_id, _ = key(api, plan)
    again = {"keyId": key_id, "keyType": "API_KEY"}
    add = api.client.create_usage_plan_key
    assert refusal(add, usagePlanId=plan, **again)[0] == "ConflictException"
    assert refusal(add, usagePlanId="none", **again)[2] == 404
    days = {"startDate": "2026-11-24", "endDate": "2026-11-23"}
    assert refusal(api.client.get_usage, usagePlanId=plan, **days)[0] == "BadRequestException"
    assert api.client.get_usage_plan(usagePlanId=plan)["apiStages"][0]["stage"] == "dev"


# The 24th of November 2026 is a Tuesday.
@pytest.mark.parametrize(
    ("day", "period", "offset", "start"),
    [
        ("2026-11-24", "DAY", 0, "2026-11-24"),
        ("2026-11-24", "WEEK", 0, "2026-11-22"),
        ("2026-11-24", "WEEK", 2, "2026-11-24"),
        ("2026-11-24", "WEEK", 3, "2026-11-18"),
        ("2026-11-22", "WEEK", 0, "2026-11-22"),
        ("2026-11-24", "MONTH", 0, "2026-11-01"),
        ("2026-11-24", "MONTH", 23, "2026-11-24"),
        ("2026-11-24", "MONTH", 27, "2026-10-28"),
        ("2026-03-01", "MONTH", 27, "2026-02-28"),
        ("2026-01-01", "MONTH", 1, "2025-12-02"),
    ],
)
def test_periods(day, period, offset, start):
    found = period_start(date.fromisoformat(day), period, offset)
    assert found == date.fromisoformat(start)


def test_a_quota_begins_anew_with_its_period():
    usage, quota = Usage(), {"limit": 2, "period": "WEEK"}
    saturday, sunday = date(2026, 11, 21), date(2026, 11, 22)
    assert [usage.take(quota, saturday) for _ in range(3)] == [True, True, False]
    usage.set_remaining(quota, saturday, 1)
    assert [usage.take(quota, saturday) for _ in range(2)] == [True, False]
    assert [usage.take(quota, sunday) for _ in range(3)] == [True, True, False]
