"""AWS services behind a REST API, reached with the integration's role."""

import json
import urllib.request

import pytest

from deployment import policy_of
from rest_apis import RestApi

TYPE = {"Content-Type": "application/json"}
FORM = {"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"}


def role(cloud, name, *statements, service="apigateway.amazonaws.com"):
    """A role that a service may assume."""
    iam = cloud.client("iam")
    principal = {"Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy_of(principal))
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy_of(*statements))
    return made["Role"]["Arn"]


@pytest.fixture(scope="module")
def queue(local_cloud):
    return local_cloud.client("sqs").create_queue(QueueName="orders")["QueueUrl"]


@pytest.fixture(scope="module")
def sender(local_cloud):
    resource = "arn:aws:sqs:us-east-1:000000000000:orders"
    return role(local_cloud, "sender", {"Action": "sqs:SendMessage", "Resource": resource})


@pytest.fixture
def api(local_cloud):
    return RestApi(local_cloud)


def service(api, method, path, uri, credentials, asks="POST", **options):
    settings = {"uri": f"arn:aws:apigateway:us-east-1:{uri}", "integrationHttpMethod": asks}
    if credentials:
        settings["credentials"] = credentials
    return api.method(method, path, "AWS", **settings, **options)


def received(cloud, queue):
    found = cloud.client("sqs").receive_message(QueueUrl=queue).get("Messages", [])
    for each in found:
        cloud.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"])
    return [each["Body"] for each in found]


def test_sqs_by_its_path(api, local_cloud, queue, sender):
    template = "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"
    place = service(
        api, "POST", "/orders", "sqs:path/000000000000/orders", sender,
        requestParameters=FORM, requestTemplates={"application/json": template},
    )  # fmt: skip
    answer = '{"id": $input.json("$.SendMessageResponse.SendMessageResult.MessageId")}'
    api.answer(place, 202, responseTemplates={"application/json": answer})
    api.deploy()
    body = b'{"pet": "B & o"}'
    reply = api.call("/dev/orders", "POST", body, TYPE)
    assert reply.status == 202 and len(reply.json()["id"]) == 36
    assert received(local_cloud, queue) == [body.decode()]


def test_sqs_by_its_action(api, local_cloud, queue, sender):
    mapped = {
        "integration.request.querystring.MessageBody": "method.request.querystring.text",
        "integration.request.querystring.QueueUrl": f"'{queue}'",
    }
    place = service(
        api, "GET", "/orders", "sqs:action/SendMessage", sender, requestParameters=mapped
    )
    api.answer(place)
    api.deploy()
    assert "SendMessageResponse" in api.call("/dev/orders?text=by%20action").json()
    assert received(local_cloud, queue) == ["by action"]


def test_a_role_that_may_not(api, local_cloud, queue, sender):
    template = {"application/json": "Action=PurgeQueue"}
    place = service(
        api, "POST", "/orders", "sqs:path/000000000000/orders", sender,
        requestParameters=FORM, requestTemplates=template,
    )  # fmt: skip
    api.answer(place, 200)
    api.answer(place, 403, selectionPattern="403")
    lambdas = role(
        local_cloud, "lambdas", {"Action": "sqs:*", "Resource": "*"}, service="lambda.amazonaws.com"
    )
    untrusting = service(
        api, "GET", "/orders", "sqs:path/000000000000/orders", lambdas, requestTemplates=template
    )
    api.answer(untrusting)
    api.deploy()
    reply = api.call("/dev/orders", "POST", b"{}", TYPE)
    assert (reply.status, reply.json()["Error"]["Code"]) == (403, "AccessDenied")
    assert api.call("/dev/orders").json() == {"message": "Internal server error"}


