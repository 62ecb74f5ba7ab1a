"""Who may come in to a REST API outlives a server that keeps its state."""

from datetime import UTC, datetime

from http_apis import make_function, request
from localcloud import LocalCloud
from rest_apis import RestApi

ALLOW = """
    def handler(event, context):
        statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        return {"principalId": "me", "policyDocument": {"Statement": [statement]}}
"""


def test_access_comes_back(tmp_path):
    with LocalCloud(port=0, state=tmp_path) as cloud:
        api = RestApi(cloud)
        guard = api.authorizer("TOKEN", make_function(cloud, "allow", ALLOW))
        api.mock("GET", "/guarded", authorizationType="CUSTOM", authorizerId=guard)
        strict = api.client.create_request_validator(
            restApiId=api.id, name="strict", validateRequestParameters=True
        )["id"]
        api.mock(
            "GET", "/strict", apiKeyRequired=True, requestValidatorId=strict,
            requestParameters={"method.request.querystring.q": True},
        )  # fmt: skip
        api.deploy()
        plan = api.client.create_usage_plan(
            name="plan", apiStages=[{"apiId": api.id, "stage": "dev"}],
            quota={"limit": 3, "period": "MONTH"},
        )["id"]  # fmt: skip
        key = api.client.create_api_key(name="caller", enabled=True)
        api.client.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
        caller = {"x-api-key": key["value"]}
        assert api.call("/dev/strict?q=1", headers=caller).status == 200
    with LocalCloud(port=0, state=tmp_path) as cloud:
        assert request(cloud, api.host, "/dev/guarded").status == 401
        granted = request(cloud, api.host, "/dev/guarded", headers={"Authorization": "yes"})
        assert granted.status == 200
        assert request(cloud, api.host, "/dev/strict?q=1").status == 403
        assert request(cloud, api.host, "/dev/strict", headers=caller).status == 400
        day = datetime.now(UTC).date().isoformat()
        usage = cloud.client("apigateway").get_usage(usagePlanId=plan, startDate=day, endDate=day)
        assert usage["items"] == {key["id"]: [[2, 1]]}
