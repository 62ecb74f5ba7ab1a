"""REST APIs: resource policies, alone and with each kind of authorization; private APIs."""

import json

import pytest

from deployment import policy_of
from http_apis import call_signed, invocations, make_function, request
from people import Person, refusal
from rest_apis import RestApi

HERE = {"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}
ELSEWHERE = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
AUTHORIZER = """
    def handler(event, context):
        effect = {"allow": "Allow", "deny": "Deny"}.get(event["authorizationToken"])
        statement = {"Effect": effect or "Allow", "Action": "execute-api:Invoke",
                     "Resource": event["methodArn"] if effect else "arn:aws:execute-api:x"}
        return {"principalId": "somebody",
                "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
"""


def statement(effect="Allow", principal="*", resource="execute-api:/*", **more):
    return {
        "Effect": effect, "Principal": principal, "Action": "execute-api:Invoke",
        "Resource": resource, **more,
    }  # fmt: skip


def set_policy(api, *statements):
    """Change the policy, and deploy."""
    change = {"op": "replace", "path": "/policy", "value": json.dumps(document(*statements))}
    api.client.update_rest_api(restApiId=api.id, patchOperations=[change])
    api.deploy()


def document(*statements):
    return json.loads(policy_of(*statements))


def message(api, path="/dev/pets", who="anonymous", ending=""):
    return {
        "Message": f"User: {who} is not authorized to perform: execute-api:Invoke on resource: "
        f"arn:aws:execute-api:us-east-1:********0000:{api.id}{path.replace('/dev', '/dev/GET')}"
        + ending
    }


@pytest.fixture
def api(local_cloud):
    api = RestApi(local_cloud)
    api.mock("GET", "/pets")
    api.mock("GET", "/cats")
    api.deploy()
    return api


def test_a_policy_alone_must_allow(api):
    set_policy(api, statement(Condition=HERE))
    assert api.call("/dev/pets").status == 200
    set_policy(api, statement(Condition=ELSEWHERE))
    reply = api.call("/dev/pets")
    assert (reply.status, reply.json()) == (403, message(api))
    assert reply.headers["x-amzn-errortype"] == "AccessDeniedException"
    set_policy(api, statement(), statement("Deny", Condition=HERE))
    assert api.call("/dev/pets").json() == message(api, ending=" with an explicit deny")
    set_policy(api, statement(), statement("Deny", Condition={"NotIpAddress": HERE["IpAddress"]}))
    assert api.call("/dev/pets").status == 200


def test_a_policy_speaks_of_stages_methods_and_paths(api):
    set_policy(api, statement(resource=["execute-api:/dev/GET/pets", "execute-api:/dev/POST/*"]))
    assert (api.call("/dev/pets").status, api.call("/dev/cats").status) == (200, 403)
    arn = f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/dev/*/cats"
    set_policy(api, statement(resource=arn))
    assert (api.call("/dev/pets").status, api.call("/dev/cats").status) == (403, 200)


def test_a_policy_is_live_when_it_is_deployed(api):
    change = {"op": "replace", "path": "/policy", "value": policy_of(statement("Deny"))}
    api.client.update_rest_api(restApiId=api.id, patchOperations=[change])
    assert api.call("/dev/pets").status == 200
    api.deploy()
    assert api.call("/dev/pets").status == 403


@pytest.mark.parametrize(
    ("identity", "resource", "outcome"),
    [
        ("Allow", "Allow", "allow"),
        ("Allow", None, "allow"),
        ("Allow", "Deny", "explicit"),
        (None, "Allow", "allow"),
        (None, None, "implicit"),
        (None, "Deny", "explicit"),
        ("Deny", "Allow", "explicit"),
        ("Deny", None, "explicit"),
        ("Deny", "Deny", "explicit"),
    ],
)
def test_iam_and_a_policy(signed, identity, resource, outcome):
    """Table A of "How API Gateway resource policies affect authorization workflow"."""
    api, person, keys = signed
    everything = {"Action": "execute-api:Invoke", "Resource": "*"}
    person.may({**everything, "Effect": identity} if identity else {**everything, "Action": "s3:*"})
    where = HERE if resource else ELSEWHERE
    set_policy(api, statement(resource or "Allow", Condition=where))
    reply = call_signed(api, "/dev/pets", keys)
    if outcome == "allow":
        assert reply.status == 200
    else:
        ending = " with an explicit deny" if outcome == "explicit" else ""
        who = f"arn:aws:iam::000000000000:user/{person.name}"
        assert (reply.status, reply.json()) == (403, message(api, who=who, ending=ending))
    assert api.call("/dev/pets").json() == {"message": "Missing Authentication Token"}


@pytest.fixture(scope="module")
def signed(local_cloud):
    api = RestApi(local_cloud)
    api.mock("GET", "/pets", authorizationType="AWS_IAM")
    person = Person(local_cloud, "signing")
    return api, person, (person.key["AccessKeyId"], person.key["SecretAccessKey"])


def test_a_policy_names_principals(signed):
    api, person, keys = signed
    person.may({"Action": "s3:*", "Resource": "*"})
    arn = f"arn:aws:iam::000000000000:user/{person.name}"
    set_policy(api, statement(principal={"AWS": arn}))
    assert call_signed(api, "/dev/pets", keys).status == 200
    set_policy(api, statement(principal={"AWS": arn + "-other"}))
    assert call_signed(api, "/dev/pets", keys).status == 403
    set_policy(api, statement(), statement("Deny"))
    assert call_signed(api, "/dev/pets", ("test", "test")).status == 403, "the administrator too"


@pytest.mark.parametrize(
    ("token", "resource", "status", "ending"),
    [
        ("allow", "Allow", 200, None),
        ("allow", None, 200, None),
        ("silent", "Allow", 200, None),
        ("silent", None, 403, ""),
        ("deny", "Allow", 403, " with an explicit deny"),
        ("allow", "Deny", 403, None),
    ],
)
def test_a_lambda_authorizer_and_a_policy(guarded, local_cloud, token, resource, status, ending):
    api = guarded
    before = invocations(local_cloud, "policies")
    set_policy(api, statement(resource or "Allow", Condition=HERE if resource else ELSEWHERE))
    reply = api.call("/dev/pets", headers={"Authorization": token})
    assert reply.status == status
    if resource == "Deny":
        assert reply.json() == message(api, ending=" with an explicit deny")
        assert invocations(local_cloud, "policies") == before, (
            "refused before the authorizer is asked"
        )
    elif status == 403:
        words = "User is not authorized to access this resource"
        assert reply.json() == {"Message": words + ending}


@pytest.fixture(scope="module")
def guarded(local_cloud):
    api = RestApi(local_cloud)
    arn = make_function(local_cloud, "policies", AUTHORIZER)
    guard = api.authorizer("TOKEN", arn, authorizerResultTtlInSeconds=0)
    api.mock("GET", "/pets", authorizationType="CUSTOM", authorizerId=guard)
    return api


def test_a_private_api(local_cloud):
    endpoint = {"types": ["PRIVATE"]}
    api = RestApi(local_cloud, endpointConfiguration=endpoint)
    api.mock("GET", "/pets")
    assert refusal(api.client.create_deployment, restApiId=api.id, stageName="dev")[1] == (
        "Private REST API doesn't have a resource policy attached to it"
    )
    through = {"StringEquals": {"aws:SourceVpce": "vpce-0a1b2c3d"}}
    set_policy(api, statement(Condition=through))
    reply = api.call("/dev/pets")
    assert (reply.status, reply.json()) == (403, {"message": "Forbidden"})
    for name, status in (("vpce-0a1b2c3d", 200), ("vpce-0f0f0f0f", 403)):
        host = f"{api.id}-{name}.execute-api.us-east-1.amazonaws.com"
        assert request(local_cloud, host, "/dev/pets").status == status


def test_what_is_refused(local_cloud, api):
    said = (
        "Invalid policy document. Please check the policy syntax and ensure that Principals are "
        "valid."
    )
    client = api.client
    assert refusal(client.create_rest_api, name="bad", policy="{")[1] == said
    change = {"op": "replace", "path": "/policy", "value": '{"Statement": [{"Effect": "Maybe"}]}'}
    assert refusal(client.update_rest_api, restApiId=api.id, patchOperations=[change])[1] == said
