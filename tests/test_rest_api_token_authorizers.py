"""REST APIs: Cognito user pools and JSON Web Tokens as authorizers."""

import json

import pytest

from deployment import policy_of
from http_apis import make_function
from json_web_tokens import another_key, issuer
from people import refusal
from rest_apis import RestApi, invocation_uri
from user_pools import UserPool

ECHO = """
    import json
    def handler(event, context):
        return {"statusCode": 200, "body": json.dumps(event["requestContext"]["authorizer"])}
"""
UNAUTHORIZED = {"message": "Unauthorized"}


@pytest.fixture(scope="module")
def echo(local_cloud):
    return make_function(local_cloud, "claims", ECHO)


@pytest.fixture(scope="module")
def pool(local_cloud):
    return UserPool(local_cloud)


@pytest.fixture(scope="module")
def identity_provider():
    with issuer() as running:
        yield running


def guard(api, echo, path, authorizer, authorization, *scopes):
    access = {"authorizerId": authorizer, "authorizationScopes": list(scopes)}
    settings = {"uri": invocation_uri(echo), "integrationHttpMethod": "POST"}
    api.method("GET", path, "AWS_PROXY", authorization, access, **settings)


@pytest.fixture(scope="module")
def pooled(local_cloud, echo, pool):
    api = RestApi(local_cloud)
    anybody = api.authorizer("COGNITO_USER_POOLS", providerARNs=[pool.arn])
    other = api.authorizer(
        "COGNITO_USER_POOLS", providerARNs=[pool.arn], identityValidationExpression="another-app"
    )
    for path, authorizer, scopes in (
        ("/pets", anybody, ()),
        ("/scoped", anybody, ("pets/read", "aws.cognito.signin.user.admin")),
        ("/closed", anybody, ("pets/read",)),
        ("/other", other, ()),
    ):
        guard(api, echo, path, authorizer, "COGNITO_USER_POOLS", *scopes)
    api.deploy()
    return api


def call(api, token, path="/pets"):
    return api.call(f"/dev{path}", headers={"Authorization": token})


def test_an_identity_token_of_a_pool(pooled, pool):
    claims = call(pooled, pool.tokens["IdToken"]).json()["claims"]
    assert (claims["cognito:username"], claims["aud"]) == ("ann", pool.app)
    assert claims["exp"].isdecimal()
    assert call(pooled, "Bearer " + pool.tokens["IdToken"]).status == 200


def test_what_a_pool_refuses(pooled, pool, local_cloud):
    identity, access = pool.tokens["IdToken"], pool.tokens["AccessToken"]
    another = UserPool(local_cloud).tokens["IdToken"]
    damaged = identity[:-8] + "AAAAAAAA"
    for token in ("", "nonsense", "a.b.c", access, another, damaged):
        reply = call(pooled, token)
        assert (reply.status, reply.json()) == (401, UNAUTHORIZED), token
    assert call(pooled, identity, "/other").json() == UNAUTHORIZED, "another audience"
    reply = call(pooled, pool.expired())
    assert (reply.status, reply.json()) == (401, {"message": "The incoming token has expired"})


def test_scopes_ask_for_an_access_token(pooled, pool):
    identity, access = pool.tokens["IdToken"], pool.tokens["AccessToken"]
    assert call(pooled, access, "/scoped").json()["claims"]["token_use"] == "access"
    assert call(pooled, identity, "/scoped").status == 401
    assert call(pooled, access, "/closed").json() == UNAUTHORIZED


