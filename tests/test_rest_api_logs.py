"""What a REST API tells of its executions: logs, TestInvokeMethod, metrics."""

import pytest

from deployment import log_messages, make_role
from http_apis import make_function
from rest_apis import RestApi
from test_http_api_metrics import statistics

SOURCE = """
    def handler(event, context):
        if event["path"].endswith("bad"):
            return {"bad": 1}
        return {"statusCode": 200, "body": "fine"}
"""
TYPE = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def arn(local_cloud):
    return make_function(local_cloud, "logged", SOURCE)


@pytest.fixture(scope="module")
def role(local_cloud):
    allowed = {"Action": "logs:*", "Resource": "*"}
    return make_role(local_cloud, "gateway-logs", allowed)


@pytest.fixture
def api(local_cloud, arn):
    api = RestApi(local_cloud)
    api.proxy("GET", "/pets/{id}", arn)
    api.deploy()
    return api


def switch_on(api, role, level, data="false"):
    account = [{"op": "replace", "path": "/cloudwatchRoleArn", "value": role}]
    api.client.update_account(patchOperations=account)
    api.patch("/*/*/logging/loglevel", level)
    api.patch("/*/*/logging/dataTrace", data)
    return f"API-Gateway-Execution-Logs_{api.id}/dev"


def test_logging_needs_the_accounts_role(api):
    api.client.update_account(
        patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": ""}]
    )
    wanted = "CloudWatch Logs role ARN must be set in account settings to enable logging"
    with pytest.raises(api.client.exceptions.BadRequestException, match=wanted):
        api.patch("/*/*/logging/loglevel", "INFO")


def test_every_step_with_its_data(api, role):
    group = switch_on(api, role, "INFO", "true")
    reply = api.call("/dev/pets/7?x=1", headers={"Authorization": "secret-0123456789"})
    request = reply.headers["x-amzn-requestid"]
    lines = log_messages(api.cloud, group, "Method completed with status: 200")
    assert all(line.startswith(f"({request}) ") for line in lines)
    texts = [line.removeprefix(f"({request}) ") for line in lines]
    assert texts[0] == f"Extended Request Id: {reply.headers['x-amz-apigw-id']}"
    ordered = (
        f"Verifying Usage Plan for request: {request}. API Key:  API Stage: {api.id}/dev",
        f"Starting execution for request: {request}",
        "HTTP Method: GET, Resource Path: /pets/7",
        "Method request path: {id=7}",
        "Method request query string: {x=1}",
        "Endpoint request URI: arn:aws:apigateway:us-east-1:lambda:path",
        "Received response. Status: 200, Integration latency: ",
        'Endpoint response body before transformations: {"statusCode": 200, "body": "fine"}',
        "Method response body after transformations: fine",
        "Successfully completed execution",
        "Method completed with status: 200",
    )
    positions = [next(i for i, t in enumerate(texts) if t.startswith(o)) for o in ordered]
    assert positions == sorted(positions)
    [headers] = [text for text in texts if text.startswith("Method request headers: ")]
    assert "secret" not in headers and "authorization=**********456789" in headers
    assert all(len(line.encode()) <= 1_024 for line in lines)


def test_without_data(api, role):
    group = switch_on(api, role, "INFO")
    api.call("/dev/pets/7")
    lines = log_messages(api.cloud, group, "Method completed with status: 200")
    assert not any("body" in line or "headers" in line for line in lines)


def test_errors_alone(api, role):
    group = switch_on(api, role, "ERROR")
    api.call("/dev/pets/7")
    api.call("/dev/pets/bad")
    lines = log_messages(api.cloud, group, "Malformed")
    [line] = lines
    assert line.endswith(
        "Execution failed due to configuration error: Malformed Lambda proxy response"
    )


