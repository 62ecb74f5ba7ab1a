"""JWT authorizers, with an issuer on this machine."""

import time

import pytest

from deployment import wait_for
from http_apis import HttpApi, make_function
from json_web_tokens import another_key, issuer
from user_pools import UserPool
from web_servers import web_server

UNAUTHORIZED = b'{"message":"Unauthorized"}'


@pytest.fixture(scope="module")
def identity_provider():
    with issuer() as running:
        yield running


@pytest.fixture(scope="module")
def api(local_cloud, identity_provider):
    api = HttpApi(local_cloud)
    api.authorizer = api.client.create_authorizer(
        ApiId=api.id, Name="jwt", AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": identity_provider.address, "Audience": ["pets", "shops"]},
    )["AuthorizerId"]  # fmt: skip
    guarded = {"AuthorizationType": "JWT", "AuthorizerId": api.authorizer}
    echo = make_function(local_cloud, "echo")
    api.route("GET /pets", api.integrate(echo), **guarded)
    api.route("GET /scoped", api.integrate(echo), AuthorizationScopes=["read", "all"], **guarded)
    source = """
        import json
        def handler(event, context):
            return {"statusCode": 200, "body": json.dumps(event)}
    """
    old = make_function(local_cloud, "old", source)
    api.route("GET /old", api.integrate(old, "1.0"), **guarded)
    return api


def call(api, token, path="/pets", prefix="Bearer "):
    return api.call(path, headers={"Authorization": f"{prefix}{token}"})


def test_a_good_token_and_what_the_function_learns(api, identity_provider):
    token = identity_provider.token(groups=["a", "b"], admin=True, n=3)
    event = call(api, token).json()
    found = event["requestContext"]["authorizer"]["jwt"]
    claims = found["claims"]
    assert found["scopes"] is None
    assert (claims["sub"], claims["iss"]) == ("me", identity_provider.address)
    assert (claims["groups"], claims["admin"], claims["n"]) == ("[a b]", "true", "3")
    assert claims["exp"].isdecimal()
    assert call(api, token, prefix="").status == 200, "Bearer may be left out"
    event = call(api, token, "/old").json()
    assert event["requestContext"]["authorizer"]["claims"]["sub"] == "me"


def test_without_a_token(api):
    reply = api.call("/pets")
    assert (reply.status, reply.body) == (401, UNAUTHORIZED)
    assert reply.headers["www-authenticate"] == "Bearer"


def test_tokens_that_are_refused(api, identity_provider):
    provider, now = identity_provider, int(time.time())
    refused = {
        "not a token": "malformed",
        provider.token(aud="others"): "does not have a valid audience",
        provider.token(aud=None): "does not have a valid audience",
        provider.token(iss="http://other.example"): "does not have a valid issuer",
        provider.token(exp=now - 1): "has expired",
        provider.token(exp=None): "has expired",
        provider.token(nbf=now + 60): "not valid yet",
        provider.token(iat=now + 60): "not valid yet",
        provider.token(key=another_key(provider)): "signature",
        provider.token(key=provider.elliptic_key, algorithm="ES256"): "",
    }
    for token, why in refused.items():
        reply = call(api, token)
        assert (reply.status, reply.body) == (401, UNAUTHORIZED), why
        shown = reply.headers["www-authenticate"]
        assert shown.startswith('Bearer scope="" error="invalid_token" error_description="')
        assert why in shown


def test_client_id_stands_in_for_a_missing_audience(api, identity_provider):
    token = identity_provider.token
    assert call(api, token(aud=None, client_id="shops")).status == 200
    assert call(api, token(aud="others", client_id="shops")).status == 401
    assert call(api, token(aud=["others", "pets"])).status == 200


def test_scopes(api, identity_provider):
    reply = call(api, identity_provider.token(scope="write other"), "/scoped")
    assert (reply.status, reply.body) == (403, b'{"message":"Forbidden"}')
    assert 'error="insufficient_scope"' in reply.headers["www-authenticate"]
    assert call(api, identity_provider.token(), "/scoped").status == 403
    for claims in ({"scope": "write read"}, {"scp": ["all"]}):
        assert call(api, identity_provider.token(**claims), "/scoped").status == 200


def test_keys_are_kept_and_new_ones_found(api, identity_provider):
    call(api, identity_provider.token())
    before = identity_provider.fetched
    assert call(api, identity_provider.token()).status == 200
    assert identity_provider.fetched == before
    identity_provider.new_key("second")
    token = identity_provider.token()
    wait_for(lambda: call(api, token).status == 200)  # asked for again at most once a second
    assert identity_provider.fetched == before + 1


def test_an_issuer_without_keys_is_an_internal_error(local_cloud, identity_provider):
    def nonsense(method, path, headers, body):
        configuration = b'{"jwks_uri": "%s/keys"}' % address.encode()
        return 200, [], configuration if "openid" in path else b'{"keys": [{"kty": "what"}]}'

    with web_server(nonsense) as address:
        for issuer_address in ("http://127.0.0.1:9", "no address", address):
            api = HttpApi(local_cloud)
            authorizer = api.client.create_authorizer(
                ApiId=api.id, Name="jwt", AuthorizerType="JWT",
                IdentitySource=["$request.header.Authorization"],
                JwtConfiguration={"Issuer": issuer_address, "Audience": ["pets"]},
            )["AuthorizerId"]  # fmt: skip
            lost = api.integrate("http://127.0.0.1:9/")
            api.route("GET /pets", lost, AuthorizationType="JWT", AuthorizerId=authorizer)
            reply = call(api, identity_provider.token())
            assert (reply.status, reply.body) == (500, b'{"message":"Internal Server Error"}')


def test_a_user_pool_of_cognito(local_cloud):
    pool = UserPool(local_cloud)
    api = HttpApi(local_cloud)
    authorizer = api.client.create_authorizer(
        ApiId=api.id, Name="jwt", AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": pool.issuer, "Audience": [pool.app]},
    )["AuthorizerId"]  # fmt: skip
    echo = api.integrate(make_function(local_cloud, "pooled"))
    api.route("GET /pets", echo, AuthorizationType="JWT", AuthorizerId=authorizer)
    for name in ("IdToken", "AccessToken"):
        claims = call(api, pool.tokens[name]).json()["requestContext"]["authorizer"]["jwt"][
            "claims"
        ]
        assert claims["iss"] == pool.issuer
    damaged = pool.tokens["IdToken"][:-8] + "AAAAAAAA"
    assert call(api, damaged).status == 401
