"""S3's events to queues, topics and EventBridge, and what the records of every kind hold."""

import json
import urllib.request

import pytest
from botocore.exceptions import ClientError

from deployment import deploy, log_messages, policy_of, wait_for
from people import ACCOUNT, Person

BUCKET = "arn:aws:s3:::photos"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:events"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:news"
HERE = {"Bucket": "photos"}
S3 = {"Service": "s3.amazonaws.com"}
FOR_BUCKET = {
    "ArnLike": {"aws:SourceArn": BUCKET},
    "StringEquals": {"aws:SourceAccount": ACCOUNT},
}


class Queue:
    """A queue, read until it has what is asked for."""

    def __init__(self, cloud, name: str, *statements: dict):
        self.sqs = cloud.client("sqs")
        attributes = {"Policy": policy_of(*statements)} if statements else {}
        made = self.sqs.create_queue(QueueName=name, Attributes=attributes)
        self.url = made["QueueUrl"]

    def bodies(self, count: int) -> list[dict]:
        """The next messages."""
        found: list[dict] = []

        def all_there():
            answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            return len(found) >= count

        wait_for(all_there)
        return found

    def records(self, count: int) -> list[dict]:
        """The next records, in the order in which S3 made them."""
        found = [body["Records"][0] for body in self.bodies(count)]
        return sorted(found, key=lambda each: each["s3"]["object"].get("sequencer", ""))


@pytest.fixture(scope="module")
def cloud(local_cloud):
    local_cloud.client("s3").create_bucket(**HERE)
    return local_cloud


@pytest.fixture(scope="module")
def s3(cloud):
    return cloud.client("s3")


@pytest.fixture(scope="module")
def queue(cloud, s3):
    """A queue that gets every event of the bucket; the test event has been read."""
    sending = {"Principal": S3, "Action": "sqs:SendMessage", "Resource": QUEUE,
               "Condition": FOR_BUCKET}  # fmt: skip
    made = Queue(cloud, "events", sending)
    answer = notify(s3, QueueConfigurations=[{"Id": "all", "QueueArn": QUEUE, "Events": EVENTS}])
    [test] = made.bodies(1)
    assert test == {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": test["Time"],
        "Bucket": "photos",
        "RequestId": answer["x-amz-request-id"],
        "HostId": answer["x-amz-id-2"],
    }
    return made


EVENTS = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*", "s3:ObjectAcl:Put"]


def notify(s3, **configuration) -> dict:
    """Set the bucket's notifications; the headers of the answer."""
    answer = s3.put_bucket_notification_configuration(
        **HERE, NotificationConfiguration=configuration
    )
    return answer["ResponseMetadata"]["HTTPHeaders"]


def test_the_configuration_is_given_back(s3, queue):
    kept = s3.get_bucket_notification_configuration(**HERE)
    assert kept["QueueConfigurations"] == [{"Id": "all", "QueueArn": QUEUE, "Events": EVENTS}]


def test_who_what_and_the_ids_of_the_answer(cloud, queue):
    ana = Person(cloud, "ana", {"Action": "s3:*", "Resource": "*"})
    user = ana.iam.get_user(UserName="ana")["User"]["UserId"]
    answer = ana.client("s3").put_object(**HERE, Key="ä b+c/d.jpg", Body=b"12345")
    [record] = queue.records(1)
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert record["responseElements"] == {
        "x-amz-request-id": headers["x-amz-request-id"],
        "x-amz-id-2": headers["x-amz-id-2"],
    }
    assert answer["ResponseMetadata"]["RequestId"] == headers["x-amz-request-id"]
    assert record["userIdentity"] == {"principalId": f"AWS:{user}"}
    assert record["requestParameters"] == {"sourceIPAddress": "127.0.0.1"}
    assert record["s3"]["object"]["key"] == "%C3%A4+b%2Bc/d.jpg"
    assert record["s3"]["object"]["eTag"] == answer["ETag"].strip('"')


def test_a_session_is_named_with_its_role(cloud, s3, queue):
    trust = policy_of(
        {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    )
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="uploader", AssumeRolePolicyDocument=trust)["Role"]
    iam.put_role_policy(
        RoleName="uploader", PolicyName="p",
        PolicyDocument=policy_of({"Action": "s3:*", "Resource": "*"}),
    )  # fmt: skip
    made = cloud.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="night")
    keys = made["Credentials"]
    session = cloud.session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    session.client("s3", endpoint_url=cloud.endpoint_url).put_object(**HERE, Key="k")
    [record] = queue.records(1)
    assert record["userIdentity"]["principalId"] == f"AWS:{role['RoleId']}:night"


