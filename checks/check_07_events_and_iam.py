"""Stage 07: the uploads that an event tells of, and a role that may do what is needed and no more."""

import copy
import json
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from labkit.grading import Unmet, expect

from . import role_questions as ask
from .arrivals import Arrivals
from .role_probe import RoleProbe

EVENTS = Path(__file__).parent / "events"
POLICY = "role-policy.json"
PLACEHOLDERS = (
    "${SourceBucket}, ${DestinationBucket}, ${LogGroup}, ${Region}, ${Account}, ${Partition}"
)


def event(name):
    """A real-shaped event from checks/events."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def event_of(*uploads, kind="put"):
    """An event with one record for each of the uploads (as events.py returns them)."""
    [pattern] = event(kind)["Records"]
    records = []
    for upload in uploads:
        record = copy.deepcopy(pattern)
        bucket, item = record["s3"]["bucket"], record["s3"]["object"]
        bucket["name"], bucket["arn"] = upload["bucket"], f"arn:aws:s3:::{upload['bucket']}"
        # S3 leaves slashes as they are, and writes a blank as +.
        item["key"], item["size"] = quote_plus(upload["key"], safe="/"), upload["size"]
        if upload["version_id"]:
            item["versionId"] = upload["version_id"]
        records.append(record)
    return {"Records": records}


def some_upload(rng, key=None, **given):
    """An upload by chance."""
    return {
        "bucket": f"album-{rng.randrange(10**6)}",
        "key": key or f"raw/{rng.randrange(10**6)}.jpg",
        "size": rng.randrange(1, 10**7),
        "version_id": None,
    } | given


@pytest.fixture(scope="module")
def arrivals(deployment):
    queue = Arrivals(deployment, "answers")
    yield queue
    queue.remove()


@pytest.fixture(scope="module")
def function(deployment, workspace, arrivals):
    files = {"events.py": workspace.bytes("events.py")}
    role = deployment.role("events", arrivals.policy)
    return deployment.function("events", files, handler="events.handler", role=role)


@pytest.fixture(scope="module")
def answers(deployment, function):
    """The learner's function, once it has answered the plainest of events in whatever way."""
    answer = deployment.invoke(function, event("put"))
    if answer.error:
        raise Unmet(
            tried="invoked events.handler with the event of one upload (put.json)",
            expected="an answer",
            seen=answer.problem,
            log=answer.log,
        )
    return function


@pytest.fixture
def uploads_of(deployment, answers):
    """Invoke the learner's function with an event and compare what it returns."""

    def compare(sent, wanted, words):
        answer = deployment.invoke(answers, sent)
        shown = answer.problem or json.dumps(answer.payload, ensure_ascii=False)
        expect(
            answer.error is None and answer.payload == wanted,
            tried=f"invoked events.handler with {words}",
            expected=json.dumps(wanted, ensure_ascii=False),
            seen=shown,
            log=answer.log if answer.error else (),
        )

    return compare


@pytest.mark.check(points=1, section="5 · What a record holds")
def check_one_upload(uploads_of, rng):
    """An event of one upload gives a list of one dict with bucket, key, size and version_id."""
    upload = some_upload(rng)
    uploads_of(event_of(upload), [upload], "the event of one upload (put.json)")


@pytest.mark.check(points=1, section="4 · Four ways to create an object")
def check_kinds_of_upload(uploads_of, rng):
    """An object counts as created in all four ways: Put, Post, Copy and CompleteMultipartUpload."""
    for kind in ("put", "post", "copy", "multipart"):
        upload = some_upload(rng)
        uploads_of(event_of(upload, kind=kind), [upload], f"the event {kind}.json")


@pytest.mark.check(points=2, section="5 · What a record holds")
def check_several_records(uploads_of, rng):
    """An event with several records gives all uploads, in the order of the records."""
    uploads = [some_upload(rng) for _ in range(rng.randrange(3, 6))]
    uploads.append(uploads[0])
    sent = {"Records": [event_of(upload)["Records"][0] for upload in uploads]}
    uploads_of(sent, uploads, "one event of several records, the last like the first")


