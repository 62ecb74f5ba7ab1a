"""GetExport: what a stage serves as an OpenAPI definition, of which the same API can be made again."""

import json

import pytest
import yaml
from botocore.exceptions import ClientError

from http_apis import make_function
from rest_apis import RestApi, invocation_uri
from test_rest_api_openapi import ECHO, Defined, definition, import_api

X = "x-amazon-apigateway-"
FORMS = [
    ("oas30", "application/json"),
    ("oas30", "application/yaml"),
    ("swagger", "application/json"),
]


@pytest.fixture(scope="module")
def client(local_cloud):
    return local_cloud.client("apigateway")


@pytest.fixture(scope="module")
def api(local_cloud, client):
    uri = invocation_uri(make_function(local_cloud, "exported", ECHO))
    return import_api(local_cloud, client, definition(uri))


def exported(client, api, kind="oas30", accepts="application/json", **parameters):
    found = client.get_export(
        restApiId=api.id, stageName="dev", exportType=kind, accepts=accepts, parameters=parameters
    )
    ending = accepts.partition("/")[2]
    assert found["contentType"] == accepts
    assert (
        found["contentDisposition"].endswith(f'.{ending}"') and kind in found["contentDisposition"]
    )
    body = found["body"].read()
    return json.loads(body) if ending == "json" else yaml.safe_load(body)


def behaviour(api):
    return [
        api.call("/pets?kind=cat").json(),
        api.call("/pets").json(),
        api.call("/pets", "POST", b"{}").json(),
        api.call("/pets", "POST", b'{"name": "a"}').status,
        api.call("/pets", "POST", b'{"name": "a", "owner": {}}').status,
        api.call("/pets/7").json(),
        api.call("/pets/7", Authorization="ana").status,
        api.call("/pets/7", "DELETE").json(),
        api.call("/pets/7", "PATCH").json(),
        api.call("/all/of/it", "PUT").status,
        api.paths(),
        api.client.get_rest_api(restApiId=api.id)["binaryMediaTypes"],
    ]


@pytest.mark.parametrize(("kind", "accepts"), FORMS)
def test_the_same_api_can_be_made_of_it(local_cloud, client, api, kind, accepts):
    document = exported(client, api, kind, accepts, extensions="apigateway")
    again = Defined(local_cloud, client, client.import_rest_api(body=json.dumps(document).encode()))
    again.deploy()
    assert behaviour(again) == behaviour(api)
    assert behaviour(api)[0] == ["cat"] and behaviour(api)[5] == {"told": "no"}
    client.delete_rest_api(restApiId=again.id)


def test_where_it_is_served(client, api, local_cloud):
    host = f"{api.id}.execute-api.localhost:{local_cloud.port}"
    [server] = exported(client, api)["servers"]
    assert server["url"] == f"http://{host}/{{basePath}}"
    assert server["variables"] == {"basePath": {"default": "dev"}}
    second = exported(client, api, "swagger")
    assert (second["swagger"], second["host"], second["basePath"]) == ("2.0", host, "/dev")
    assert second["info"] == {
        "title": "defined pets", "version": "2026-11-29", "description": "all kinds",
    }  # fmt: skip


def test_extensions_are_there_when_they_are_asked_for(client, api):
    parts = {X + "integration", X + "authorizer", X + "gateway-responses"}
    wanted = {
        "": set(),
        "integrations": {X + "integration"},
        "authorizers": {X + "authorizer"},
        "apigateway": parts,
    }
    for extensions, there in wanted.items():
        text = json.dumps(exported(client, api, extensions=extensions))
        assert {name for name in parts if f'"{name}"' in text} == there, extensions
        assert f'"{X}any-method"' in text


def test_it_is_what_was_deployed(local_cloud, client):
    api = RestApi(local_cloud)
    api.mock("GET", "/old")
    api.deploy()
    api.mock("GET", "/new")
    assert list(exported(client, api)["paths"]) == ["/old"]
    api.deploy()
    assert sorted(exported(client, api)["paths"]) == ["/new", "/old"]


def test_what_can_not_be_exported(client, api):
    for given, told in (
        ({"stageName": "nowhere", "exportType": "oas30"}, "Invalid stage identifier specified"),
        ({"stageName": "dev", "exportType": "raml"}, "No API exporter for type 'raml'"),
    ):
        with pytest.raises(ClientError, match=told):
            client.get_export(restApiId=api.id, **given)