def test_a_pool_and_a_resource_policy(local_cloud, echo, pool):
    """The policy is evaluated by itself, and must allow."""
    api = RestApi(local_cloud)
    authorizer = api.authorizer("COGNITO_USER_POOLS", providerARNs=[pool.arn])
    guard(api, echo, "/pets", authorizer, "COGNITO_USER_POOLS")
    for address, status in (("127.0.0.0/8", 200), ("192.0.2.0/24", 403)):
        statement = {
            "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*",
            "Condition": {"IpAddress": {"aws:SourceIp": address}},
        }  # fmt: skip
        change = {"op": "replace", "path": "/policy", "value": policy_of(statement)}
        api.client.update_rest_api(restApiId=api.id, patchOperations=[change])
        api.deploy()
        assert call(api, "nonsense").status == 401, "the token comes first"
        assert call(api, pool.tokens["IdToken"]).status == status


@pytest.fixture(scope="module")
def api(local_cloud, echo, identity_provider):
    api = RestApi(local_cloud)
    rules = [
        {"claimName": "tenant", "format": "SINGLE_STRING", "required": True},
        {"claimName": "tier", "format": "SINGLE_STRING", "expectedValues": ["gold"]},
    ]
    trusted = [
        {"issuer": identity_provider.address, "audiences": ["pets", "shops"],
         "additionalClaims": rules},
        {"issuer": "https://example.com", "audiences": ["pets"]},
    ]  # fmt: skip
    configuration = {"issuers": trusted, "defaultAlgorithms": ["RS256"]}
    authorizer = api.authorizer("JWT", jwtConfiguration=configuration)
    made = api.client.get_authorizer(restApiId=api.id, authorizerId=authorizer)
    assert made["jwtConfiguration"] == configuration
    guard(api, echo, "/pets", authorizer, "JWT")
    guard(api, echo, "/scoped", authorizer, "JWT", "read", "all")
    api.deploy()
    return api


def test_a_token_of_a_trusted_issuer(api, identity_provider):
    token = identity_provider.token(tenant="one", tier="gold", groups=["a", "b"])
    claims = call(api, f"Bearer {token}").json()["claims"]
    assert (claims["sub"], claims["tenant"], claims["groups"]) == ("me", "one", "[a b]")


def test_what_is_refused(api, identity_provider):
    make = identity_provider.token
    good = {"tenant": "one"}
    assert call(api, make(**good)).status == 200
    for token in (
        "", "nonsense", make(), make(tenant="one", tier="silver"), make(**good, aud="others"),
        make(**good, aud=None, client_id="pets"), make(**good, exp=1), make(**good, iss="https://x"),
        make(**good, nbf=4_000_000_000), make(another_key(identity_provider), **good),
        make(identity_provider.key, "RS512", **good),
    ):  # fmt: skip
        reply = call(api, token)
        assert (reply.status, reply.json()) == (401, UNAUTHORIZED)
    assert call(api, make(**good, scope="write all"), "/scoped").status == 200
    assert call(api, make(**good, scope="write"), "/scoped").status == 403


def test_what_can_not_be_configured(local_cloud, identity_provider):
    api = RestApi(local_cloud)
    issuers = [{"issuer": identity_provider.address, "audiences": ["pets"]}]
    good = {"issuers": issuers, "defaultAlgorithms": ["RS256"]}
    rule = {"claimName": "exp", "format": "SINGLE_STRING"}
    wrong = (
        {**good, "issuers": []},
        {**good, "issuers": issuers * 2},
        {**good, "issuers": [{"issuer": "http://example.com", "audiences": ["pets"]}]},
        {**good, "issuers": [{"issuer": "https://example.com", "audiences": []}]},
        {**good, "defaultAlgorithms": ["HS256"]},
        {**good, "issuers": [{**issuers[0], "additionalClaims": [rule]}]},
    )
    new = {"restApiId": api.id, "name": "jwt", "type": "JWT"}
    source = {"identitySource": "method.request.header.Authorization"}
    for each in wrong:
        found = refusal(api.client.create_authorizer, **new, **source, jwtConfiguration=each)
        assert found[0] == "BadRequestException", json.dumps(each)
    query = {"identitySource": "method.request.querystring.token"}
    assert refusal(api.client.create_authorizer, **new, **query, jwtConfiguration=good)[2] == 400