@pytest.mark.check(points=2, section="6 · Not every record is an upload")
def check_other_records(uploads_of, rng):
    """Removals and changes of tags are left out, and the uploads beside them are kept."""
    for name in ("delete", "delete-marker", "tagging"):
        upload = some_upload(rng)
        sent = {"Records": event(name)["Records"] + event_of(upload)["Records"]}
        uploads_of(sent, [upload], f"the record of {name}.json and the record of an upload")
        uploads_of(event(name), [], f"the event {name}.json alone")


@pytest.mark.check(points=2, section="7 · Not every event is S3's")
def check_other_events(uploads_of, rng):
    """Events that are not S3's, S3's test event and an event without records give an empty list."""
    upload = some_upload(rng)
    uploads_of(event_of(upload), [upload], "the event of one upload (put.json)")
    for name in ("test", "sqs", "sns", "schedule"):
        uploads_of(event(name), [], f"the event {name}.json")
    uploads_of({}, [], "an empty event, {}")
    uploads_of({"Records": []}, [], "an event with an empty list of records")


@pytest.mark.check(points=2, section="8 · Keys are encoded")
def check_keys(uploads_of, rng):
    """A key is given as it is in the bucket: blanks, +, %, accents, slashes and all."""
    number = rng.randrange(10**6)
    names = {
        "blanks": f"raw/my photo {number}.jpg",
        "a plus": f"raw/1+1={number}.jpg",
        "a percent sign": f"raw/100%25 of {number}%.jpg",
        "accents": f"raw/été à Žilina {number}.jpg",
        "an emoji": f"raw/{number} 🏔.png",
        "slashes and signs": f"raw/2026/11/a&b=c?d#{number}/e.jpg",
    }
    for words, key in names.items():
        upload = some_upload(rng, key)
        uploads_of(event_of(upload), [upload], f"the event of a key with {words}")


@pytest.mark.check(points=1, section="5 · What a record holds")
def check_size_and_version(uploads_of, rng):
    """An empty object has size 0, and an object in a bucket with versions has its version's id."""
    empty = some_upload(rng, size=0)
    uploads_of(event_of(empty), [empty], "the event of an empty object")
    kept = some_upload(rng, version_id=f"{rng.randrange(16**20):020x}")
    uploads_of(event_of(kept), [kept], "the event of an upload to a bucket that keeps versions")


@pytest.mark.check(points=1, section="3 · Your first event", timeout=120)
def check_real_upload(deployment, answers, arrivals, rng):
    """S3 calls the function for a real upload, and it returns that upload."""
    arrivals.watch(answers)
    s3, bucket = deployment.client("s3"), deployment.bucket("album")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    permission = deployment.client("lambda").add_permission(
        FunctionName=answers, StatementId="album", Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com", SourceAccount=deployment.account,
        SourceArn=f"arn:{deployment.partition}:s3:::{bucket}",
    )  # fmt: skip
    target = {
        "LambdaFunctionArn": json.loads(permission["Statement"])["Resource"],
        "Events": ["s3:ObjectCreated:*"],
    }
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [target]}
    )
    key = f"raw/été {rng.randrange(10**6)} +1.jpg"
    versions = []
    for _ in range(6):
        # A new notification may take a while to be in force on AWS: upload again until one comes.
        versions.append(s3.put_object(Bucket=bucket, Key=key, Body=b"12345")["VersionId"])
        if came := arrivals.take(15):
            break
    else:
        raise Unmet(tried="uploaded an object", expected="S3 to call your function", seen="no call")
    answer = came[0]["responsePayload"]
    wanted = [
        [{"bucket": bucket, "key": key, "size": 5, "version_id": version}] for version in versions
    ]
    expect(
        answer in wanted,
        tried="uploaded an object whose key has accents, blanks and a plus to a bucket with versions",
        expected=json.dumps(wanted[0], ensure_ascii=False),
        seen=json.dumps(answer, ensure_ascii=False),
    )


