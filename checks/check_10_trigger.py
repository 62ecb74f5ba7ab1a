"""Stage 10: buckets, the permission for S3 to call a function, and the notification on raw/."""

import contextlib
import json

import pytest
from botocore.exceptions import ClientError

from labkit.grading import Unmet, expect

from .arrivals import Arrivals
from .busy_bucket import BusyBucket
from .elsewhere import FunctionElsewhere
from .notification_rules import functions_called
from .object_creation import CREATED, create_objects
from .renewal import renew
from .service_permission import ServicePermission
from .trigger_role import trigger_policy

BLOCKED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
# How long S3 may take with an event, and how often an upload is repeated: AWS takes a while to begin.
EVENT_S, TRIES = 15, 5
CONNECT = "connect(source_bucket, function_name)"


@pytest.fixture(scope="module")
def arrivals(deployment):
    queue = Arrivals(deployment, "calls")
    yield queue
    queue.remove()


@pytest.fixture(scope="module")
def recorder(arrivals):
    """The kit's own function, whose calls are seen in the queue."""
    return arrivals.recorder("recorder")


@pytest.fixture(scope="module")
def role(deployment, recorder):
    """The role of the function that runs the learner's file."""
    return deployment.role("trigger", trigger_policy(deployment, recorder))


@pytest.fixture(scope="module")
def files(workspace):
    return {"trigger.py": workspace.bytes("trigger.py")}


@pytest.fixture(scope="module")
def trigger(deployment, files, role):
    """The function that runs the learner's file."""
    return deployment.function(
        "trigger", files, handler="trigger.handler", role=role, memory=1769, timeout=25
    )


@pytest.fixture(scope="module")
def call(deployment, trigger):
    """Call the learner's file in the cloud."""

    def ask(words, **event):
        answer = deployment.invoke(trigger, event)
        answer.must_work(f"called {words}", "it to come to its end")
        return answer.payload

    return ask


@pytest.fixture(scope="module")
def pair(deployment):
    """A name for make_buckets, whose two buckets go away after the last check."""
    name, s3 = deployment.name("pair"), deployment.client("s3")
    yield name
    for bucket in (f"{name}-source", f"{name}-destination"):
        with contextlib.suppress(s3.exceptions.NoSuchBucket):
            s3.delete_bucket(Bucket=bucket)


@pytest.fixture(scope="module")
def buckets(call, pair):
    """What make_buckets returned."""
    return call("make_buckets(name)", make_buckets={"name": pair})


@pytest.fixture(scope="module")
def connected(deployment, call, recorder):
    """A bucket with a notification to the recorder that connect has made."""
    bucket = deployment.bucket("source")
    call(CONNECT, connect={"source_bucket": bucket, "function_name": recorder})
    return bucket


@pytest.fixture(scope="module")
def notifications(deployment):
    """The notification configuration of a bucket."""

    def read(bucket):
        found = deployment.client("s3").get_bucket_notification_configuration(Bucket=bucket)
        return {name: value for name, value in found.items() if name != "ResponseMetadata"}

    return read


@pytest.fixture(scope="module")
def permission(deployment, recorder):
    return ServicePermission(deployment, recorder, "s3.amazonaws.com")


@pytest.fixture(scope="module")
def busy_bucket(deployment, permission):
    """A bucket that already tells a function, a queue and EventBridge of other things."""
    busy = BusyBucket(deployment, permission.function_arn)
    yield busy.name
    busy.remove()


@pytest.fixture(scope="module")
def upload(deployment, arrivals, notifications):
    """Upload until the function has been called for the key; on AWS a notification may begin later."""

    def until_called(bucket, key):
        tried = f"uploaded {key}"
        expect(
            functions_called(notifications(bucket), "ObjectCreated:Put", key),
            tried=tried,
            expected="a notification that calls the function for it",
            seen="the bucket has none for this key",
        )
        for _ in range(TRIES):
            deployment.client("s3").put_object(Bucket=bucket, Key=key, Body=b"1")
            found = arrivals.until(bucket, [key], EVENT_S)
            if any(each[0] == bucket and each[2] == key for each in found):
                return found
        raise Unmet(tried=tried, expected="S3 to call the function", seen="it was not called")

    return until_called


@pytest.mark.check(points=1, section="3 · Two buckets")
def check_buckets_are_made(deployment, buckets, pair):
    """make_buckets creates NAME-source and NAME-destination in the caller's region."""
    wanted = {"source": f"{pair}-source", "destination": f"{pair}-destination"}
    tried = "called make_buckets(name)"
    seen = json.dumps(buckets)
    expect(buckets == wanted, tried=tried, expected=json.dumps(wanted), seen=seen)
    for bucket in wanted.values():
        _expect_region(deployment, bucket, deployment.region)


