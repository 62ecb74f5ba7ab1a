"""HTTP APIs from OpenAPI definitions: ImportApi, ReimportApi and a template's Body."""

import copy
import json

import pytest
import yaml

from http_apis import HttpApi, make_function, request
from json_web_tokens import issuer
from refusals import refusal
from stacks import create, outputs, update

ALLOW = """
    def handler(event, context):
        return {"isAuthorized": event["headers"]["authorization"] == "yes"}
"""


@pytest.fixture(scope="module")
def echo(local_cloud):
    return make_function(local_cloud, "echo")


def behind(arn, **more):
    integration = {"type": "aws_proxy", "httpMethod": "POST", "uri": arn}
    return {
        "responses": {"default": {"description": "any"}},
        "x-amazon-apigateway-integration": {**integration, "payloadFormatVersion": "2.0", **more},
    }


def definition(arn, **more):
    return {
        "openapi": "3.0.1",
        "info": {"title": "pets", "version": "2026", "description": "of all kinds"},
        "paths": {
            "/pets/{id}": {
                "get": behind(arn, requestParameters={"append:header.x-new": "yes"}),
                "parameters": [{"name": "id", "in": "path"}],
            },
            "/any": {"x-amazon-apigateway-any-method": behind(arn)},
            "/$default": {
                "x-amazon-apigateway-any-method": {**behind(arn), "isDefaultRoute": True}
            },
        },
        "x-amazon-apigateway-cors": {"allowOrigins": ["https://a.example"]},
        **more,
    }


def imported(cloud, document):
    """An API made of a definition, with a stage that deploys by itself."""
    client = cloud.client("apigatewayv2")
    api = HttpApi.__new__(HttpApi)
    api.cloud, api.client, api.id = cloud, client, client.import_api(Body=document)["ApiId"]
    api.host = f"{api.id}.execute-api.localhost"
    client.create_stage(ApiId=api.id, StageName="$default", AutoDeploy=True)
    return api


@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump])
def test_import(local_cloud, echo, write):
    api = imported(local_cloud, write(definition(echo)))
    made = api.client.get_api(ApiId=api.id)
    assert (made["Name"], made["Version"], made["ProtocolType"]) == ("pets", "2026", "HTTP")
    reply = api.call("/pets/7", headers={"Origin": "https://a.example"})
    event = reply.json()
    assert event["routeKey"] == "GET /pets/{id}" and event["pathParameters"] == {"id": "7"}
    assert event["headers"]["x-new"] == "yes"
    assert reply.headers["access-control-allow-origin"] == "https://a.example"
    assert api.call("/any", "PUT").json()["routeKey"] == "ANY /any"
    assert api.call("/else").json()["routeKey"] == "$default"


def test_reimport_replaces_what_was_there(local_cloud, echo):
    api = imported(local_cloud, json.dumps(definition(echo)))
    changed = definition(echo)
    changed["paths"] = {"/new": {"get": behind(echo)}}
    api.client.reimport_api(ApiId=api.id, Body=json.dumps(changed))
    assert api.call("/new").status == 200
    assert api.call("/any").status == 404
    assert len(api.client.get_routes(ApiId=api.id)["Items"]) == 1


def test_authorizers(local_cloud, echo):
    allow = make_function(local_cloud, "allow", ALLOW)
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{allow}/invocations"
    with issuer() as provider:
        schemes = {
            "token": {
                "type": "openIdConnect",
                "openIdConnectUrl": f"{provider.address}/.well-known/openid-configuration",
                "x-amazon-apigateway-authorizer": {
                    "type": "jwt",
                    "jwtConfiguration": {"audience": ["pets"]},
                    "identitySource": "$request.header.Authorization",
                },
            },
            "ask": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authorizer": {
                    "type": "request",
                    "identitySource": "$request.header.Authorization, $request.querystring.q",
                    "authorizerUri": uri,
                    "authorizerPayloadFormatVersion": "2.0",
                    "enableSimpleResponses": True,
                },
            },
            "signed": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "awsSigv4",
            },
        }
        document = definition(echo, components={"securitySchemes": schemes})
        document["security"] = [{"token": ["read"]}]
        document["paths"] = {
            "/token": {"get": behind(echo)},
            "/ask": {"get": {**behind(echo), "security": [{"ask": []}]}},
            "/signed": {"get": {**behind(echo), "security": [{"signed": []}]}},
            "/open": {"get": {**behind(echo), "security": []}},
        }
        api = imported(local_cloud, json.dumps(document))

        def status(path, word=None):
            return api.call(path, headers={"Authorization": word} if word else {}).status

        assert (status("/token"), status("/token", provider.token())) == (401, 403)
        assert status("/token", provider.token(scope="read")) == 200
        assert (status("/ask?q=1", "yes"), status("/ask?q=1", "no")) == (200, 403)
        assert status("/ask", "yes") == 401, "an identity source is missing"
        assert (status("/signed"), status("/open")) == (403, 200)


def test_what_is_refused(local_cloud, echo):
    client = local_cloud.client("apigatewayv2")
    unversioned = definition(echo)
    unversioned["paths"] = {"/pets": {"get": behind(echo, payloadFormatVersion=None)}}
    for body in ('{"swagger": "2.0"}', "[1", "", json.dumps(unversioned)):
        before = len(client.get_apis()["Items"])
        status, code, _ = refusal(client.import_api, Body=body)
        assert (status, code) == (400, "BadRequestException"), body
        assert len(client.get_apis()["Items"]) == before


def test_the_body_of_a_template(local_cloud, echo):
    cfn = local_cloud.client("cloudformation")
    body = definition({"Fn::Sub": echo})
    stage = {"ApiId": {"Ref": "Api"}, "StageName": "$default", "AutoDeploy": True}
    template = {
        "Resources": {
            "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Body": body}},
            "Stage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": stage},
        },
        "Outputs": {"Id": {"Value": {"Ref": "Api"}}},
    }
    stack = create(cfn, "body", template)
    host = f"{outputs(stack)['Id']}.execute-api.localhost"
    assert request(local_cloud, host, "/pets/7").status == 200
    changed = copy.deepcopy(template)
    paths = changed["Resources"]["Api"]["Properties"]["Body"]["paths"]
    del paths["/$default"], paths["/pets/{id}"]
    update(cfn, "body", changed)
    assert request(local_cloud, host, "/any").status == 200
    assert request(local_cloud, host, "/pets/7").status == 404
