"""Deleting what is not there, of both of API Gateway's APIs: AWS says NotFoundException, and 404."""

import re

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "000000000000"
# An operation without its Delete, and what names the thing beside the API.
OF_HTTP_APIS = {
    "authorizer": {"AuthorizerId": "gone"},
    "deployment": {"DeploymentId": "gone"},
    "integration": {"IntegrationId": "gone"},
    "integration_response": {"IntegrationId": "there", "IntegrationResponseId": "gone"},
    "model": {"ModelId": "gone"},
    "route": {"RouteId": "gone"},
    "route_response": {"RouteId": "there", "RouteResponseId": "gone"},
    "stage": {"StageName": "gone"},
}
OF_REST_APIS = {
    "authorizer": {"authorizerId": "gone"},
    "deployment": {"deploymentId": "gone"},
    "integration": {"resourceId": "there", "httpMethod": "GET"},
    "integration_response": {"resourceId": "there", "httpMethod": "GET", "statusCode": "200"},
    "method": {"resourceId": "there", "httpMethod": "PUT"},
    "method_response": {"resourceId": "there", "httpMethod": "GET", "statusCode": "200"},
    "model": {"modelName": "gone"},
    "request_validator": {"requestValidatorId": "gone"},
    "resource": {"resourceId": "gone"},
    "stage": {"stageName": "gone"},
}
OF_THE_ACCOUNT = {
    "api_key": {"apiKey": "gone"},
    "base_path_mapping": {"domainName": "gone.example", "basePath": "v1"},
    "domain_name": {"domainName": "gone.example"},
    "usage_plan": {"usagePlanId": "gone"},
    "usage_plan_key": {"usagePlanId": "gone", "keyId": "gone"},
}


@pytest.fixture(scope="module")
def http_apis(local_cloud):
    """A client, and what names the things that are there."""
    client = local_cloud.client("apigatewayv2")
    api = client.create_api(
        Name="chat", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.a"
    )
    there = {"ApiId": api["ApiId"]}
    there["IntegrationId"] = client.create_integration(**there, IntegrationType="MOCK")[
        "IntegrationId"
    ]
    there["RouteId"] = client.create_route(ApiId=api["ApiId"], RouteKey="send")["RouteId"]
    return client, there


@pytest.fixture(scope="module")
def rest_apis(local_cloud):
    """As http_apis; its one method is GET of the root, and has neither integration nor responses."""
    client = local_cloud.client("apigateway")
    api = client.create_rest_api(name="shop")
    there = {"restApiId": api["id"], "resourceId": api["rootResourceId"]}
    client.put_method(**there, httpMethod="GET", authorizationType="NONE")
    return client, there


def refusal(client, kind, names, there=()):
    """The error of deleting something, as its code, its status and its message."""
    given = {name: there[name] if value == "there" else value for name, value in names.items()}
    with pytest.raises(ClientError) as caught:
        getattr(client, f"delete_{kind}")(**given)
    found = caught.value.response
    status = found["ResponseMetadata"]["HTTPStatusCode"]
    return found["Error"]["Code"], status, found["Error"]["Message"]


@pytest.mark.parametrize("kind", OF_HTTP_APIS)
def test_of_an_http_or_websocket_api(http_apis, kind):
    client, there = http_apis
    code, status, message = refusal(client, kind, {"ApiId": "there"} | OF_HTTP_APIS[kind], there)
    assert (code, status) == ("NotFoundException", 404)
    assert re.search(kind.replace("_", ""), message.replace(" ", ""), re.I)


@pytest.mark.parametrize("kind", OF_REST_APIS)
def test_of_a_rest_api(rest_apis, kind):
    client, there = rest_apis
    names = {"restApiId": "there"} | OF_REST_APIS[kind]
    assert refusal(client, kind, names, there)[:2] == ("NotFoundException", 404)


@pytest.mark.parametrize("kind", OF_THE_ACCOUNT)
def test_of_the_account(rest_apis, kind):
    names = OF_THE_ACCOUNT[kind]
    assert refusal(rest_apis[0], kind, names)[:2] == ("NotFoundException", 404)


def test_an_api_that_is_gone(http_apis, rest_apis):
    words = f"Invalid API identifier specified {ACCOUNT}:gone"
    for client, names in ((http_apis[0], {"ApiId": "gone"}), (rest_apis[0], {"restApiId": "gone"})):
        kind = "api" if "ApiId" in names else "rest_api"
        assert refusal(client, kind, names) == ("NotFoundException", 404, words)
        # And so for all that is asked of it.
        with pytest.raises(ClientError, match=words):
            getattr(client, f"get_{kind}")(**names)


@pytest.mark.parametrize("kind", ["api", "rest_api"])
def test_a_second_time(http_apis, rest_apis, kind):
    if kind == "api":
        client = http_apis[0]
        names = {"ApiId": client.create_api(Name="twice", ProtocolType="HTTP")["ApiId"]}
    else:
        client = rest_apis[0]
        names = {"restApiId": client.create_rest_api(name="twice")["id"]}
    getattr(client, f"delete_{kind}")(**names)
    assert refusal(client, kind, names)[0] == "NotFoundException"
