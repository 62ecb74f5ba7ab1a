"""State that survives: everything comes back equal."""

import concurrent.futures
import functools
import json
import shutil
import threading

import pytest

from deployment import (
    BASIC_EXECUTION,
    TRUST,
    deploy,
    invoke,
    log_messages,
    make_role,
    policy_of,
    wait_for,
    zip_of,
)
from localcloud import LocalCloud, empty_state
from people import ACCOUNT, Person, client_of, refusal
from stacks import described, events

TEMPLATE = {
    "Resources": {
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": json.loads(TRUST)},
        },
    },
    "Outputs": {"Name": {"Value": {"Ref": "Bucket"}}},
}
BODY = bytes(range(256)) * 1200  # far above what is kept inline


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state"


@functools.cache
def session():
    """One for all clients: a session reads each service's model once."""
    return LocalCloud(port=0).session()


def client(cloud, service):
    return session().client(service, endpoint_url=cloud.endpoint_url)


def fill(cloud):
    """Make one of everything that a lesson makes."""
    s3, iam, functions = client(cloud, "s3"), client(cloud, "iam"), client(cloud, "lambda")
    s3.create_bucket(Bucket="pictures")
    s3.put_bucket_versioning(Bucket="pictures", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"small", BODY, BODY[::-1]):
        s3.put_object(Bucket="pictures", Key="a b/é.jpg", Body=body, Metadata={"by": "me"})
    s3.put_object(Bucket="pictures", Key="gone", Body=BODY)
    s3.delete_object(Bucket="pictures", Key="gone")
    upload = s3.create_multipart_upload(Bucket="pictures", Key="parts")["UploadId"]
    s3.upload_part(Bucket="pictures", Key="parts", UploadId=upload, PartNumber=1, Body=BODY)
    iam.create_user(UserName="ada")
    cloud.access_key = iam.create_access_key(UserName="ada")["AccessKey"]
    iam.attach_user_policy(UserName="ada", PolicyArn=BASIC_EXECUTION)
    layer = functions.publish_layer_version(
        LayerName="layer", Content={"ZipFile": zip_of({"python/number.py": f"N = 7\n#{BODY}"})}
    )
    role = make_role(cloud, "worker", {"Action": "s3:*", "Resource": "*"})
    source = "import number\ndef handler(event, context):\n    print('seen')\n    return number.N\n"
    deploy(cloud, "worker", source, role, Layers=[layer["LayerVersionArn"]])
    functions.publish_version(FunctionName="worker")
    functions.create_alias(FunctionName="worker", Name="live", FunctionVersion="1")
    functions.put_function_concurrency(FunctionName="worker", ReservedConcurrentExecutions=5)
    functions.add_permission(
        FunctionName="worker", StatementId="s3", Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::pictures",
    )  # fmt: skip
    s3.put_bucket_notification_configuration(
        Bucket="pictures",
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [
                {
                    "LambdaFunctionArn": functions.get_function(FunctionName="worker")[
                        "Configuration"
                    ]["FunctionArn"],
                    "Events": ["s3:ObjectCreated:*"],
                }
            ]
        },
    )
    assert invoke(cloud, "worker")[0] == 7
    log_messages(cloud, "/aws/lambda/worker", "REPORT")
    client(cloud, "cloudformation").create_stack(
        StackName="whole", TemplateBody=json.dumps(TEMPLATE), Capabilities=["CAPABILITY_IAM"]
    )
    queue = client(cloud, "sqs").create_queue(QueueName="letters")["QueueUrl"]
    client(cloud, "sqs").send_message(QueueUrl=queue, MessageBody="dear")
    client(cloud, "dynamodb").create_table(
        TableName="rows", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )  # fmt: skip
    client(cloud, "dynamodb").put_item(TableName="rows", Item={"id": {"S": "1"}})


