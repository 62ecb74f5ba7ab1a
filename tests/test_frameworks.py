"""Frameworks that others wrote for Lambda, unchanged behind the gateways, whose events are AWS's to them."""

import pytest

from http_apis import HttpApi, make_function
from installed_layers import layer_of
from json_web_tokens import issuer
from rest_apis import RestApi

FASTAPI = """
from fastapi import FastAPI, Header, Request, Response
from mangum import Mangum
from pydantic import BaseModel

app = FastAPI()

class Pet(BaseModel):
    name: str
    age: int

@app.get("/pets/{pet_id}")
def pet(pet_id: int, request: Request, tag: str = "", x_trace: str | None = Header(None)):
    kind = request.scope["aws.event"].get("version", "1.0")
    return {"id": pet_id, "tag": tag, "trace": x_trace, "kind": kind, "client": request.client.host}

@app.post("/pets", status_code=201)
def add(pet: Pet, response: Response):
    response.set_cookie("last", pet.name)
    response.set_cookie("age", str(pet.age))
    return pet

@app.get("/picture")
def picture():
    return Response(bytes(range(256)), media_type="image/png")

handler = Mangum(app, lifespan="off", api_gateway_base_path="/dev")
"""
CHALICE = """
from chalice import Chalice, NotFoundError, Response

app = Chalice(app_name="pets")

@app.route("/pets/{pet_id}")
def pet(pet_id):
    if pet_id == "0":
        raise NotFoundError("no such pet")
    request = app.current_request
    return {"id": pet_id, "tag": (request.query_params or {}).get("tag"), "stage": request.context["stage"]}

@app.route("/pets", methods=["POST"], cors=True)
def add():
    return Response(app.current_request.json_body, status_code=201, headers={"X-Made": "yes"})

handler = app
"""
RESOLVER = """
import os
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

RESOLVERS = {"1.0": APIGatewayRestResolver(), "2.0": APIGatewayHttpResolver()}

def add_routes(app):
    @app.get("/pets/<pet_id>")
    def pet(pet_id):
        if pet_id == "0":
            raise NotFoundError("no such pet")
        event = app.current_event
        return {"id": pet_id, "tag": event.get_query_string_value("tag"), "method": event.http_method,
                "agent": event.get_header_value("user-agent"), "path": event.path}

    @app.post("/pets")
    def add():
        return Response(201, "application/json", app.current_event.json_body, headers={"X-Made": "yes"})

for each in RESOLVERS.values():
    add_routes(each)

def handler(event, context):
    return RESOLVERS[event.get("version", "1.0")].resolve(event, context)
"""
GUARDED = """
import json
from aws_lambda_powertools.utilities.data_classes import (
    APIGatewayProxyEvent, APIGatewayProxyEventV2, event_source)
from aws_lambda_powertools.utilities.data_classes.api_gateway_authorizer_event import (
    APIGatewayAuthorizerEventV2, APIGatewayAuthorizerRequestEvent, APIGatewayAuthorizerResponse,
    APIGatewayAuthorizerResponseV2, APIGatewayAuthorizerTokenEvent)

def policy(event, token):
    arn = event.parsed_arn
    made = APIGatewayAuthorizerResponse(
        "ana", arn.region, arn.aws_account_id, arn.api_id, arn.stage, {"level": "7"})
    made.allow_all_routes() if token == "good" else made.deny_all_routes()
    return made.asdict()

def token(event, context):
    event = APIGatewayAuthorizerTokenEvent(event)
    return policy(event, event.authorization_token)

def request(event, context):
    event = APIGatewayAuthorizerRequestEvent(event)
    return policy(event, event.headers["Authorization"])

def simple(event, context):
    event = APIGatewayAuthorizerEventV2(event)
    allowed = event.headers["authorization"] == "good" and event.raw_path == "/simple"
    return APIGatewayAuthorizerResponseV2(authorize=allowed, context={"level": "7"}).asdict()

def handler(event, context):
    if event.get("version") == "2.0":
        event = APIGatewayProxyEventV2(event)
        authorizer = event.request_context.authorizer
        found = {"lambda": authorizer.get_lambda, "claims": authorizer.jwt_claim,
                 "scopes": authorizer.jwt_scopes}
    else:
        event = APIGatewayProxyEvent(event)
        authorizer = event.request_context.authorizer
        found = {"level": authorizer["level"], "principal": authorizer.principal_id,
                 "ip": event.request_context.identity.source_ip}
    return {"statusCode": 200, "body": json.dumps(found)}
"""
PACKAGES = (
    "aws-lambda-powertools", "chalice", "mangum", "fastapi", "starlette", "anyio", "idna",
    "pydantic", "pydantic-core", "typing-extensions", "typing-inspection", "annotated-types",
    "annotated-doc", "opentelemetry-api",
)  # fmt: skip
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def layer(local_cloud):
    return layer_of(local_cloud, "frameworks", *PACKAGES)


