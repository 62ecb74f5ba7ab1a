"""S3 notifications: which configurations S3 takes, and the events that leave for Lambda."""

import functools
import re
from urllib.parse import unquote_plus

import pytest
from botocore.exceptions import ClientError

from deployment import TRUST, zip_of
from localcloud.control_plane import buckets
from localcloud.control_plane.bucket_events import next_sequencer
from localcloud.identity import may_service

ACCOUNT = "000000000000"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:resize"
BUCKET = "photos"
CREATED = ["s3:ObjectCreated:*"]


@pytest.fixture(scope="module")
def cloud(local_cloud):
    """A function that gives boto3 clients of a running cloud, each made once."""
    return functools.cache(local_cloud.client)


@pytest.fixture
def events(cloud):
    """The events that left for Lambda: (function ARN, event)."""
    seen = []
    buckets.install(may_service, lambda arn, event: seen.append((arn, event)))
    return seen


@pytest.fixture(scope="module")
def role(cloud):
    made = cloud("iam").create_role(RoleName="resize", AssumeRolePolicyDocument=TRUST)
    return made["Role"]["Arn"]


@pytest.fixture
def function(cloud, role):
    """The function `resize`, which S3 may not invoke yet."""
    functions = cloud("lambda")
    functions.create_function(
        FunctionName="resize",
        Runtime="python3.13",
        Handler="app.handler",
        Role=role,
        Code={"ZipFile": zip_of({"app.py": "def handler(event, context): pass"})},
    )
    yield functions
    functions.delete_function(FunctionName="resize")


@pytest.fixture
def allowed(function):
    function.add_permission(
        FunctionName="resize",
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{BUCKET}",
        SourceAccount=ACCOUNT,
    )


@pytest.fixture
def s3(cloud):
    """A client; the bucket is made before and emptied and deleted after."""
    client = cloud("s3")
    client.create_bucket(Bucket=BUCKET)
    yield client
    put(client)
    versions = client.list_object_versions(Bucket=BUCKET)
    for item in versions.get("Versions", []) + versions.get("DeleteMarkers", []):
        client.delete_object(Bucket=BUCKET, Key=item["Key"], VersionId=item["VersionId"])
    client.delete_bucket(Bucket=BUCKET)


def notification(prefix=None, suffix=None, events=CREATED, arn=FUNCTION, **more):
    rules = [
        {"Name": name, "Value": value}
        for name, value in (("prefix", prefix), ("suffix", suffix))
        if value is not None
    ]
    made = {"LambdaFunctionArn": arn, "Events": events, **more}
    if rules:
        made["Filter"] = {"Key": {"FilterRules": rules}}
    return made


def put(s3, *notifications, **options):
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={"LambdaFunctionConfigurations": list(notifications)},
        **options,
    )


def refusal(s3, *notifications, **options):
    with pytest.raises(ClientError) as caught:
        put(s3, *notifications, **options)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"]["Code"] == "InvalidArgument"
    return response["Error"]


def test_configuration_is_given_back(s3, allowed):
    put(s3, notification("raw/", ".jpg", Id="resize"))
    [kept] = s3.get_bucket_notification_configuration(Bucket=BUCKET)["LambdaFunctionConfigurations"]
    assert kept == {
        "Id": "resize",
        "LambdaFunctionArn": FUNCTION,
        "Events": CREATED,
        "Filter": {
            "Key": {
                "FilterRules": [
                    {"Name": "Prefix", "Value": "raw/"},
                    {"Name": "Suffix", "Value": ".jpg"},
                ]
            }
        },
    }


def test_configuration_replaces_the_one_before(s3, allowed):
    put(s3, notification("raw/"))
    put(s3, notification("other/"))
    kept = s3.get_bucket_notification_configuration(Bucket=BUCKET)["LambdaFunctionConfigurations"]
    assert len(kept) == 1
    put(s3)
    assert "LambdaFunctionConfigurations" not in s3.get_bucket_notification_configuration(
        Bucket=BUCKET
    )


@pytest.mark.parametrize("permission", ["function without permission", "no such function"])
def test_destination_that_s3_may_not_invoke_is_refused(s3, request, permission):
    if permission == "function without permission":
        request.getfixturevalue("function")
    error = refusal(s3, notification("raw/"))
    assert error["Message"] == "Unable to validate the following destination configurations"
    assert error["ArgumentName1"] == f"{FUNCTION}, null"
    assert error["ArgumentValue1"] == f"Not authorized to invoke function [{FUNCTION}]"


def test_skipping_the_validation_takes_an_unknown_function(s3):
    put(s3, notification("raw/"), SkipDestinationValidation=True)
    kept = s3.get_bucket_notification_configuration(Bucket=BUCKET)
    assert kept["LambdaFunctionConfigurations"][0]["LambdaFunctionArn"] == FUNCTION


