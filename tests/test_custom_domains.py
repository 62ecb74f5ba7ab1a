"""Custom domain names of REST, HTTP and WebSocket APIs."""

import json

import pytest

from http_apis import HttpApi, call_signed, make_function, request
from localcloud.gateways.custom_domains import Mapped, Mapping, follow
from websocket_apis import ask, echo_api

ANSWERS = """
import json
def handler(event, context): return {"statusCode": 200, "body": json.dumps(event)}
"""


@pytest.fixture(scope="module")
def rest(local_cloud):
    """A REST API whose stage prod answers every path with its event."""
    client = local_cloud.client("apigateway")
    api = client.create_rest_api(name="rest")["id"]
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    child = client.create_resource(restApiId=api, parentId=root, pathPart="{proxy+}")["id"]
    client.put_method(restApiId=api, resourceId=child, httpMethod="ANY", authorizationType="NONE")
    arn = make_function(local_cloud, "rest", ANSWERS)
    client.put_integration(
        restApiId=api, resourceId=child, httpMethod="ANY", type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations",
    )  # fmt: skip
    client.create_deployment(restApiId=api, stageName="prod")
    return api


@pytest.fixture(scope="module")
def http_api(local_cloud):
    api = HttpApi(local_cloud, stage="dev")
    api.route("$default", api.integrate(make_function(local_cloud, "http", ANSWERS)))
    return api


def name_it(cloud, name):
    configuration = {"CertificateArn": "arn:aws:acm:us-east-1:000000000000:certificate/1"}
    return cloud.client("apigatewayv2").create_domain_name(
        DomainName=name, DomainNameConfigurations=[configuration]
    )


def test_api_mappings_of_the_second_api(local_cloud, http_api, rest):
    made = name_it(local_cloud, "api.example.com")
    assert made["DomainNameConfigurations"][0]["DomainNameStatus"] == "AVAILABLE"
    client = http_api.client
    for key, api, stage in (("", http_api.id, "dev"), ("old/v1", rest, "prod")):
        client.create_api_mapping(
            DomainName="api.example.com", ApiMappingKey=key, ApiId=api, Stage=stage
        )
    event = request(local_cloud, "api.example.com", "/pets/7?a=b").json()
    assert (event["rawPath"], event["requestContext"]["stage"]) == ("/pets/7", "dev")
    assert event["requestContext"]["domainName"] == "api.example.com"
    assert event["requestContext"]["domainPrefix"] == "api"
    event = request(local_cloud, "api.example.com:4566", "/old/v1/pets/7").json()
    assert (event["path"], event["pathParameters"]) == ("/old/v1/pets/7", {"proxy": "pets/7"})
    assert event["requestContext"]["path"] == "/old/v1/pets/7"
    assert event["requestContext"]["apiId"] == rest
    [mapping] = [m for m in mappings(client) if m["ApiMappingKey"] == "old/v1"]
    client.update_api_mapping(
        DomainName="api.example.com", ApiMappingId=mapping["ApiMappingId"], ApiId=http_api.id,
        Stage="dev",
    )  # fmt: skip
    event = request(local_cloud, "api.example.com", "/old/v1/pets").json()
    assert event["rawPath"] == "/old/v1/pets" and event["version"] == "2.0"
    client.delete_api_mapping(DomainName="api.example.com", ApiMappingId=mapping["ApiMappingId"])
    assert request(local_cloud, "api.example.com", "/old/v1/x").json()["rawPath"] == "/old/v1/x"


def mappings(client):
    return client.get_api_mappings(DomainName="api.example.com")["Items"]


def test_what_a_mapping_must_be(local_cloud, http_api):
    name_it(local_cloud, "strict.example.com")
    client = http_api.client
    place = {"DomainName": "strict.example.com", "ApiMappingKey": "v1"}
    client.create_api_mapping(**place, ApiId=http_api.id, Stage="dev")
    with pytest.raises(client.exceptions.ConflictException):
        client.create_api_mapping(**place, ApiId=http_api.id, Stage="dev")
    place["ApiMappingKey"] = "v2"
    with pytest.raises(client.exceptions.NotFoundException):
        client.create_api_mapping(**place, ApiId=http_api.id, Stage="none")
    with pytest.raises(client.exceptions.NotFoundException):
        client.create_api_mapping(**place, ApiId="none", Stage="dev")
    refused = request(local_cloud, "strict.example.com", "/v3/pets")
    assert (refused.status, refused.body) == (403, b'{"message":"Forbidden"}')