def picture(cloud):
    """What boto3 says of all that `fill` has made: ids, times, etags, texts."""
    s3, iam, functions = client(cloud, "s3"), client(cloud, "iam"), client(cloud, "lambda")
    logs, stacks, sqs = (client(cloud, name) for name in ("logs", "cloudformation", "sqs"))
    versions = s3.list_object_versions(Bucket="pictures")
    seen = {
        "buckets": s3.list_buckets(),
        "versions": versions,
        "bodies": [
            s3.get_object(Bucket="pictures", Key=v["Key"], VersionId=v["VersionId"])["Body"].read()
            for v in versions["Versions"]
        ],
        "metadata": s3.head_object(Bucket="pictures", Key="a b/é.jpg"),
        "uploads": s3.list_multipart_uploads(Bucket="pictures"),
        "notification": s3.get_bucket_notification_configuration(Bucket="pictures"),
        "users": iam.list_users(),
        "keys": iam.list_access_keys(UserName="ada"),
        "roles": iam.list_roles(),
        "inline": iam.get_role_policy(RoleName="worker", PolicyName="inline"),
        "attached": iam.list_attached_role_policies(RoleName="worker"),
        "functions": functions.list_functions(FunctionVersion="ALL"),
        "function": functions.get_function(FunctionName="worker"),
        "policy": functions.get_policy(FunctionName="worker"),
        "alias": functions.get_alias(FunctionName="worker", Name="live"),
        "layers": functions.list_layers(),
        "groups": logs.describe_log_groups(),
        "streams": logs.describe_log_streams(logGroupName="/aws/lambda/worker"),
        "events": logs.filter_log_events(logGroupName="/aws/lambda/worker"),
        "stacks": stacks.describe_stacks(),
        "resources": stacks.describe_stack_resources(StackName="whole"),
        "stack events": stacks.describe_stack_events(StackName="whole"),
        "topics": client(cloud, "sns").list_topics(),
        "queue": sqs.get_queue_attributes(
            QueueUrl=sqs.get_queue_url(QueueName="letters")["QueueUrl"], AttributeNames=["All"]
        ),
        "table": client(cloud, "dynamodb").describe_table(TableName="rows"),
        "rows": client(cloud, "dynamodb").scan(TableName="rows"),
    }
    for answer in seen.values():
        if isinstance(answer, dict):
            answer.pop("ResponseMetadata", None)
            answer.pop("Body", None)
    return seen


@pytest.fixture
def restarted(folder):
    """A cloud that was filled, ended and started again; what it showed before; ada's key."""
    with LocalCloud(port=0, state=folder) as cloud:
        fill(cloud)
        before, key = picture(cloud), cloud.access_key
    with LocalCloud(port=0, state=folder) as cloud:
        yield cloud, before, key


def test_everything_comes_back_equal(restarted):
    cloud, before, _ = restarted
    after = picture(cloud)
    for name, answer in before.items():
        assert after[name] == answer, name


def test_the_keys_are_still_who_they_were(restarted):
    cloud, _, key = restarted
    session = cloud.session(
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    client = session.client("sts", endpoint_url=cloud.endpoint_url)
    assert client.get_caller_identity()["Arn"].endswith(":user/ada")
    with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
        session.client("s3", endpoint_url=cloud.endpoint_url).list_buckets()


def test_functions_versions_layers_and_notifications_work_on(restarted):
    cloud, before, _ = restarted
    assert invoke(cloud, "worker")[0] == 7
    assert invoke(cloud, "worker:live")[0] == 7
    cloud.client("s3").put_object(Bucket="pictures", Key="new", Body=b"x")
    wait_for(lambda: [e for e in cloud.record.entries() if e["type"] == "delivery"])
    events = cloud.client("logs").filter_log_events(logGroupName="/aws/lambda/worker")["events"]
    ids = [event["eventId"] for event in events]
    assert len(ids) == len(set(ids)) > len(before["events"]["events"])


def test_a_restored_stack_still_owns_its_resources(restarted):
    cloud, before, _ = restarted
    names = {
        r["LogicalResourceId"]: r["PhysicalResourceId"]
        for r in before["resources"]["StackResources"]
    }
    cloud.client("s3").put_bucket_tagging(
        Bucket=names["Bucket"], Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}
    )
    changed = json.loads(json.dumps(TEMPLATE))
    changed["Resources"]["Role"]["Properties"]["Description"] = "changed"
    stacks, iam = cloud.client("cloudformation"), cloud.client("iam")
    stacks.update_stack(
        StackName="whole", TemplateBody=json.dumps(changed), Capabilities=["CAPABILITY_IAM"]
    )
    assert iam.get_role(RoleName=names["Role"])["Role"]["Description"] == "changed"
    stacks.delete_stack(StackName="whole")
    assert names["Bucket"] not in [b["Name"] for b in cloud.client("s3").list_buckets()["Buckets"]]
    assert cloud.client("sns").list_topics()["Topics"] == []