def names(records) -> list[tuple[str, str]]:
    return [(each["eventName"], each["s3"]["object"]["key"]) for each in records]


def test_each_request_has_the_events_of_aws_and_no_others(s3, queue):
    s3.put_object(**HERE, Key="put", Body=b"x", Tagging="a=b", ACL="private")
    s3.copy_object(
        **HERE, Key="copied", CopySource={**HERE, "Key": "put"}, Tagging="c=d",
        TaggingDirective="REPLACE",
    )  # fmt: skip
    upload = s3.create_multipart_upload(**HERE, Key="parts", Tagging="a=b")["UploadId"]
    part = s3.upload_part(**HERE, Key="parts", UploadId=upload, PartNumber=1, Body=b"x")
    s3.complete_multipart_upload(
        **HERE, Key="parts", UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )  # fmt: skip
    s3.put_object_tagging(**HERE, Key="put", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    s3.delete_object_tagging(**HERE, Key="put")
    s3.put_object_acl(**HERE, Key="put", ACL="public-read")
    s3.delete_objects(**HERE, Delete={"Objects": [{"Key": "put"}, {"Key": "copied"}]})
    s3.delete_object(**HERE, Key="parts")
    records = queue.records(9)
    assert sorted(names(records)) == sorted(
        [
            ("ObjectCreated:Put", "put"),
            ("ObjectCreated:Copy", "copied"),
            ("ObjectCreated:CompleteMultipartUpload", "parts"),
            ("ObjectTagging:Put", "put"),
            ("ObjectTagging:Delete", "put"),
            ("ObjectAcl:Put", "put"),
            ("ObjectRemoved:Delete", "put"),
            ("ObjectRemoved:Delete", "copied"),
            ("ObjectRemoved:Delete", "parts"),
        ]
    )
    by_name = {each["eventName"]: each for each in records}
    assert by_name["ObjectCreated:Put"]["eventVersion"] == "2.1"
    assert by_name["ObjectTagging:Put"]["eventVersion"] == "2.3"
    acl = by_name["ObjectAcl:Put"]
    assert (acl["eventVersion"], set(acl["s3"]["object"])) == ("2.3", {"key", "eTag"})
    assert set(by_name["ObjectRemoved:Delete"]["s3"]["object"]) == {"key", "sequencer"}


def test_a_browser_s_upload(cloud, s3, queue):
    post = s3.generate_presigned_post("photos", "from a form.txt")
    body = "".join(
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {**post["fields"], "file": "text"}.items()
    )
    request = urllib.request.Request(
        f"{cloud.endpoint_url}/photos", f"{body}--B--\r\n".encode(),
        {"Content-Type": "multipart/form-data; boundary=B"},
    )  # fmt: skip
    with urllib.request.urlopen(request) as answer:
        request_id = answer.headers["x-amz-request-id"]
    [record] = queue.records(1)
    assert names([record]) == [("ObjectCreated:Post", "from+a+form.txt")]
    assert record["responseElements"]["x-amz-request-id"] == request_id


def test_versions_that_are_removed(s3, queue):
    s3.put_bucket_versioning(**HERE, VersioningConfiguration={"Status": "Enabled"})
    versions = [s3.put_object(**HERE, Key="v", Body=b"x")["VersionId"] for _ in range(2)]
    marker = s3.delete_object(**HERE, Key="v")["VersionId"]
    for version in versions:
        s3.delete_object(**HERE, Key="v", VersionId=version)
    s3.put_bucket_versioning(**HERE, VersioningConfiguration={"Status": "Suspended"})
    records = queue.records(5)
    assert [(each["eventName"], each["s3"]["object"]["versionId"]) for each in records] == [
        ("ObjectCreated:Put", versions[0]),
        ("ObjectCreated:Put", versions[1]),
        ("ObjectRemoved:DeleteMarkerCreated", marker),
        ("ObjectRemoved:Delete", versions[0]),
        ("ObjectRemoved:Delete", versions[1]),
    ]


def refusal(s3, **configuration) -> dict:
    with pytest.raises(ClientError) as caught:
        notify(s3, **configuration)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return caught.value.response["Error"]


@pytest.mark.parametrize(
    "statements",
    [
        [],
        [{"Principal": S3, "Action": "sqs:SendMessage", "Resource": "*",
          "Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::other"}}}],
        [{"Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
          "Resource": "*"}],
        [{"Principal": S3, "Action": "sqs:SendMessage", "Resource": "*"},
         {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*"}],
    ],
)  # fmt: skip
def test_a_queue_that_s3_may_not_write_to(cloud, s3, statements, request):
    name = request.node.name.partition("[")[2].strip("]")
    Queue(cloud, name, *statements)
    arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
    error = refusal(s3, QueueConfigurations=[{"QueueArn": arn, "Events": EVENTS}])
    assert error["Message"] == "Unable to validate the following destination configurations"
    assert error["ArgumentName1"] == f"{arn}, null"
    assert error["ArgumentValue1"] == (
        "Permissions on the destination queue do not allow S3 to publish notifications from "
        "this bucket"
    )


@pytest.mark.parametrize(("kind", "arn"), [("Queue", QUEUE), ("Topic", TOPIC)])
def test_a_destination_that_is_not_there(s3, kind, arn):
    error = refusal(s3, **{f"{kind}Configurations": [{f"{kind}Arn": f"{arn}x", "Events": EVENTS}]})
    assert error["ArgumentValue1"] == f"The destination {kind.lower()} does not exist"


def test_filters_that_are_refused(s3, queue):
    for rules, message in (
        ([("prefix", "a"), ("Prefix", "b")],
         "Cannot specify more than one prefix rule in a filter."),
        ([("infix", "a")], "filter rule name must be either prefix or suffix"),
    ):  # fmt: skip
        filters = [{"Name": name, "Value": value} for name, value in rules]
        error = refusal(
            s3,
            QueueConfigurations=[
                {"QueueArn": QUEUE, "Events": EVENTS, "Filter": {"Key": {"FilterRules": filters}}}
            ],
        )
        assert (error["Code"], error["Message"]) == ("InvalidArgument", message)


def test_a_topic_passes_the_event_on(cloud, s3):
    sns = cloud.client("sns")
    sns.create_topic(Name="news")
    configuration = {"TopicConfigurations": [{"TopicArn": TOPIC, "Events": EVENTS}]}
    assert "destination topic do not allow" in refusal(s3, **configuration)["ArgumentValue1"]
    publishing = {"Principal": S3, "Action": "sns:Publish", "Resource": TOPIC,
                  "Condition": FOR_BUCKET}  # fmt: skip
    sns.set_topic_attributes(
        TopicArn=TOPIC, AttributeName="Policy", AttributeValue=policy_of(publishing)
    )
    reader = Queue(cloud, "news")
    sns.subscribe(TopicArn=TOPIC, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:news")
    notify(s3, **configuration)
    s3.put_object(**HERE, Key="headline", Body=b"x")
    messages = reader.bodies(2)
    assert {each["Subject"] for each in messages} == {"Amazon S3 Notification"}
    texts = [json.loads(each["Message"]) for each in messages]
    [event] = [each for each in texts if "Records" in each]
    assert event["Records"][0]["s3"]["object"]["key"] == "headline"


def test_eventbridge_has_a_form_of_its_own(cloud, s3):
    deploy(cloud, "listen", "import json\ndef handler(event, context): print(json.dumps(event))")
    events, functions = cloud.client("events"), cloud.client("lambda")
    rule = events.put_rule(Name="photos", EventPattern=json.dumps({"source": ["aws.s3"]}))
    arn = functions.get_function(FunctionName="listen")["Configuration"]["FunctionArn"]
    functions.add_permission(
        FunctionName="listen", StatementId="rule", Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com", SourceArn=rule["RuleArn"],
    )  # fmt: skip
    events.put_targets(Rule="photos", Targets=[{"Id": "1", "Arn": arn}])
    notify(s3, EventBridgeConfiguration={})
    assert "EventBridgeConfiguration" in s3.get_bucket_notification_configuration(**HERE)
    answer = s3.put_object(**HERE, Key="a b", Body=b"12345")
    lines = log_messages(cloud, "/aws/lambda/listen", "aws.s3")
    event = json.loads(next(line for line in lines if "aws.s3" in line))
    assert event["detail-type"] == "Object Created"
    assert event["resources"] == [BUCKET]
    detail = event["detail"]
    assert detail.pop("request-id") == answer["ResponseMetadata"]["RequestId"]
    assert detail["object"].pop("sequencer")
    assert detail == {
        "version": "0",
        "bucket": {"name": "photos"},
        "object": {"key": "a b", "size": 5, "etag": answer["ETag"].strip('"')},
        "requester": ACCOUNT,
        "source-ip-address": "127.0.0.1",
        "reason": "PutObject",
    }