@pytest.mark.parametrize("skip", [False, True])
def test_arn_that_is_none_is_refused(s3, skip):
    error = refusal(s3, notification(arn="resize"), SkipDestinationValidation=skip)
    assert error["Message"] == "The ARN could not be parsed"
    assert (error["ArgumentName"], error["ArgumentValue"]) == ("CloudFunction", "resize")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({"prefix": "raw/"}, {"prefix": "raw/jpg/"}),
        ({"prefix": "raw/"}, {"suffix": ".jpg"}),
        ({"suffix": ".jpg"}, {"suffix": "t.jpg", "events": ["s3:ObjectCreated:Put"]}),
    ],
)
def test_overlap_is_refused(s3, allowed, first, second):
    error = refusal(s3, notification(**first), notification(**second))
    assert error["Message"] == (
        "Configurations overlap. "
        "Configurations on the same bucket cannot share a common event type."
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"prefix": "raw/"}, {"prefix": "done/"}),
        ({"suffix": ".jpg"}, {"suffix": ".png"}),
        ({"prefix": "raw/", "suffix": ".jpg"}, {"prefix": "raw/", "suffix": ".png"}),
        ({}, {"events": ["s3:ObjectRemoved:*"]}),
        ({"events": ["s3:ObjectCreated:Put"]}, {"events": ["s3:ObjectCreated:Copy"]}),
    ],
)
def test_configurations_that_no_event_can_share_are_taken(s3, allowed, first, second):
    put(s3, notification(**first), notification(**second))


def record_of(events):
    [(arn, event)] = events
    assert arn == FUNCTION
    [record] = event["Records"]
    return record


def test_record_has_everything_that_aws_sends(s3, allowed, events):
    put(s3, notification("raw/", Id="resize"))
    etag = s3.put_object(Bucket=BUCKET, Key="raw/cat.jpg", Body=b"12345")["ETag"].strip('"')
    record = record_of(events)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("eventTime"))
    assert record.pop("responseElements").keys() == {"x-amz-request-id", "x-amz-id-2"}
    owner = record["s3"]["bucket"].pop("ownerIdentity")["principalId"]
    assert re.fullmatch(r"[0-9A-F]{18}", record["s3"]["object"].pop("sequencer"))
    assert record == {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": f"AWS:{owner}"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "resize",
            "bucket": {"name": BUCKET, "arn": f"arn:aws:s3:::{BUCKET}"},
            "object": {"key": "raw/cat.jpg", "size": 5, "eTag": etag},
        },
    }


@pytest.mark.parametrize(
    ("key", "encoded"),
    [
        ("raw/my photo.jpg", "raw/my+photo.jpg"),
        ("raw/a@b.jpg", "raw/a%40b.jpg"),
        ("raw/1+1.jpg", "raw/1%2B1.jpg"),
        ("raw/Käse.jpg", "raw/K%C3%A4se.jpg"),
    ],
)
def test_key_is_url_encoded(s3, allowed, events, key, encoded):
    put(s3, notification("raw/"))
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    sent = record_of(events)["s3"]["object"]["key"]
    assert (sent, unquote_plus(sent)) == (encoded, key)


def test_filters_are_compared_decoded(s3, allowed, events):
    put(s3, notification("my+photos/"))
    s3.put_object(Bucket=BUCKET, Key="my photos/cat.jpg", Body=b"x")
    assert record_of(events)["s3"]["object"]["key"] == "my+photos/cat.jpg"


def test_filter_has_no_wildcards(s3, allowed, events):
    put(s3, notification(suffix="*.jpg"))
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"x")
    assert events == []


def test_copy_and_multipart_upload_have_their_own_names(s3, allowed, events):
    put(s3, notification("raw/"))
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"x")
    s3.copy_object(Bucket=BUCKET, Key="raw/a", CopySource={"Bucket": BUCKET, "Key": "cat.jpg"})
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="raw/b")["UploadId"]
    place = {"Bucket": BUCKET, "Key": "raw/b", "UploadId": upload}
    part = s3.upload_part(**place, PartNumber=1, Body=b"x")
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
    assert [event["Records"][0]["eventName"] for _, event in events] == [
        "ObjectCreated:Copy",
        "ObjectCreated:CompleteMultipartUpload",
    ]


def test_removal_has_no_size_and_no_etag(s3, allowed, events):
    put(s3, notification(events=["s3:ObjectRemoved:*"]))
    s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"x")
    s3.delete_object(Bucket=BUCKET, Key="cat.jpg")
    record = record_of(events)
    assert record["eventName"] == "ObjectRemoved:Delete"
    assert record["s3"]["object"].keys() == {"key", "sequencer"}


def test_versioned_bucket_sends_version_ids_and_delete_markers(s3, allowed, events):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    put(s3, notification(events=[*CREATED, "s3:ObjectRemoved:*"]))
    made = s3.put_object(Bucket=BUCKET, Key="cat.jpg", Body=b"x")["VersionId"]
    marker = s3.delete_object(Bucket=BUCKET, Key="cat.jpg")["VersionId"]
    sent = [event["Records"][0] for _, event in events]
    assert [(r["eventName"], r["s3"]["object"]["versionId"]) for r in sent] == [
        ("ObjectCreated:Put", made),
        ("ObjectRemoved:DeleteMarkerCreated", marker),
    ]


def test_sequencer_grows():
    sequencers = [next_sequencer() for _ in range(1000)]
    assert sequencers == sorted(set(sequencers))


def test_event_is_dropped_when_the_permission_has_gone(s3, allowed, function, events):
    put(s3, notification("raw/"))
    function.remove_permission(FunctionName="resize", StatementId="s3")
    s3.put_object(Bucket=BUCKET, Key="raw/cat.jpg", Body=b"x")
    assert events == []


def test_event_is_dropped_when_the_function_never_was(s3, events):
    put(s3, notification("raw/"), SkipDestinationValidation=True)
    s3.put_object(Bucket=BUCKET, Key="raw/cat.jpg", Body=b"x")
    assert events == []
