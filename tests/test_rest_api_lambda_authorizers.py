"""REST APIs: Lambda authorizers, TOKEN and REQUEST."""

import json

import pytest

from deployment import deploy
from http_apis import invocations, make_function
from people import refusal
from rest_apis import RestApi, invocation_uri

ECHO = """
    import json
    def handler(event, context):
        return {"statusCode": 200, "body": json.dumps(event["requestContext"])}
"""
# Says what the token asks for; its answer holds for the paths below /pets/.
TOKEN = """
    def handler(event, context):
        token = event["authorizationToken"]
        if token == "raise":
            raise ValueError("no")
        if token == "unauthorized":
            raise Exception("Unauthorized")
        if token == "nonsense":
            return "nonsense"
        if token == "objects":
            event["list"] = [1]
        effect = "Deny" if token == "deny" else "Allow"
        here = event["methodArn"].rpartition("/")[0]
        where = here.rpartition("/")[0] + "/cats/*" if token == "elsewhere" else here + "/*"
        return {
            "principalId": "somebody",
            "policyDocument": {"Version": "2012-10-17", "Statement": [
                {"Effect": effect, "Action": "execute-api:Invoke", "Resource": where}]},
            "context": {"text": "a", "number": 7, "flag": True, "none": None,
                        **({"list": [1]} if "list" in event else {})},
        }
"""
REQUEST = """
    import json
    def handler(event, context):
        return {
            "principalId": "somebody",
            "policyDocument": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Action": "*", "Resource": "*"}]},
            "context": {"event": json.dumps(event)},
        }
"""
NO_MESSAGE = b'{"message":null}'


@pytest.fixture(scope="module")
def functions(local_cloud):
    sources = {"echo": ECHO, "token": TOKEN, "request": REQUEST}
    return {name: make_function(local_cloud, f"rest-{name}", sources[name]) for name in sources}


def guarded(cloud, functions, kind="TOKEN", arn=None, path="/pets/{id}", **options):
    """An API whose method an authorizer guards; and that authorizer's id."""
    api = RestApi(cloud)
    guard = api.authorizer(kind, arn or functions[kind.lower()], **options)
    access = {"authorizerId": guard}
    settings = {"uri": invocation_uri(functions["echo"]), "integrationHttpMethod": "POST"}
    for each in (path, "/cats/{id}"):
        api.method("GET", each, "AWS_PROXY", "CUSTOM", access, **settings)
    api.deploy(variables={"tenant": "one"})
    return api, guard


def say(api, word, path="/dev/pets/7"):
    return api.call(path, headers={"Authorization": word})


@pytest.fixture(scope="module")
def api(local_cloud, functions):
    return guarded(local_cloud, functions, authorizerResultTtlInSeconds=0)[0]


def test_a_token_and_what_the_function_learns(api):
    found = say(api, "yes").json()["authorizer"]
    assert isinstance(found.pop("integrationLatency"), int)
    assert found == {
        "principalId": "somebody", "text": "a", "number": "7", "flag": "true", "none": None,
    }  # fmt: skip


def test_refusals(api):
    for headers in ({}, {"Authorization": ""}):
        reply = api.call("/dev/pets/7", headers=headers)
        assert (reply.status, reply.body) == (401, b'{"message":"Unauthorized"}')
        assert reply.headers["x-amzn-errortype"] == "UnauthorizedException"
    assert say(api, "unauthorized").body == b'{"message":"Unauthorized"}'
    words = "User is not authorized to access this resource"
    for token, message in (("elsewhere", words), ("deny", f"{words} with an explicit deny")):
        reply = say(api, token)
        assert (reply.status, reply.json()) == (403, {"Message": message})
        assert reply.headers["x-amzn-errortype"] == "AccessDeniedException"
    for token in ("raise", "nonsense", "objects"):
        reply = say(api, token)
        assert (reply.status, reply.body) == (500, NO_MESSAGE), token
        assert reply.headers["x-amzn-errortype"] == "AuthorizerConfigurationException"


def test_a_token_that_the_expression_doesnt_match_reaches_no_function(local_cloud, functions):
    counting = make_function(local_cloud, "rest-validated", TOKEN)
    api, _ = guarded(
        local_cloud, functions, arn=counting, identityValidationExpression="yes|Bearer [a-z]+"
    )
    assert say(api, "yesterday").status == 401
    assert invocations(local_cloud, "rest-validated") == 0
    assert say(api, "Bearer abc").status == 200


def test_answers_are_kept_and_judged_again(local_cloud, functions):
    counting = make_function(local_cloud, "rest-counted", TOKEN)
    api, _ = guarded(local_cloud, functions, arn=counting)
    assert [say(api, "yes", f"/dev/pets/{n}").status for n in (7, 8)] == [200, 200]
    assert say(api, "yes", "/dev/cats/7").status == 403, "the policy kept is about pets"
    assert say(api, "yes").json()["authorizer"]["integrationLatency"] == 0
    assert invocations(local_cloud, "rest-counted") == 1
    assert say(api, "other").status == 200
    assert invocations(local_cloud, "rest-counted") == 2
    assert [say(api, "raise").status for _ in range(2)] == [500, 500]
    assert invocations(local_cloud, "rest-counted") == 4, "an error is not kept"
    api.client.flush_stage_authorizers_cache(restApiId=api.id, stageName="dev")
    assert say(api, "yes").status == 200
    assert invocations(local_cloud, "rest-counted") == 5