class Apis:
    """One function behind a REST API, at the paths that frameworks know, and behind an HTTP API."""

    def __init__(self, cloud, name, source, layer):
        self.arn = make_function(cloud, name, source, Layers=[layer], MemorySize=1769, Timeout=29)
        self.rest = RestApi(cloud)
        for method, path in (("ANY", "/pets"), ("ANY", "/pets/{pet_id}"), ("ANY", "/{proxy+}")):
            self.rest.proxy(method, path, self.arn)
        patch = {"op": "add", "path": "/binaryMediaTypes/image~1png"}
        self.rest.client.update_rest_api(restApiId=self.rest.id, patchOperations=[patch])
        self.rest.deploy()
        self.http = HttpApi(cloud)
        self.http.route("$default", self.http.integrate(self.arn))
        self.old = HttpApi(cloud)
        self.old.route("$default", self.old.integrate(self.arn, "1.0"))

    def call(self, kind, path, *request):
        path = f"/dev{path}" if kind == "rest" else path
        return getattr(self, kind).call(path, *request)


@pytest.fixture(scope="module")
def fastapi(local_cloud, layer):
    return Apis(local_cloud, "fastapi", FASTAPI, layer)


@pytest.mark.parametrize(("kind", "version"), [("rest", "1.0"), ("http", "2.0"), ("old", "1.0")])
def test_fastapi_behind_mangum(fastapi, kind, version):
    found = fastapi.call(kind, "/pets/7?tag=a%20b", "GET", None, {"X-Trace": "t"}).json()
    assert found == {
        "id": 7, "tag": "a b", "trace": "t", "kind": version, "client": "127.0.0.1",
    }  # fmt: skip
    made = fastapi.call(kind, "/pets", "POST", b'{"name": "Bo", "age": 3}', JSON)
    assert (made.status, made.json()) == (201, {"name": "Bo", "age": 3})
    cookies = [each.partition(";")[0] for each in made.headers.get_all("set-cookie")]
    assert cookies == ["last=Bo", "age=3"]
    assert fastapi.call(kind, "/pets", "POST", b"{}", JSON).status == 422
    picture = fastapi.call(kind, "/picture", "GET", None, {"Accept": "image/png"})
    assert picture.body == bytes(range(256)) and picture.headers["content-type"] == "image/png"
    assert fastapi.call(kind, "/nowhere").json() == {"detail": "Not Found"}


def test_chalice(local_cloud, layer):
    """Chalice is for REST APIs alone: it goes by the resource's path."""
    apis = Apis(local_cloud, "chalice", CHALICE, layer)
    found = apis.call("rest", "/pets/7?tag=a").json()
    assert found == {"id": "7", "tag": "a", "stage": "dev"}
    missing = apis.call("rest", "/pets/0")
    assert (missing.status, missing.json()["Code"]) == (404, "NotFoundError")
    made = apis.call("rest", "/pets", "POST", b'{"name": "Bo"}', JSON)
    assert (made.status, made.json(), made.headers["x-made"]) == (201, {"name": "Bo"}, "yes")
    assert made.headers["access-control-allow-origin"] == "*"