@pytest.mark.check(points=1, section="3 · Two buckets", timeout=60)
def check_buckets_elsewhere(deployment, files, role, buckets):
    """The same code makes buckets in another region, when it runs there."""
    there = FunctionElsewhere(deployment, "elsewhere", files, "trigger.handler", role)
    name, s3 = deployment.name("far"), deployment.client("s3")
    try:
        answer = there.invoke({"make_buckets": {"name": name}})
        expect(
            answer.error is None,
            tried=f"called make_buckets(name) in {there.region}",
            expected="it to come to its end",
            seen=answer.problem,
        )
        _expect_region(deployment, f"{name}-source", there.region)
    finally:
        there.remove()
        for bucket in (f"{name}-source", f"{name}-destination"):
            with contextlib.suppress(s3.exceptions.NoSuchBucket):
                s3.delete_bucket(Bucket=bucket)


def _expect_region(deployment, bucket, region):
    s3 = deployment.client("s3")
    try:
        place = s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] or "us-east-1"
    except s3.exceptions.NoSuchBucket:
        place = "no such bucket"
    expect(
        place == region,
        tried=f"called make_buckets(name) in {region} and asked where {bucket} is",
        expected=region,
        seen=place,
    )


@pytest.mark.check(points=2, section="4 · Closed to the public")
def check_buckets_are_closed(deployment, buckets, pair):
    """Both buckets block public access, by all four settings."""
    s3 = deployment.client("s3")
    for word in ("source", "destination"):
        bucket = f"{pair}-{word}"
        try:
            found = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        except ClientError as error:
            found = {}
            seen = error.response["Error"]["Code"]
        else:
            seen = "off: " + ", ".join(name for name in BLOCKED if not found.get(name))
        expect(
            all(found.get(name) for name in BLOCKED),
            tried=f"called make_buckets(name) and read the public access block of NAME-{word}",
            expected="all four settings on",
            seen=seen,
        )


@pytest.mark.check(points=2, section="6 · The notification")
def check_connects(connected, notifications, recorder):
    """connect gives the bucket a notification that names the function."""
    functions = [
        each["LambdaFunctionArn"].rpartition(":")[2]
        for each in notifications(connected).get("LambdaFunctionConfigurations", [])
    ]
    expect(
        functions == [recorder],
        tried=f"called {CONNECT} and read the bucket's notifications",
        expected="one notification, to the function",
        seen=f"notifications to {functions or 'nothing'}",
    )


@pytest.mark.check(points=3, section="7 · It fires", needs=("check_connects",), timeout=120)
def check_uploads_call(deployment, connected, notifications, arrivals):
    """Every object created below raw/ calls the function: uploads, copies and uploads by parts."""
    configuration = notifications(connected)
    for key, name in CREATED.items():
        expect(
            functions_called(configuration, name, key),
            tried=f"looked for s3:{name} of {key} in the bucket's notifications",
            expected="that the function is called",
            seen="no notification is for this kind of event and this key",
        )
    missing = dict(CREATED)
    for _ in range(TRIES):
        create_objects(deployment.client("s3"), connected)
        for place, name, key in arrivals.until(connected, missing, EVENT_S):
            if place == connected and missing.get(key) == name:
                del missing[key]
        if not missing:
            return
    kinds = ", ".join(f"{name} of {key}" for key, name in missing.items())
    raise Unmet(
        tried="created objects below raw/", expected="a call for each", seen=f"no call for {kinds}"
    )


@pytest.mark.check(
    points=2, section="8 · It does not fire", needs=("check_uploads_call",), timeout=120
)
def check_nothing_else_calls(deployment, connected, notifications, upload):
    """Objects outside raw/ and removals do not call the function."""
    s3 = deployment.client("s3")
    keys = ("other/a.jpg", "thumbnails/raw/a.jpg", "raw", "raw.jpg", "rawer/a.jpg", "a/raw/b.jpg")
    quiet = {key: "ObjectCreated:Put" for key in keys} | {"raw/gone.jpg": "ObjectRemoved:Delete"}
    configuration = notifications(connected)
    for key, name in quiet.items():
        expect(
            not functions_called(configuration, name, key),
            tried=f"looked for s3:{name} of {key} in the bucket's notifications",
            expected="that no function is called",
            seen="the function would be called",
        )
    upload(connected, "raw/gone.jpg")
    for key in keys:
        s3.put_object(Bucket=connected, Key=key, Body=b"1")
    s3.delete_object(Bucket=connected, Key="raw/gone.jpg")
    # Events come in any order: after two more that must come, the others had time enough.
    came = [*upload(connected, "raw/after.jpg"), *upload(connected, "raw/later.jpg")]
    for place, name, key in came:
        expect(
            place != connected or quiet.get(key) != name,
            tried="created objects outside raw/ and removed one below it",
            expected="no call",
            seen=f"a call for {name} of {key}",
        )


