"""Lambda authorizers: their events, their answers, and what of these is kept."""

import json

import pytest

from deployment import deploy
from http_apis import HttpApi, invocations, make_function

FORBIDDEN = b'{"message":"Forbidden"}'
INTERNAL = b'{"message":"Internal Server Error"}'
# Does what the authorization header says.
SIMPLE = """
    def handler(event, context):
        said = event["headers"]["authorization"]
        if said == "raise":
            raise ValueError(said)
        if said == "nonsense":
            return {"answer": "perhaps"}
        return {"isAuthorized": said == "yes", "context": {"n": 1, "event": event}}
"""
POLICY = """
    def handler(event, context):
        arn = event.get("routeArn") or event["methodArn"]
        said = event["headers"]["authorization"]
        resource = arn if said != "elsewhere" else arn + "/other"
        effect = "Deny" if said == "no" else "Allow"
        statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
        return {
            "principalId": "somebody",
            "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
            "context": {"said": said},
        }
"""


def make_authorizer(api, arn, version="2.0", **options):
    settings = {"IdentitySource": ["$request.header.Authorization"], **options}
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    made = api.client.create_authorizer(
        ApiId=api.id, Name="lambda", AuthorizerType="REQUEST", AuthorizerUri=uri,
        AuthorizerPayloadFormatVersion=version, **settings,
    )  # fmt: skip
    return made["AuthorizerId"]


def guard(api, key, integration, authorizer):
    api.route(key, integration, AuthorizationType="CUSTOM", AuthorizerId=authorizer)


@pytest.fixture(scope="module")
def functions(local_cloud):
    return {
        "echo": make_function(local_cloud, "echo"),
        "simple": make_function(local_cloud, "simple", SIMPLE),
        "policy": make_function(local_cloud, "policy", POLICY),
    }


def say(api, word, path="/pets/7"):
    return api.call(path, headers={"Authorization": word})


def test_simple_answers(local_cloud, functions):
    api = HttpApi(local_cloud, stage="dev")
    authorizer = make_authorizer(api, functions["simple"], EnableSimpleResponses=True)
    guard(api, "GET /pets/{id}", api.integrate(functions["echo"]), authorizer)
    reply = say(api, "yes", "/dev/pets/7?x=1")
    assert reply.status == 200
    given = reply.json()["requestContext"]["authorizer"]["lambda"]
    assert given["n"] == 1
    event = given["event"]
    assert (event["version"], event["type"]) == ("2.0", "REQUEST")
    arn = f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/dev/GET/pets/7"
    assert event["routeArn"] == arn and event["identitySource"] == ["yes"]
    assert event["routeKey"] == "GET /pets/{id}" and event["rawPath"] == "/dev/pets/7"
    assert event["queryStringParameters"] == {"x": "1"} and event["pathParameters"] == {"id": "7"}
    assert "body" not in event and "isBase64Encoded" not in event
    reply = say(api, "no", "/dev/pets/7")
    assert (reply.status, reply.body) == (403, FORBIDDEN)


def test_without_an_identity_source_nobody_is_asked(local_cloud, functions):
    api = HttpApi(local_cloud)
    authorizer = make_authorizer(api, functions["simple"], EnableSimpleResponses=True)
    guard(api, "GET /pets/{id}", api.integrate(functions["echo"]), authorizer)
    before = invocations(local_cloud, "simple")
    reply = api.call("/pets/7")
    assert (reply.status, reply.body) == (401, b'{"message":"Unauthorized"}')
    assert invocations(local_cloud, "simple") == before


def test_no_answer_is_an_internal_error(local_cloud, functions):
    api = HttpApi(local_cloud)
    echo = api.integrate(functions["echo"])
    authorizer = make_authorizer(api, functions["simple"], EnableSimpleResponses=True)
    guard(api, "GET /pets/{id}", echo, authorizer)
    closed = deploy(local_cloud, "closed", SIMPLE)["FunctionArn"]
    guard(api, "GET /closed", echo, make_authorizer(api, closed, EnableSimpleResponses=True))
    for word, path in (("raise", "/pets/7"), ("nonsense", "/pets/7"), ("yes", "/closed")):
        reply = say(api, word, path)
        assert (reply.status, reply.body) == (500, INTERNAL), word