def test_base_path_mappings_of_the_first_api(local_cloud, rest):
    client = local_cloud.client("apigateway")
    client.create_domain_name(
        domainName="shop.localhost", regionalCertificateArn="arn:aws:acm:us-east-1:0:certificate/1",
        endpointConfiguration={"types": ["REGIONAL"]},
    )  # fmt: skip
    client.create_base_path_mapping(
        domainName="shop.localhost", basePath="orders", restApiId=rest, stage="prod"
    )
    client.create_base_path_mapping(domainName="shop.localhost", restApiId=rest)
    event = request(local_cloud, "shop.localhost", "/orders/7").json()
    assert (event["path"], event["requestContext"]["stage"]) == ("/orders/7", "prod")
    event = request(local_cloud, "shop.localhost", "/prod/7").json()
    assert event["pathParameters"] == {"proxy": "7"}, "without a stage, the path names it"
    second = local_cloud.client("apigatewayv2").get_domain_name(DomainName="shop.localhost")
    assert second["DomainNameConfigurations"][0]["EndpointType"] == "REGIONAL"
    client.delete_domain_name(domainName="shop.localhost")
    assert "message" not in request(local_cloud, "shop.localhost", "/orders/7").body.decode()
    with pytest.raises(client.exceptions.NotFoundException):
        client.get_domain_name(domainName="shop.localhost")


def test_a_websocket_api(local_cloud):
    api = echo_api(local_cloud, "sockets")
    name_it(local_cloud, "*.live.example.com")
    api.client.create_api_mapping(
        DomainName="*.live.example.com", ApiMappingKey="chat", ApiId=api.id, Stage="prod"
    )
    with api.connect(host="eu.live.example.com", path="/chat") as connection:
        context = ask(connection, "hello")["requestContext"]
        assert (context["domainName"], context["stage"]) == ("eu.live.example.com", "prod")
        path = f"/chat/@connections/{context['connectionId']}"
        api.host = "eu.live.example.com"
        api.call = lambda *asked: request(local_cloud, api.host, *asked)
        assert call_signed(api, path, ("test", "test"), "POST", b"hi").status == 200
        assert connection.recv(timeout=60) == "hi"
    assert api.refused(host="eu.live.example.com", path="/other")[0] == 403


def test_a_disabled_address_leaves_the_custom_one(local_cloud, http_api, rest):
    name_it(local_cloud, "only.example.com")
    client = http_api.client
    closed = HttpApi(local_cloud, stage="$default", DisableExecuteApiEndpoint=True)
    closed.route("$default", closed.integrate(make_function(local_cloud, "closed", ANSWERS)))
    client.create_api_mapping(DomainName="only.example.com", ApiId=closed.id, Stage="$default")
    refused = closed.call("/pets")
    assert (refused.status, refused.body) == (404, b'{"message":"Not Found"}')
    assert request(local_cloud, "only.example.com", "/pets").json()["rawPath"] == "/pets"
    first = local_cloud.client("apigateway")
    first.update_rest_api(
        restApiId=rest,
        patchOperations=[{"op": "replace", "path": "/disableExecuteApiEndpoint", "value": "True"}],
    )
    client.create_api_mapping(
        DomainName="only.example.com", ApiMappingKey="rest", ApiId=rest, Stage="prod"
    )
    refused = request(local_cloud, f"{rest}.execute-api.localhost", "/prod/pets")
    assert (refused.status, refused.body) == (403, b'{"message":"Forbidden"}')
    assert json.loads(request(local_cloud, "only.example.com", "/rest/pets").body)["resource"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/pets", Mapped("a", "/prod/pets", "/v1")),
        ("/v1", Mapped("a", "/prod/", "/v1")),
        ("/v1/x/pets/7", Mapped("b", "/dev/pets/7", "/v1/x")),
        ("/v10", None),
        ("/%76%31/pets", Mapped("a", "/prod/pets", "/v1")),
    ],
)
def test_the_longest_key_in_whole_parts(path, expected):
    assert follow([Mapping("v1", "a", "prod"), Mapping("v1/x", "b", "dev")], path) == expected
