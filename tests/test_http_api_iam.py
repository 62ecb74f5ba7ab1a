"""Routes with AWS_IAM: signed requests and execute-api:Invoke."""

import pytest

from http_apis import HttpApi, make_function
from http_apis import call_signed as call
from people import Person

FORBIDDEN = b'{"message":"Forbidden"}'


@pytest.fixture(scope="module")
def api(local_cloud):
    api = HttpApi(local_cloud, stage="dev")
    integration = api.integrate(make_function(local_cloud, "echo"))
    api.route("ANY /pets/{id}", integration, AuthorizationType="AWS_IAM")
    source = "import json\ndef handler(event, context):\n"
    source += "    return {'statusCode': 200, 'body': json.dumps(event)}\n"
    old = make_function(local_cloud, "old", source)
    api.route("GET /old", api.integrate(old, "1.0"), AuthorizationType="AWS_IAM")
    return api


def test_nobody_gets_in_unsigned(api):
    reply = api.call("/dev/pets/7")
    assert (reply.status, reply.body) == (403, FORBIDDEN)


def test_the_administrator(api):
    event = call(api, "/dev/pets/7", ("test", "test")).json()
    assert event["requestContext"]["authorizer"]["iam"]["userArn"].endswith(":root")


def test_a_user_needs_the_permission(local_cloud, api):
    person = Person(local_cloud, "caller")
    keys = (person.key["AccessKeyId"], person.key["SecretAccessKey"])
    assert call(api, "/dev/pets/7", keys).body == FORBIDDEN
    arn = f"arn:aws:execute-api:us-east-1:000000000000:{api.id}"
    person.may({"Action": "execute-api:Invoke", "Resource": f"{arn}/dev/GET/pets/7"})
    reply = call(api, "/dev/pets/7?x=1", keys)
    assert reply.status == 200
    iam = reply.json()["requestContext"]["authorizer"]["iam"]
    assert iam["userArn"] == "arn:aws:iam::000000000000:user/caller"
    assert iam["accessKey"] == keys[0] and iam["cognitoIdentity"] is None
    assert call(api, "/dev/pets/8", keys).status == 403
    assert call(api, "/dev/pets/7", keys, "PUT", b"data").status == 403
    assert call(api, "/dev/pets/7", keys, secret="wrong").status == 403
    person.may({"Action": "execute-api:Invoke", "Resource": f"{arn}/*"})
    assert call(api, "/dev/pets/8", keys, "PUT", b"data").json()["body"]
    identity = call(api, "/dev/old", keys).json()["requestContext"]["identity"]
    assert identity["userArn"] == iam["userArn"] and identity["accessKey"] == keys[0]