@pytest.mark.check(points=2, section="5 · The permission", needs=("check_connects",))
def check_permission_is_for_the_bucket(deployment, connected, permission):
    """Only the source bucket may call the function: another bucket of the account can't be connected."""
    other = deployment.bucket("source-other")
    own, others = permission.of_bucket(connected), permission.of_bucket(other)
    expect(
        own and not others,
        tried="asked IAM what the function's policy allows S3 to do",
        expected="calls for the source bucket, and for no other",
        seen="calls for another bucket are allowed" if own else "nothing is allowed",
    )
    target = {"LambdaFunctionArn": permission.function_arn, "Events": ["s3:ObjectCreated:*"]}
    try:
        deployment.client("s3").put_bucket_notification_configuration(
            Bucket=other, NotificationConfiguration={"LambdaFunctionConfigurations": [target]}
        )
    except ClientError:
        return
    raise Unmet(
        tried="gave another bucket of the account a notification to the function",
        expected="S3 to refuse it",
        seen="S3 accepted it: the permission does not name the source bucket as its SourceArn",
    )


@pytest.mark.check(points=2, section="5 · The permission", needs=("check_connects",))
def check_permission_is_for_the_account(connected, permission):
    """Only S3 may call the function, and only for a bucket of this account; and it may only call it."""
    tried = "asked IAM what the function's policy allows"
    expect(
        permission.of_bucket(connected),
        tried=tried,
        expected="calls of S3 for the source bucket",
        seen="nothing is allowed",
    )
    strangers = permission.other_principals()
    seen = f"it allows something to {', '.join(strangers)}"
    expect(not strangers, tried=tried, expected="calls of S3", seen=seen)
    expect(
        not permission.of_bucket(connected, account="111122223333"),
        tried=f"{tried} for a bucket of the same name in account 111122223333",
        expected="nothing",
        seen="calls are allowed: the permission has no SourceAccount",
    )
    for action in ("lambda:UpdateFunctionCode", "lambda:DeleteFunction", "lambda:GetFunction"):
        expect(
            not permission.of_bucket(connected, action=action),
            tried=tried,
            expected="lambda:InvokeFunction and nothing more",
            seen=f"{action} is allowed",
        )


@pytest.mark.check(points=2, section="9 · Once more", needs=("check_connects",))
def check_second_call_changes_nothing(
    deployment, trigger, call, connected, recorder, notifications, permission
):
    """connect may be called twice: nothing fails, and nothing is there twice."""
    words = f"{CONNECT} for the second time, in another execution environment"
    before = notifications(connected), len(permission.statements())
    renew(deployment, trigger)
    call(words, connect={"source_bucket": connected, "function_name": recorder})
    after = notifications(connected), len(permission.statements())
    expect(
        before[0] == after[0],
        tried=f"called {words}",
        expected="the same notifications as before",
        seen=json.dumps(after[0]),
    )
    expect(
        before[1] == after[1],
        tried=f"called {words}",
        expected=f"the function's policy to keep its {before[1]} statement(s)",
        seen=f"it has {after[1]}",
    )


@pytest.mark.check(points=1, section="9 · Once more", needs=("check_connects",), timeout=180)
def check_second_bucket(deployment, call, connected, recorder, upload, permission):
    """A second bucket can be connected to the same function, and the first one stays connected."""
    second = deployment.bucket("second")
    call(f"{CONNECT} for a second bucket", connect=_names(second, recorder))
    for words, bucket in (("second", second), ("first", connected)):
        expect(
            permission.of_bucket(bucket),
            tried=f"called {CONNECT} for a second bucket",
            expected="both buckets to be allowed to call the function",
            seen=f"the {words} bucket is not",
        )
        upload(bucket, f"raw/{words}.jpg")


def _names(bucket, function):
    return {"source_bucket": bucket, "function_name": function}


@pytest.mark.check(points=2, section="6 · The notification", needs=("check_connects",))
def check_other_notifications_stay(call, connected, recorder, notifications, busy_bucket):
    """Notifications that the bucket had before are still there afterwards, of whatever kind."""
    before = notifications(busy_bucket)
    call(f"{CONNECT} for a bucket with notifications", connect=_names(busy_bucket, recorder))
    after = notifications(busy_bucket)
    for kind, had in before.items():
        lost = [each["Id"] for each in had if each not in after.get(kind, [])] if had else []
        expect(
            kind in after and not lost,
            tried=f"called {CONNECT} for a bucket that has notifications already",
            expected=f"its {kind} to stay",
            seen=f"lost: {', '.join(lost) or kind}",
        )
    expect(
        functions_called(after, "ObjectCreated:Put", "raw/a.jpg"),
        tried=f"called {CONNECT} for a bucket that has notifications already",
        expected="one more notification, for raw/",
        seen="there is none for raw/",
    )
