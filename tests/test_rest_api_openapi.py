"""REST APIs from OpenAPI definitions: ImportRestApi, PutRestApi and a template's Body."""

import json

import pytest
import yaml
from botocore.exceptions import ClientError

from http_apis import make_function, request
from rest_apis import invocation_uri
from stacks import create, delete, events, outputs, update

ECHO = """
import json
def handler(event, context):
    if event.get("type") == "TOKEN":
        statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        return {"principalId": "ana", "policyDocument": document}
    return {"statusCode": 200, "body": json.dumps(event)}
"""
X = "x-amazon-apigateway-"


@pytest.fixture(scope="module")
def uri(local_cloud):
    return invocation_uri(make_function(local_cloud, "defined", ECHO))


@pytest.fixture(scope="module")
def client(local_cloud):
    return local_cloud.client("apigateway")


def mock(answer):
    return {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {
            "default": {
                "statusCode": 200,
                "responseParameters": {"method.response.header.X-Kind": "'mock'"},
                "responseTemplates": {"application/json": answer},
            }
        },
    }


def mocked(answer):
    header = {"X-Kind": {"schema": {"type": "string"}}}
    return {"responses": {"200": {"headers": header}}, X + "integration": mock(answer)}


def definition(uri, version="3.0.1"):
    """The same API in both versions of OpenAPI."""
    proxy = {"type": "aws_proxy", "httpMethod": "POST", "uri": uri}
    token = {
        "type": "apiKey", "name": "Authorization", "in": "header", X + "authtype": "custom",
        X + "authorizer": {"type": "token", "authorizerUri": uri, "authorizerResultTtlInSeconds": 0},
    }  # fmt: skip
    key = {"type": "apiKey", "name": "x-api-key", "in": "header"}
    signed = {"type": "apiKey", "name": "Authorization", "in": "header", X + "authtype": "awsSigv4"}
    schemes = {"guard": token, "key": key, "signed": signed}
    is_third = version.startswith("3")
    place = "#/components/schemas/" if is_third else "#/definitions/"
    models = {
        "Pet": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "owner": {"$ref": place + "Owner"}},
        },
        "Owner": {"type": "object", "required": ["email"]},
    }
    reference = {"$ref": place + "Pet"}
    header = {"X-Kind": {"schema": {"type": "string"}} if is_third else {"type": "string"}}
    string = {"schema": {"type": "string"}} if is_third else {"type": "string"}
    post = {
        "operationId": "addPet",
        X + "request-validator": "all",
        "responses": {},
        X + "integration": proxy,
    }
    if is_third:
        post["requestBody"] = {"content": {"application/json": {"schema": reference}}}
    else:
        post["parameters"] = [{"in": "body", "name": "Pet", "schema": reference}]
    return {
        **({"openapi": version} if is_third else {"swagger": version}),
        "info": {"title": "defined pets", "version": "2026-11-29", "description": "all kinds"},
        X + "binary-media-types": ["image/png"],
        X + "api-key-source": "HEADER",
        X + "request-validators": {
            "all": {"validateRequestBody": True, "validateRequestParameters": True}
        },
        X + "gateway-responses": {
            "UNAUTHORIZED": {
                "statusCode": 401,
                "responseTemplates": {"application/json": '{"told": "no"}'},
            }
        },
        "paths": {
            "/pets": {
                "get": {
                    "parameters": [{"in": "query", "name": "kind", "required": True, **string}],
                    X + "request-validator": "all",
                    "responses": {"200": {"description": "all", "headers": header}},
                    X + "integration": mock('["cat"]'),
                },
                "post": post,
            },
            "/pets/{id}": {
                "parameters": [{"in": "path", "name": "id", "required": True, **string}],
                "get": {"security": [{"guard": []}], X + "integration": proxy},
                "delete": {"security": [{"key": []}], X + "integration": proxy},
                "patch": {"security": [{"signed": []}], X + "integration": proxy},
            },
            "/all/{proxy+}": {X + "any-method": {X + "integration": proxy}},
        },
        **(
            {"components": {"schemas": models, "securitySchemes": schemes}}
            if is_third
            else {"definitions": models, "securityDefinitions": schemes}
        ),
    }


class Defined:
    def __init__(self, cloud, client, made):
        self.cloud, self.client, self.id = cloud, client, made["id"]

    def deploy(self):
        self.client.create_deployment(restApiId=self.id, stageName="dev")
        return self

    def call(self, path, method="GET", body=None, **headers):
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        host = f"{self.id}.execute-api.localhost"
        return request(self.cloud, host, f"/dev{path}", method, body, given)

    def paths(self):
        found = self.client.get_resources(restApiId=self.id)["items"]
        return {each["path"]: sorted(each.get("resourceMethods", {})) for each in found}


def import_api(cloud, client, document):
    body = yaml.safe_dump(document).encode()
    return Defined(cloud, client, client.import_rest_api(body=body)).deploy()