def test_s3_objects(api, local_cloud):
    s3 = local_cloud.client("s3")
    s3.create_bucket(Bucket="pictures")
    resource = "arn:aws:s3:::pictures/*"
    keeper = role(
        local_cloud, "keeper", {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": resource}
    )
    mapped = {"integration.request.path.key": "method.request.path.key"}
    typed = {"integration.request.header.Content-Type": "method.request.header.Content-Type"}
    put = service(
        api, "PUT", "/{key}", "s3:path/pictures/{key}", keeper, "PUT",
        requestParameters={**mapped, **typed},
    )  # fmt: skip
    api.answer(put, 200, headers={"ETag": "integration.response.header.ETag"})
    get = service(
        api, "GET", "/{key}", "s3:path/pictures/{key}", keeper, "GET", requestParameters=mapped
    )
    api.answer(get, 200, headers={"Content-Type": "integration.response.header.Content-Type"})
    api.answer(get, 404, selectionPattern="404")
    api.client.update_rest_api(
        restApiId=api.id, patchOperations=[{"op": "add", "path": "/binaryMediaTypes/image~1png"}]
    )
    api.deploy()
    picture = b"\x89PNG\x00\xff"
    reply = api.call("/dev/a%20b.png", "PUT", picture, {"Content-Type": "image/png"})
    assert reply.status == 200 and reply.headers["etag"]
    assert s3.get_object(Bucket="pictures", Key="a b.png")["Body"].read() == picture
    reply = api.call("/dev/a%20b.png", headers={"Accept": "image/png"})
    assert (reply.headers["content-type"], reply.body) == ("image/png", picture)


def test_dynamodb(api, local_cloud):
    client = local_cloud.client("dynamodb")
    client.create_table(
        TableName="pets", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )  # fmt: skip
    table = "arn:aws:dynamodb:us-east-1:000000000000:table/pets"
    actions = ["dynamodb:PutItem", "dynamodb:GetItem"]
    writer = role(local_cloud, "writer", {"Action": actions, "Resource": table})
    template = '{"TableName": "pets", "Item": {"id": {"S": $input.json("$.id")}, "n": {"N": "4"}}}'
    put = service(
        api, "POST", "/pets", "dynamodb:action/PutItem", writer,
        requestTemplates={"application/json": template},
    )  # fmt: skip
    api.answer(put, 201)
    template = '{"TableName": "pets", "Key": {"id": {"S": "$input.params(\'id\')"}}}'
    get = service(
        api, "GET", "/pets/{id}", "dynamodb:action/GetItem", writer,
        requestTemplates={"application/json": template},
    )  # fmt: skip
    item = '{"id": $input.json("$.Item.id.S"), "n": $input.path("$.Item.n.N")}'
    api.answer(get, 200, responseTemplates={"application/json": item})
    api.deploy()
    assert api.call("/dev/pets", "POST", b'{"id": "x7"}', TYPE).status == 201
    assert api.call("/dev/pets/x7").json() == {"id": "x7", "n": 4}


def test_sns(api, local_cloud):
    sns, sqs = local_cloud.client("sns"), local_cloud.client("sqs")
    topic = sns.create_topic(Name="news")["TopicArn"]
    url = sqs.create_queue(QueueName="news")["QueueUrl"]
    queue = "arn:aws:sqs:us-east-1:000000000000:news"
    allowed = {"Action": "sqs:SendMessage", "Resource": queue, "Principal": "*"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy_of(allowed)})
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"}
    )
    publisher = role(local_cloud, "publisher", {"Action": "sns:Publish", "Resource": topic})
    mapped = {
        "integration.request.querystring.TopicArn": f"'{topic}'",
        "integration.request.querystring.Message": "method.request.body",
    }
    place = service(
        api, "POST", "/news", "sns:action/Publish", publisher, requestParameters=mapped,
        requestTemplates={"application/json": ""},
    )  # fmt: skip
    api.answer(place)
    api.deploy()
    reply = api.call("/dev/news", "POST", b'{"hot": true}', TYPE)
    assert reply.json()["PublishResponse"]["PublishResult"]["MessageId"]
    assert json.loads(received(local_cloud, url)[0]) == {"hot": True}


def test_without_a_role_nobody_has_signed(api, queue):
    template = {"application/json": "Action=SendMessage&MessageBody=x"}
    place = service(
        api, "POST", "/orders", "sqs:path/000000000000/orders", None,
        requestParameters=FORM, requestTemplates=template,
    )  # fmt: skip
    api.answer(place, 200)
    api.answer(place, 403, selectionPattern="403")
    api.deploy()
    assert api.call("/dev/orders", "POST", b"{}", TYPE).status == 403


def test_in_a_cloud_that_was_emptied_a_role_may_no_more_than_before(local_cloud):
    """The last test here: nothing is left of what the others share."""
    for _ in range(2):
        api, powerless = RestApi(local_cloud), {"Action": "sqs:GetQueueUrl", "Resource": "*"}
        credentials = role(local_cloud, "powerless", powerless)
        place = service(api, "GET", "/all", "s3:path//", credentials, asks="GET")
        api.answer(place, 200)
        api.answer(place, 403, selectionPattern="403")
        api.deploy()
        assert api.call("/dev/all").status == 403
        resources = f"{local_cloud.endpoint_url}/_localcloud/resources"
        urllib.request.urlopen(urllib.request.Request(resources, method="DELETE"))
