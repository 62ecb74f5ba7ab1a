"""S3 → Lambda, end to end, under the function's role."""

import json

import pytest

from deployment import deploy, log_messages, make_role, policy_of, wait_for

SOURCE, TARGET = "photos-in", "photos-out"
COPY = f"""
    import json
    import urllib.parse
    import boto3
    s3 = boto3.client("s3")
    def handler(event, context):
        print(json.dumps(event))
        for record in event["Records"]:
            key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
            body = s3.get_object(Bucket="{SOURCE}", Key=key)["Body"].read()
            s3.put_object(Bucket="{TARGET}", Key=key, Body=body.upper())
"""
READ = {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{SOURCE}/raw/*"}
WRITE = {"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{TARGET}/*"}


@pytest.fixture(scope="module")
def pipeline(local_cloud):
    """Two buckets, a function and the notification on raw/*.txt; returns the cloud."""
    s3, client = local_cloud.client("s3"), local_cloud.client("lambda")
    for bucket in (SOURCE, TARGET):
        s3.create_bucket(Bucket=bucket)
    arn = deploy(local_cloud, "copy", COPY, make_role(local_cloud, "copy-role", READ, WRITE))[
        "FunctionArn"
    ]
    configuration = {
        "LambdaFunctionConfigurations": [
            {
                "LambdaFunctionArn": arn,
                "Events": ["s3:ObjectCreated:*"],
                "Filter": {
                    "Key": {
                        "FilterRules": [
                            {"Name": "prefix", "Value": "raw/"},
                            {"Name": "suffix", "Value": ".txt"},
                        ]
                    }
                },
            }
        ]
    }
    with pytest.raises(s3.exceptions.ClientError) as refused:
        s3.put_bucket_notification_configuration(
            Bucket=SOURCE, NotificationConfiguration=configuration
        )
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"
    assert refused.value.response["Error"]["Message"] == (
        "Unable to validate the following destination configurations"
    )
    client.add_permission(
        FunctionName="copy", StatementId="s3", Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com", SourceArn=f"arn:aws:s3:::{SOURCE}",
        SourceAccount="000000000000",
    )  # fmt: skip
    s3.put_bucket_notification_configuration(Bucket=SOURCE, NotificationConfiguration=configuration)
    return local_cloud


def read(cloud, key):
    s3 = cloud.client("s3")
    try:
        return s3.get_object(Bucket=TARGET, Key=key)["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None


@pytest.mark.parametrize("key", ["raw/a.txt", "raw/with blank é+.txt", "raw/deep/er/b.txt"])
def test_put_arrives_with_its_key(pipeline, key):
    pipeline.client("s3").put_object(Bucket=SOURCE, Key=key, Body=b"text")
    assert wait_for(lambda: read(pipeline, key)) == b"TEXT"


def test_filters_hold(pipeline):
    s3 = pipeline.client("s3")
    for key in ("other/a.txt", "raw/a.jpg", "a.txt"):
        s3.put_object(Bucket=SOURCE, Key=key, Body=b"text")
    s3.put_object(Bucket=SOURCE, Key="raw/last.txt", Body=b"text")
    wait_for(lambda: read(pipeline, "raw/last.txt"))
    listed = s3.list_objects_v2(Bucket=TARGET)["Contents"]
    assert not {o["Key"] for o in listed} & {"other/a.txt", "raw/a.jpg", "a.txt"}


def test_record_of_the_event(pipeline):
    put = pipeline.client("s3").put_object(Bucket=SOURCE, Key="raw/ä b.txt", Body=b"12345")
    lines = log_messages(pipeline, "/aws/lambda/copy", "%C3%A4+b")
    [line] = [line for line in lines if "%C3%A4+b" in line]
    [record] = json.loads(line)["Records"]
    assert record["eventVersion"].startswith("2.")
    assert record["eventSource"] == "aws:s3"
    assert record["eventName"] == "ObjectCreated:Put"
    assert record["s3"]["bucket"]["name"] == SOURCE
    assert record["s3"]["object"]["key"] == "raw/%C3%A4+b.txt"
    assert record["s3"]["object"]["size"] == 5
    assert record["s3"]["object"]["eTag"] == put["ETag"].strip('"')
    assert int(record["s3"]["object"]["sequencer"], 16) > 0
    assert record["userIdentity"]["principalId"]
    assert record["responseElements"]["x-amz-request-id"]


@pytest.mark.parametrize(
    ("statements", "action", "resource", "operation"),
    [
        ([WRITE], "s3:GetObject", f"{SOURCE}/raw/x.txt", "GetObject"),
        ([READ], "s3:PutObject", f"{TARGET}/raw/x.txt", "PutObject"),
    ],
)
def test_denied_with_the_message_of_aws(pipeline, statements, action, resource, operation):
    name = f"denied-{operation.lower()}"
    role = make_role(pipeline, f"{name}-role", *statements)
    deploy(pipeline, name, COPY, role)
    pipeline.client("s3").put_object(Bucket=SOURCE, Key="raw/x.txt", Body=b"x")
    event = {"Records": [{"s3": {"object": {"key": "raw/x.txt"}}}]}
    answer = pipeline.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    payload = json.loads(answer["Payload"].read())
    assert payload["errorMessage"] == (
        f"An error occurred (AccessDenied) when calling the {operation} operation: "
        f"User: arn:aws:sts::000000000000:assumed-role/{name}-role/{name} "
        f"is not authorized to perform: {action} on resource: "
        f'"arn:aws:s3:::{resource}" because no identity-based policy allows the {action} action'
    )
    iam = pipeline.client("iam")
    iam.put_role_policy(
        RoleName=f"{name}-role", PolicyName="inline", PolicyDocument=policy_of(READ, WRITE)
    )
    answer = pipeline.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event))
    assert "FunctionError" not in answer


def test_missing_key_without_list_bucket_is_403(pipeline):
    role = make_role(pipeline, "nolist-role", READ)
    source = """
        import boto3
        def handler(event, context):
            try:
                boto3.client("s3").get_object(Bucket=event["bucket"], Key="raw/not-there")
            except Exception as error:
                return str(error)
    """
    deploy(pipeline, "nolist", source, role)
    event = json.dumps({"bucket": SOURCE})
    answer = pipeline.client("lambda").invoke(FunctionName="nolist", Payload=event)
    assert json.loads(answer["Payload"].read()) == (
        "An error occurred (AccessDenied) when calling the GetObject operation: User: "
        "arn:aws:sts::000000000000:assumed-role/nolist-role/nolist is not authorized to perform: "
        f's3:ListBucket on resource: "arn:aws:s3:::{SOURCE}" because no identity-based policy '
        "allows the s3:ListBucket action"
    )


def test_an_unknown_key_is_the_root_user(pipeline):
    who = pipeline.client("sts").get_caller_identity()
    assert (who["Arn"], who["Account"]) == ("arn:aws:iam::000000000000:root", "000000000000")


def test_keys_of_a_user_act_as_the_user(pipeline):
    iam = pipeline.client("iam")
    iam.create_user(UserName="anna")
    key = iam.create_access_key(UserName="anna")["AccessKey"]
    session = pipeline.session(
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
    )
    s3 = session.client("s3", endpoint_url=pipeline.endpoint_url)
    with pytest.raises(s3.exceptions.ClientError, match=r"user/anna is not authorized to perform"):
        s3.list_objects_v2(Bucket=SOURCE)
    iam.put_user_policy(
        UserName="anna",
        PolicyName="list",
        PolicyDocument=policy_of({"Action": "s3:ListBucket", "Resource": "*"}),
    )
    assert s3.list_objects_v2(Bucket=SOURCE)["KeyCount"] > 0
    arn = session.client("sts", endpoint_url=pipeline.endpoint_url).get_caller_identity()["Arn"]
    assert arn == "arn:aws:iam::000000000000:user/anna"