def restart(folder):
    """A cloud on the folder of one that has ended."""
    return LocalCloud(port=0, state=folder)


def test_what_was_not_asked_for_survives_a_second_restart(folder):
    with LocalCloud(port=0, state=folder) as cloud:
        fill(cloud)
        before = picture(cloud)
    with restart(folder) as cloud:  # nobody asks for stacks, queues or bodies
        cloud.client("s3").create_bucket(Bucket="another")
    with restart(folder) as cloud:
        assert "another" in [b["Name"] for b in cloud.client("s3").list_buckets()["Buckets"]]
        cloud.client("s3").delete_bucket(Bucket="another")
        assert picture(cloud) == before
    with restart(folder) as cloud:  # a service of the second part is used before CloudFormation
        cloud.client("sns").create_topic(Name="new")
    with restart(folder) as cloud:
        assert len(cloud.client("sns").list_topics()["Topics"]) == 2
        assert cloud.client("cloudformation").describe_stacks()["Stacks"]


def test_services_beside_an_unread_second_part(folder):
    with LocalCloud(port=0, state=folder) as cloud:
        cloud.client("sns").create_topic(Name="first")
    with restart(folder) as cloud:
        cloud.client("sqs").create_queue(QueueName="second")
    with restart(folder) as cloud:
        assert cloud.client("sns").list_topics()["Topics"]
        assert cloud.client("sqs").list_queues()["QueueUrls"]


def test_what_was_deleted_leaves_no_files(folder):
    with LocalCloud(port=0, state=folder) as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="mine")
        for number in range(3):
            s3.put_object(Bucket="mine", Key="same", Body=BODY + bytes([number]))
        s3.put_object(Bucket="mine", Key="copy", Body=BODY + bytes([2]))
        wait_for(lambda: cloud.status()["state_written"])
        s3.put_object(Bucket="mine", Key="more", Body=b"")  # another snapshot
    assert len(list((folder / "objects").iterdir())) == 1
    with restart(folder) as cloud:
        s3 = cloud.client("s3")
        for key in ("same", "copy", "more"):
            s3.delete_object(Bucket="mine", Key=key)
        wait_for(lambda: cloud.status()["state_written"])
        s3.delete_bucket(Bucket="mine")
    assert not list((folder / "objects").iterdir())
    assert not (folder / "run").exists()


def test_empty_state(folder):
    with LocalCloud(port=0, state=folder) as cloud:
        fill(cloud)
    empty_state(folder)
    with restart(folder) as cloud:
        assert cloud.client("s3").list_buckets()["Buckets"] == []
        assert cloud.client("cloudformation").describe_stacks()["Stacks"] == []
        assert cloud.client("logs").describe_log_groups()["logGroups"] == []
    shutil.rmtree(folder)
    empty_state(folder)  # nothing to do