def test_a_role_that_may_not_write(api, local_cloud):
    group = switch_on(api, make_role(local_cloud, "no-logs", logs=False), "INFO")
    api.call("/dev/pets/7")
    other = RestApi(local_cloud)
    other.method("GET", "/", "MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    other.deploy()
    seen = switch_on(
        other, make_role(local_cloud, "yes", {"Action": "logs:*", "Resource": "*"}), "INFO"
    )
    other.call("/dev/")
    log_messages(local_cloud, seen, "Method completed")  # written after what is not
    groups = local_cloud.client("logs").describe_log_groups(logGroupNamePrefix=group)
    assert groups["logGroups"] == []


def test_a_method_is_tested_as_it_is_now(api, local_cloud, arn):
    never = RestApi(local_cloud)
    place = never.function(
        "POST", "/pets/{id}", arn,
        requestTemplates={"application/json": '{"path": "$input.params("id") $stageVariables.v"}'},
    )  # fmt: skip
    never.answer(place, 201, headers={"X-Made": "'yes'"})
    tested = never.client.test_invoke_method(
        **place, pathWithQueryString="/pets/9?x=1", body='{"a": 1}', stageVariables={"v": "2"},
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    assert (tested["status"], tested["body"]) == (201, '{"statusCode": 200, "body": "fine"}')
    assert tested["headers"]["x-made"] == "yes" and tested["latency"] >= 0
    assert tested["multiValueHeaders"]["x-made"] == ["yes"]
    lines = tested["log"].splitlines()
    assert lines[0].startswith("Execution log for request ")
    assert (
        " UTC 20" in lines[1]
        and ' : Method request body before transformations: {"a": 1}' in tested["log"]
    )
    assert 'Endpoint request body after transformations: {"path": "9 2"}' in tested["log"]
    assert lines[-1].endswith("Method completed with status: 201")
    with pytest.raises(never.client.exceptions.NotFoundException):
        never.client.test_invoke_method(**{**place, "httpMethod": "GET"})


def test_an_authorizer_is_tested(api, local_cloud):
    source = """
        def handler(event, context):
            if event["authorizationToken"] == "no":
                raise Exception("Unauthorized")
            statement = {"Effect": "Allow", "Action": "*", "Resource": event["methodArn"]}
            policy = {"Version": "2012-10-17", "Statement": [statement]}
            context = {"n": 7, "path": "x"}
            return {"principalId": "me", "policyDocument": policy, "context": context}
    """
    asks = make_function(local_cloud, "asks", source)
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{asks}/invocations"
    made = api.client.create_authorizer(
        restApiId=api.id, name="a", type="TOKEN", authorizerUri=uri,
        identitySource="method.request.header.Auth",
    )  # fmt: skip
    place = {"restApiId": api.id, "authorizerId": made["id"]}
    tested = api.client.test_invoke_authorizer(**place, headers={"Auth": "yes"})
    assert (tested["clientStatus"], tested["principalId"]) == (0, "me")
    assert tested["authorization"] == {"n": ["7"], "path": ["x"]}
    assert f"{api.id}/test-invoke-stage/GET/" in tested["policy"]
    assert f"Starting authorizer: {made['id']} for request: " in tested["log"]
    assert "Successfully completed authorizer execution" in tested["log"]
    for headers in ({"Auth": "no"}, {}):
        refused = api.client.test_invoke_authorizer(**place, headers=headers)
        assert refused["clientStatus"] == 401 and "Unauthorized request: " in refused["log"]
    with pytest.raises(api.client.exceptions.NotFoundException):
        api.client.test_invoke_authorizer(**{**place, "authorizerId": "none"})


def test_a_failed_test_says_why(api):
    place = {"restApiId": api.id, "resourceId": api.resources["/pets/{id}"], "httpMethod": "GET"}
    tested = api.client.test_invoke_method(**place, pathWithQueryString="/pets/bad")
    assert tested["status"] == 502
    assert "Malformed Lambda proxy response" in tested["log"]


def test_metrics(local_cloud, arn):
    api = RestApi(local_cloud)
    name = f"named-{api.id}"
    api.client.update_rest_api(
        restApiId=api.id, patchOperations=[{"op": "replace", "path": "/name", "value": name}]
    )
    api.proxy("GET", "/pets/{id}", arn)
    api.deploy()
    api.patch("/cacheClusterEnabled", "true")
    api.patch("/~1pets~1{id}/GET/caching/enabled", "true")
    api.patch("/~1pets~1{id}/GET/metrics/enabled", "true")
    for path in ("/pets/7", "/pets/7", "/nowhere"):
        api.call(f"/dev{path}")
    for dimensions in ({"ApiName": name}, {"ApiName": name, "Stage": "dev"}):
        assert statistics(api, "Count", **dimensions)["Sum"] == 3
        assert statistics(api, "4XXError", **dimensions) == {"Sum": 1, "SampleCount": 3}
        assert statistics(api, "5XXError", **dimensions) == {"Sum": 0, "SampleCount": 3}
        assert statistics(api, "IntegrationLatency", **dimensions)["SampleCount"] == 1
        assert statistics(api, "CacheHitCount", **dimensions) == {"Sum": 1, "SampleCount": 2}
        assert statistics(api, "CacheMissCount", **dimensions) == {"Sum": 1, "SampleCount": 2}
    place = {"ApiName": name, "Stage": "dev", "Method": "GET", "Resource": "/pets/{id}"}
    assert statistics(api, "Count", **place)["Sum"] == 2