@pytest.fixture(scope="module")
def powertools(local_cloud, layer):
    return Apis(local_cloud, "powertools", RESOLVER, layer)


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_the_resolvers_of_powertools(powertools, kind):
    found = powertools.call(kind, "/pets/7?tag=a", "GET", None, {"User-Agent": "me"}).json()
    assert found == {"id": "7", "tag": "a", "method": "GET", "agent": "me", "path": "/pets/7"}
    missing = powertools.call(kind, "/pets/0")
    assert (missing.status, missing.json()["message"]) == (404, "no such pet")
    made = powertools.call(kind, "/pets", "POST", b'{"name": "Bo"}', JSON)
    assert (made.status, made.json(), made.headers["x-made"]) == (201, {"name": "Bo"}, "yes")


@pytest.fixture(scope="module")
def guards(local_cloud, layer):
    """Functions of one source, by their handler: the authorizers, and what they guard."""
    return {
        name: make_function(
            local_cloud, f"guards-{name}", GUARDED, Layers=[layer], Handler=f"app.{name}",
            MemorySize=1769, Timeout=29,
        )
        for name in ("token", "request", "simple", "handler")
    }  # fmt: skip


def test_lambda_authorizers_of_powertools(local_cloud, guards):
    rest = RestApi(local_cloud)
    for kind in ("TOKEN", "REQUEST"):
        more = {"identitySource": "method.request.header.Authorization"}
        authorizer = rest.authorizer(kind, guards[kind.lower()], **more)
        place = rest.proxy("GET", f"/{kind.lower()}", guards["handler"])
        rest.client.update_method(
            **place,
            patchOperations=[
                {"op": "replace", "path": "/authorizationType", "value": "CUSTOM"},
                {"op": "replace", "path": "/authorizerId", "value": authorizer},
            ],
        )
    rest.deploy()
    for path in ("/dev/token", "/dev/request"):
        found = rest.call(path, headers={"Authorization": "good"}).json()
        assert found["principal"] == "ana" and found["ip"] == "127.0.0.1"
        assert found["level"] == "7"
        assert rest.call(path, headers={"Authorization": "bad"}).status == 403
    http = HttpApi(local_cloud)
    authorizer = http.client.create_authorizer(
        ApiId=http.id, Name="simple", AuthorizerType="REQUEST", EnableSimpleResponses=True,
        AuthorizerPayloadFormatVersion="2.0", IdentitySource=["$request.header.Authorization"],
        AuthorizerUri="arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
        f"{guards['simple']}/invocations",
    )["AuthorizerId"]  # fmt: skip
    http.route(
        "GET /simple", http.integrate(guards["handler"]), AuthorizationType="CUSTOM",
        AuthorizerId=authorizer,
    )  # fmt: skip
    found = http.call("/simple", headers={"Authorization": "good"}).json()
    assert found["lambda"] == {"level": "7"}
    assert http.call("/simple", headers={"Authorization": "bad"}).status == 403


def test_a_jwt_authorizer_for_powertools(local_cloud, guards):
    with issuer() as provider:
        http = HttpApi(local_cloud)
        authorizer = http.client.create_authorizer(
            ApiId=http.id, Name="jwt", AuthorizerType="JWT",
            IdentitySource=["$request.header.Authorization"],
            JwtConfiguration={"Issuer": provider.address, "Audience": ["pets"]},
        )["AuthorizerId"]  # fmt: skip
        http.route(
            "GET /jwt", http.integrate(guards["handler"]), AuthorizationType="JWT",
            AuthorizerId=authorizer, AuthorizationScopes=["read"],
        )  # fmt: skip
        token = provider.token(scope="read write")
        reply = http.call("/jwt", headers={"Authorization": f"Bearer {token}"})
        assert reply.status == 200, reply.body
        found = reply.json()
        assert found["claims"]["sub"] == "me" and found["scopes"] == ["read", "write"]