@pytest.mark.parametrize("version", ["3.0.1", "2.0"])
def test_a_definition_answers(local_cloud, client, uri, version):
    api = import_api(local_cloud, client, definition(uri, version))
    described = client.get_rest_api(restApiId=api.id)
    assert (described["name"], described["description"]) == ("defined pets", "all kinds")
    assert described["binaryMediaTypes"] == ["image/png"]
    listed = api.call("/pets?kind=x")
    assert (listed.json(), listed.headers["x-kind"]) == (["cat"], "mock")
    assert "Missing required request parameters: [kind]" in api.call("/pets").json()["message"]
    json_type = {"Content_Type": "application/json"}
    assert api.call("/pets", "POST", b'{"name": "a"}', **json_type).status == 200
    wrong = b'{"name": "a", "owner": {}}'
    assert api.call("/pets", "POST", wrong, **json_type).json() == {
        "message": "Invalid request body"
    }
    assert api.call("/pets/7").json() == {"told": "no"}
    event = api.call("/pets/7", Authorization="x").json()
    assert event["pathParameters"] == {"id": "7"}
    assert event["requestContext"]["authorizer"]["principalId"] == "ana"
    assert api.call("/pets/7", "DELETE").json() == {"message": "Forbidden"}
    assert api.call("/pets/7", "PATCH").json() == {"message": "Missing Authentication Token"}
    assert api.call("/all/a/b", "PUT").json()["pathParameters"] == {"proxy": "a/b"}


def test_a_definition_is_merged_or_takes_the_place(local_cloud, client, uri):
    api = import_api(local_cloud, client, definition(uri))
    before = api.paths()
    more = {
        "openapi": "3.0.1",
        "info": {"title": "more", "version": "1"},
        "paths": {
            "/pets": {"get": mocked('["dog"]')},
            "/more": {"get": mocked('"more"')},
        },
    }

    def put(document, mode):
        client.put_rest_api(restApiId=api.id, mode=mode, body=json.dumps(document).encode())

    put(more, "merge")
    assert api.paths() == {**before, "/more": ["GET"]}
    assert api.call("/pets?kind=x").json() == ["cat"], "not before it is deployed"
    api.deploy()
    assert api.call("/pets").json() == ["dog"], "the method is the new one alone"
    put(more, "overwrite")
    assert api.paths() == {"/": [], "/pets": ["GET"], "/more": ["GET"]}
    assert client.get_authorizers(restApiId=api.id)["items"] == []


def test_authorizers_and_validators_are_merged_by_name(local_cloud, client, uri):
    api = import_api(local_cloud, client, definition(uri))

    def named():
        found = client.get_authorizers(restApiId=api.id)["items"]
        found += client.get_request_validators(restApiId=api.id)["items"]
        return [(each["name"], each["id"]) for each in found]

    before = named()
    assert len(before) > 1
    body = json.dumps(definition(uri)).encode()
    client.put_rest_api(restApiId=api.id, mode="merge", body=body)
    assert named() == before
    api.deploy()
    assert api.call("/pets?kind=x").json() == ["cat"]


def test_a_definition_that_is_refused_changes_nothing(local_cloud, client, uri):
    api = import_api(local_cloud, client, definition(uri))
    before = api.paths()
    wrong = definition(uri)
    wrong["paths"]["/pets"]["post"][X + "integration"]["uri"] = "no function's address"
    with pytest.raises(ClientError, match="Unable to put integration on 'POST' for resource at"):
        client.put_rest_api(restApiId=api.id, mode="overwrite", body=json.dumps(wrong).encode())
    assert api.paths() == before
    assert api.call("/pets?kind=x").json() == ["cat"]
    count = len(client.get_rest_apis(limit=500)["items"])
    with pytest.raises(ClientError, match="REST APIs take OpenAPI 2.0 and 3.0"):
        client.import_rest_api(body=b"openapi: 4.0.0")
    assert len(client.get_rest_apis(limit=500)["items"]) == count


def test_a_body_in_a_template(local_cloud, client, uri):
    cfn = local_cloud.client("cloudformation")
    document = definition(uri)
    deployment = {
        "Type": "AWS::ApiGateway::Deployment",
        "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "dev"},
    }
    template = {
        "Resources": {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": document}},
            "First": deployment,
        },
        "Outputs": {"Id": {"Value": {"Ref": "Api"}}},
    }
    stack = create(cfn, "defined", template)
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    api = Defined(local_cloud, client, {"id": outputs(stack)["Id"]})
    assert api.call("/pets?kind=x").json() == ["cat"]
    document["paths"] = {"/new": {"get": mocked('"new"')}}
    template["Resources"]["Second"] = deployment
    del template["Resources"]["First"]
    stack = update(cfn, "defined", template)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "defined")[-9:]
    assert outputs(stack)["Id"] == api.id
    assert api.paths() == {"/": [], "/new": ["GET"]}
    assert api.call("/pets?kind=x").status == 403
    assert delete(cfn, "defined")["StackStatus"] == "DELETE_COMPLETE"
