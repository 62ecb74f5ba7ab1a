"""SNS → Lambda: delivered asynchronously, with the complete event, where the topic may invoke."""

import json

from deployment import deploy, make_role, wait_for

PRINT = """
    import json
    def handler(event, context):
        print(json.dumps(event))
"""


def subscribe(cloud, topic, name, permission=True, **attributes):
    sns, client = cloud.client("sns"), cloud.client("lambda")
    arn = client.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    if permission:
        client.add_permission(
            FunctionName=name, StatementId="sns", Action="lambda:InvokeFunction",
            Principal="sns.amazonaws.com", SourceArn=topic,
        )  # fmt: skip
    return sns.subscribe(
        TopicArn=topic, Protocol="lambda", Endpoint=arn, Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]  # fmt: skip


def entries(cloud, kind, name):
    return [entry for entry in cloud.record.entries(function=name) if entry["type"] == kind]


def printed(cloud, name):
    logs = cloud.client("logs")

    def events():
        try:
            found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return None
        return [json.loads(e["message"]) for e in found if e["message"].startswith("{")]

    return wait_for(events)


def test_the_event(local_cloud):
    sns = local_cloud.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    deploy(local_cloud, "reader", PRINT)
    subscription = subscribe(local_cloud, topic, "reader")
    sent = sns.publish(
        TopicArn=topic, Subject="Hello", Message="world",
        MessageAttributes={"n": {"DataType": "Number", "StringValue": "1"}},
    )  # fmt: skip
    [record] = printed(local_cloud, "reader")[0]["Records"]
    content = record.pop("Sns")
    assert record == {
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription,
    }
    for made_up in ("Signature", "SigningCertUrl", "UnsubscribeUrl", "Timestamp"):
        assert content.pop(made_up)
    assert content == {
        "Type": "Notification",
        "MessageId": sent["MessageId"],
        "TopicArn": topic,
        "Subject": "Hello",
        "Message": "world",
        "SignatureVersion": "1",
        "MessageAttributes": {"n": {"Type": "Number", "Value": "1"}},
    }
    assert [entry["source"] for entry in entries(local_cloud, "delivery", "reader")] == ["sns"]


def test_publish_does_not_wait_and_filters(local_cloud):
    sns = local_cloud.client("sns")
    topic = sns.create_topic(Name="slow-news")["TopicArn"]
    deploy(local_cloud, "slow", "import time\ndef handler(e, c): time.sleep(3)\n")
    subscribe(local_cloud, topic, "slow", FilterPolicy=json.dumps({"kind": ["wanted"]}))
    for kind in ("unwanted", "wanted"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        sns.publish(TopicArn=topic, Message="m", MessageAttributes=attributes)
    assert not entries(local_cloud, "invoke.end", "slow")
    wait_for(lambda: entries(local_cloud, "invoke.start", "slow"))
    assert len(entries(local_cloud, "async.queued", "slow")) == 1


def test_without_permission_nothing_is_delivered(local_cloud):
    sns = local_cloud.client("sns")
    topic = sns.create_topic(Name="closed-news")["TopicArn"]
    deploy(local_cloud, "stranger", PRINT)
    deploy(local_cloud, "friend", PRINT)
    subscribe(local_cloud, topic, "stranger", permission=False)
    subscribe(local_cloud, topic, "friend")
    sns.publish(TopicArn=topic, Message="m")
    wait_for(lambda: entries(local_cloud, "async.queued", "friend"))
    assert not entries(local_cloud, "async.queued", "stranger")


def test_a_loop_through_a_topic_is_stopped(local_cloud):
    sns = local_cloud.client("sns")
    topic = sns.create_topic(Name="echo")["TopicArn"]
    source = f"""
        import boto3
        sns = boto3.client("sns")
        def handler(event, context):
            sns.publish(TopicArn="{topic}", Message="again")
    """
    role = make_role(local_cloud, "echo-role", {"Action": "sns:Publish", "Resource": "*"})
    deploy(local_cloud, "echo", source, role=role, MemorySize=1769)
    subscribe(local_cloud, topic, "echo")
    sns.publish(TopicArn=topic, Message="first")
    wait_for(lambda: entries(local_cloud, "recursion", "echo"), seconds=60)
    assert len(entries(local_cloud, "invoke.start", "echo")) == 16