def test_without_a_folder_nothing_is_kept():
    with LocalCloud(port=0) as cloud:
        cloud.client("s3").create_bucket(Bucket="mine")
        assert cloud.status()["state_written"] is None
    with LocalCloud(port=0) as cloud:
        assert cloud.client("s3").list_buckets()["Buckets"] == []


def test_requests_go_on_while_the_state_is_written(folder):
    def put(number):
        s3.put_object(Bucket="busy", Key=f"{number}", Body=BODY + str(number).encode())

    with LocalCloud(port=0, state=folder) as cloud:
        s3 = cloud.client("s3")
        s3.create_bucket(Bucket="busy")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(put, range(150)))
    with restart(folder) as cloud:
        s3 = cloud.client("s3")
        keys = [item["Key"] for item in s3.list_objects_v2(Bucket="busy")["Contents"]]
        assert sorted(keys, key=int) == [str(number) for number in range(150)]
        body = s3.get_object(Bucket="busy", Key="77")["Body"].read()
        assert body == BODY + b"77"


def test_events_that_wait_are_not_lost(folder):
    source = """
        def handler(event, context):
            if not event.get("again"):
                print("tried", event["number"], context.aws_request_id)
                raise ValueError("not yet")
    """
    with LocalCloud(port=0, state=folder) as cloud:
        deploy(cloud, "later", source)
        cloud.client("lambda").invoke(
            FunctionName="later", InvocationType="Event", Payload=b'{"number": 7}'
        )
        (before,) = [m for m in log_messages(cloud, "/aws/lambda/later", "REPORT") if "tried" in m]
        # It waits now for its second try, in a minute.
    with restart(folder) as cloud:

        def tries():
            texts = log_messages(cloud, "/aws/lambda/later", "tried 7")
            return [text for text in texts if "tried" in text]

        wait_for(lambda: len(tries()) == 2)
        assert set(tries()) == {before}, "the same request id"


def test_events_that_are_done_do_not_come_again(folder):
    with LocalCloud(port=0, state=folder) as cloud:
        deploy(cloud, "once", "def handler(event, context): print('done')\n")
        cloud.client("lambda").invoke(FunctionName="once", InvocationType="Event", Payload=b"{}")
        log_messages(cloud, "/aws/lambda/once", "REPORT")
        wait_for(lambda: cloud.status()["state_written"])
    with restart(folder) as cloud:
        assert invoke(cloud, "once")[1] is None
        starts = [e for e in cloud.record.entries() if e["type"] == "invoke.start"]
        assert len(starts) == 1


def test_a_restored_event_source_is_polled(folder):
    with LocalCloud(port=0, state=folder) as cloud:
        sqs = client(cloud, "sqs")
        url = sqs.create_queue(QueueName="letters")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
        role = make_role(cloud, "reader", {"Action": "sqs:*", "Resource": "*"})
        deploy(cloud, "reader", "def handler(event, context): print('read')\n", role)
        client(cloud, "lambda").create_event_source_mapping(
            FunctionName="reader", EventSourceArn=arn["QueueArn"]
        )
    with restart(folder) as cloud:
        sqs = client(cloud, "sqs")
        url = sqs.get_queue_url(QueueName="letters")["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody="dear")
        log_messages(cloud, "/aws/lambda/reader", "read")


def test_who_may_what_survives_a_restart(folder):
    with LocalCloud(port=0, state=folder) as cloud:
        edge = policy_of({"Action": ["s3:*", "sts:*"], "Resource": "*"})
        iam = cloud.client("iam")
        arn = iam.create_policy(PolicyName="edge", PolicyDocument=edge)["Policy"]["Arn"]
        dora = Person(cloud, "dora", {"Action": "*", "Resource": "*"})
        iam.put_user_permissions_boundary(UserName="dora", PermissionsBoundary=arn)
        session = dora.client("sts").get_session_token()["Credentials"]
        allowing = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/dora"}, "Action": "sqs:*",
                    "Resource": "*"}  # fmt: skip
        cloud.client("sqs").create_queue(
            QueueName="jobs", Attributes={"Policy": policy_of(allowing)}
        )
    with LocalCloud(port=0, state=folder) as cloud:
        for keys in (dora.key, session):
            assert client_of(cloud, "s3", keys).list_buckets()
            sqs = client_of(cloud, "sqs", keys)
            url = f"{cloud.endpoint_url}/{ACCOUNT}/jobs"
            assert sqs.send_message(QueueUrl=url, MessageBody="m")
            assert refusal(sqs.list_queues)[1].endswith(
                "because no permissions boundary allows the sqs:ListQueues action"
            )