def test_policy_answers(local_cloud, functions):
    api = HttpApi(local_cloud)
    guard(
        api, "GET /pets/{id}", api.integrate(functions["echo"]),
        make_authorizer(api, functions["policy"]),
    )  # fmt: skip
    reply = say(api, "yes")
    assert reply.json()["requestContext"]["authorizer"] == {"lambda": {"said": "yes"}}
    for word in ("no", "elsewhere"):
        assert (say(api, word).status, say(api, word).body) == (403, FORBIDDEN), word


def test_format_1(local_cloud, functions):
    api = HttpApi(local_cloud)
    body = "import json\ndef handler(event, context): return "
    body += "{'statusCode': 200, 'body': json.dumps(event)}\n"
    authorizer = make_authorizer(
        api, functions["policy"], "1.0",
        IdentitySource=["$request.header.Authorization", "$request.querystring.q"],
    )  # fmt: skip
    wrapped = make_function(local_cloud, "wrapped", body)
    guard(api, "GET /pets/{id}", api.integrate(wrapped, "1.0"), authorizer)
    assert api.call("/pets/7", headers={"Authorization": "yes"}).status == 401
    event = say(api, "yes", "/pets/7?q=1").json()
    given = event["requestContext"]["authorizer"]
    assert given == {"said": "yes", "principalId": "somebody"}


def test_answers_are_kept(local_cloud, functions):
    api = HttpApi(local_cloud)
    echo = api.integrate(functions["echo"])
    counting = make_function(local_cloud, "counting", POLICY)
    kept = make_authorizer(api, counting, AuthorizerResultTtlInSeconds=300)
    guard(api, "GET /pets/{id}", echo, kept)
    assert say(api, "yes").status == say(api, "yes").status == 200
    assert invocations(local_cloud, "counting") == 1
    reply = say(api, "yes", "/pets/8")
    assert reply.status == 403, "the policy that is kept is about another resource"
    assert invocations(local_cloud, "counting") == 1
    assert say(api, "also").status == 200
    assert invocations(local_cloud, "counting") == 2, "another identity"
    api.client.update_authorizer(ApiId=api.id, AuthorizerId=kept, AuthorizerResultTtlInSeconds=0)
    say(api, "yes"), say(api, "yes")
    assert invocations(local_cloud, "counting") == 4, "0 keeps nothing"


def test_context_and_stage_variables_can_identify(local_cloud, functions):
    api = HttpApi(local_cloud, stage_options={"StageVariables": {"tenant": "one"}})
    sources = ["$stageVariables.tenant", "$context.routeKey", "$request.header.Authorization"]
    source = 'def handler(event, context): return {"isAuthorized": True, "context": '
    source += '{"seen": event["identitySource"]}}\n'
    arn = make_function(local_cloud, "identities", source)
    authorizer = make_authorizer(api, arn, IdentitySource=sources, EnableSimpleResponses=True)
    guard(api, "GET /pets/{id}", api.integrate(functions["echo"]), authorizer)
    context = say(api, "me").json()["requestContext"]
    assert context["authorizer"]["lambda"]["seen"] == ["one", "GET /pets/{id}", "me"]
    assert json.dumps(context), "context is JSON"


def test_a_route_is_opened_again(local_cloud, functions):
    api = HttpApi(local_cloud)
    authorizer = make_authorizer(api, functions["simple"], EnableSimpleResponses=True)
    route = api.route(
        "GET /pets", api.integrate(functions["echo"]), AuthorizationType="CUSTOM",
        AuthorizerId=authorizer,
    )  # fmt: skip
    assert api.call("/pets").status == 401
    api.client.update_route(ApiId=api.id, RouteId=route, AuthorizationType="NONE")
    assert api.call("/pets").status == 200
    again = {"AuthorizationType": "CUSTOM", "AuthorizerId": authorizer}
    api.client.update_route(ApiId=api.id, RouteId=route, **again)
    api.client.delete_authorizer(ApiId=api.id, AuthorizerId=authorizer)
    assert (api.call("/pets").status, api.call("/pets").body) == (500, INTERNAL)