@pytest.fixture(scope="module")
def places(deployment):
    """Three buckets with objects in them, and the log groups of the function and of another one."""
    logs = deployment.client("logs")
    made = ask.Places(
        source=deployment.bucket("source"),
        destination=deployment.bucket("destination"),
        other=deployment.bucket("source-other"),
        group=f"/aws/lambda/{deployment.name('role')}",
        deployment=deployment,
    )
    for bucket in (made.source, made.destination, made.other):
        for key in ("raw/a/b c.jpg", "thumbnails/a/b c.jpg", "private/a.jpg", "rawest.jpg"):
            deployment.client("s3").put_object(Bucket=bucket, Key=key, Body=b"1")
    for group in (made.group, made.other_group):
        logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=made.other_group, logStreamName="theirs")
    yield made
    # The function's own group goes with the function.
    logs.delete_log_group(logGroupName=made.other_group)


@pytest.fixture(scope="module")
def role(deployment, workspace, places):
    """A role with the learner's policy, and a function under it."""
    text = deployment.fill(
        workspace.text(POLICY),
        SourceBucket=places.source,
        DestinationBucket=places.destination,
        LogGroup=places.group,
    )
    unknown = ask.unfilled(text)
    expect(
        not unknown,
        tried=f"filled in the placeholders of {POLICY}",
        expected=f"no others than {PLACEHOLDERS}",
        seen=f"there is {unknown}",
    )
    return RoleProbe(deployment, "role", workspace.json(POLICY, text), POLICY)


@pytest.mark.check(points=1, section="12 · The policy's first line: read")
def check_role_reads_uploads(role, places):
    """The role may read every object below raw/ in the source bucket."""
    role.may(places.get("raw/a/b c.jpg", "an object below raw/ of the source bucket"))


@pytest.mark.check(points=1, section="13 · Write, and log")
def check_role_writes_thumbnails(role, places):
    """The role may write every object below thumbnails/ in the destination bucket."""
    role.may(places.put("thumbnails/new é.jpg", "an object below thumbnails/ of the destination"))


@pytest.mark.check(points=1, section="13 · Write, and log")
def check_role_writes_logs(role, places):
    """The role may make log streams in the function's log group and write log events to them."""
    role.may(*places.log(places.group, "stream", "the function's log group"))


@pytest.mark.check(
    points=2, section="14 · Nothing more", needs=("check_role_reads_uploads",), timeout=60
)
def check_role_leaves_the_source_alone(role, places):
    """In the source bucket the role may not list, write or delete, nor read outside raw/."""
    role.may_not(places.source_calls(), places.source_questions())


@pytest.mark.check(
    points=1, section="14 · Nothing more", needs=("check_role_writes_thumbnails",), timeout=60
)
def check_role_only_adds_thumbnails(role, places):
    """In the destination bucket the role may not read, list or delete, nor write elsewhere."""
    role.may_not(places.destination_calls(), places.destination_questions())


@pytest.mark.check(
    points=1, section="14 · Nothing more", needs=("check_role_writes_logs",), timeout=60
)
def check_role_leaves_other_logs_alone(role, places):
    """The role may not read or delete logs, nor write to the log group of another function."""
    role.may_not(
        places.log(places.other_group, "theirs", "the log group of another function"),
        places.log_questions(),
    )


@pytest.mark.check(
    points=1,
    section="14 · Nothing more",
    needs=("check_role_reads_uploads", "check_role_writes_thumbnails", "check_role_writes_logs"),
    timeout=60,
)
def check_role_may_nothing_else(role, places):
    """The role may do nothing in other buckets and with other services."""
    role.may_not(places.other_calls(), places.other_questions())