PROVIDER = """
import json, urllib.request
def handler(event, context):
    if event["RequestType"] == "Update":
        return
    names = ("StackId", "RequestId", "LogicalResourceId")
    answer = {"Status": "SUCCESS", "PhysicalResourceId": "thing", **{n: event[n] for n in names}}
    request = urllib.request.Request(
        event["ResponseURL"], json.dumps(answer).encode(), {"content-type": ""}, method="PUT")
    urllib.request.urlopen(request)
"""


def test_a_stack_whose_update_was_cut_off_can_be_deleted(folder, monkeypatch):
    from localcloud.control_plane import stack_deployment

    with LocalCloud(port=0, state=folder) as cloud:
        arn = deploy(cloud, "provider", PROVIDER, make_role(cloud, "provider"))["FunctionArn"]

        def template(size):
            thing = {"Type": "Custom::Thing", "Properties": {"ServiceToken": arn, "Size": size}}
            return json.dumps({"Resources": {"Thing": thing}})

        cfn = client(cloud, "cloudformation")
        stack_id = cfn.create_stack(StackName="cut", TemplateBody=template(1))["StackId"]
        wait_for(lambda: described(cfn, stack_id)["StackStatus"] == "CREATE_COMPLETE")
        monkeypatch.setattr(stack_deployment, "_PATIENCE_S", 0.0)
        cfn.update_stack(StackName="cut", TemplateBody=template(2))
        wait_for(lambda: ("Thing", "UPDATE_IN_PROGRESS", "") in events(cfn, stack_id))
    with LocalCloud(port=0, state=folder) as cloud:
        cfn = client(cloud, "cloudformation")
        assert described(cfn, stack_id)["StackStatus"] == "UPDATE_IN_PROGRESS"
        cfn.delete_stack(StackName="cut")
        wait_for(lambda: described(cfn, stack_id)["StackStatus"] == "DELETE_COMPLETE")


def test_what_a_stack_does_behind_its_request_is_written(folder, tmp_path, monkeypatch):
    from localcloud.control_plane import stack_deployment, stack_operations

    go_on, create_resource = threading.Event(), stack_operations._create_resource

    def held(*arguments):
        go_on.wait(60)
        create_resource(*arguments)

    def written():
        """What the folder holds, once nothing is left to write."""
        wait_for(lambda: cloud.status()["state_written"])
        return {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}

    monkeypatch.setattr(stack_deployment, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(stack_operations, "_create_resource", held)
    with LocalCloud(port=0, state=folder) as cloud:
        stacks = cloud.client("cloudformation")
        queue = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
        stacks.create_stack(StackName="slow", TemplateBody=queue)
        earlier = written()
        assert described(stacks, "slow")["StackStatus"] == "CREATE_IN_PROGRESS"
        go_on.set()
        wait_for(lambda: described(stacks, "slow")["StackStatus"] == "CREATE_COMPLETE")
        wait_for(lambda: written() != earlier)
        shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns("lock"))
    with restart(tmp_path / "copy") as cloud:
        stacks = cloud.client("cloudformation")
        assert described(stacks, "slow")["StackStatus"] == "CREATE_COMPLETE"
        (url,) = cloud.client("sqs").list_queues()["QueueUrls"]