def test_no_answers_are_kept(local_cloud, functions):
    counting = make_function(local_cloud, "rest-each-time", TOKEN)
    api, guard = guarded(local_cloud, functions, arn=counting)
    off = [{"op": "replace", "path": "/authorizerResultTtlInSeconds", "value": "0"}]
    api.client.update_authorizer(restApiId=api.id, authorizerId=guard, patchOperations=off)
    say(api, "yes"), say(api, "yes")
    assert invocations(local_cloud, "rest-each-time") == 1, "not deployed yet"
    api.deploy()
    say(api, "yes"), say(api, "yes")
    assert invocations(local_cloud, "rest-each-time") == 3


def test_a_request(local_cloud, functions):
    sources = "method.request.header.X-User, method.request.querystring.key, stageVariables.tenant"
    api, _ = guarded(local_cloud, functions, "REQUEST", identitySource=sources)
    assert api.call("/dev/pets/7?key=a").status == 401
    assert api.call("/dev/pets/7?key=", headers={"X-User": "me"}).status == 401
    reply = api.call("/dev/pets/7?key=a&key=b", headers={"X-User": "me"})
    event = json.loads(reply.json()["authorizer"]["event"])
    arn = f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/dev/GET/pets/7"
    assert (event["type"], event["methodArn"]) == ("REQUEST", arn)
    assert (event["resource"], event["path"], event["httpMethod"]) == (
        "/pets/{id}", "/pets/7", "GET",
    )  # fmt: skip
    assert event["headers"]["X-User"] == "me"
    assert event["multiValueQueryStringParameters"] == {"key": ["a", "b"]}
    assert (event["pathParameters"], event["stageVariables"]) == ({"id": "7"}, {"tenant": "one"})
    context = event["requestContext"]
    assert (context["resourcePath"], context["apiId"]) == ("/pets/{id}", api.id)
    assert "authorizer" not in context and "body" not in event and "version" not in event


def test_a_request_without_identity_sources(local_cloud, functions):
    counting = make_function(local_cloud, "rest-anybody", REQUEST)
    api, _ = guarded(local_cloud, functions, "REQUEST", counting, authorizerResultTtlInSeconds=0)
    event = json.loads(api.call("/dev/pets/7").json()["authorizer"]["event"])
    assert event["queryStringParameters"] == {}
    api.call("/dev/pets/7")
    assert invocations(local_cloud, "rest-anybody") == 2


def test_the_function_must_let_the_authorizer_in(local_cloud, functions):
    arn = deploy(local_cloud, "rest-closed", TOKEN)["FunctionArn"]
    api, guard = guarded(local_cloud, functions, arn=arn)
    reply = say(api, "yes")
    assert (reply.status, reply.body) == (500, NO_MESSAGE)
    source = f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/authorizers/{guard}"
    local_cloud.client("lambda").add_permission(
        FunctionName="rest-closed", StatementId="this", Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com", SourceArn=source,
    )  # fmt: skip
    assert say(api, "yes").status == 200


def test_gateway_responses_of_authorizers(local_cloud, functions):
    api, _ = guarded(local_cloud, functions)
    kinds = {
        "UNAUTHORIZED": 499, "ACCESS_DENIED": 404, "AUTHORIZER_CONFIGURATION_ERROR": 503,
    }  # fmt: skip
    for kind, status in kinds.items():
        api.client.put_gateway_response(
            restApiId=api.id, responseType=kind, statusCode=str(status),
            responseTemplates={"application/json": '{"kind":"$context.error.responseType"}'},
        )  # fmt: skip
    api.deploy()
    for word, kind in zip(("unauthorized", "deny", "raise"), kinds, strict=True):
        reply = say(api, word)
        assert (reply.status, reply.json()) == (kinds[kind], {"kind": kind})


def test_what_is_refused(local_cloud, functions):
    api = RestApi(local_cloud)
    create, uri = api.client.create_authorizer, invocation_uri(functions["token"])
    new = {"restApiId": api.id, "name": "guard"}
    token = {**new, "type": "TOKEN", "identitySource": "method.request.header.Authorization"}
    for wrong in (
        token,
        {**token, "authorizerUri": functions["token"]},
        {**token, "authorizerUri": uri, "authorizerResultTtlInSeconds": 3601},
        {**token, "authorizerUri": uri, "identitySource": "method.request.querystring.token"},
        {**token, "authorizerUri": uri, "identityValidationExpression": "["},
        {**new, "type": "TOKEN", "authorizerUri": uri},
        {**new, "type": "REQUEST", "authorizerUri": uri},
        {**new, "type": "REQUEST", "authorizerUri": uri, "identitySource": "cookie.x"},
        {**new, "type": "COGNITO_USER_POOLS", "identitySource": token["identitySource"]},
    ):
        assert refusal(create, **wrong)[0] == "BadRequestException", wrong
    assert api.client.get_authorizers(restApiId=api.id)["items"] == []
    method = {"restApiId": api.id, "resourceId": api.root, "httpMethod": "GET"}
    for kind in ("CUSTOM", "COGNITO_USER_POOLS"):
        assert refusal(api.client.put_method, **method, authorizationType=kind)[1] == (
            "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or "
            "COGNITO_USER_POOLS requires a valid authorizer."
        )
    guard = api.authorizer("TOKEN", functions["token"])
    api.mock("GET", "/pets", authorizationType="CUSTOM", authorizerId=guard)
    used = refusal(api.client.delete_authorizer, restApiId=api.id, authorizerId=guard)
    assert used[1] == "Cannot delete authorizer, is referenced in method: GET//pets"
    gone = api.client.delete_authorizer
    assert refusal(gone, restApiId=api.id, authorizerId="none")[2] == 404
