"""Requests, as boto3 makes them, are given the actions and resources that AWS documents."""

from urllib.parse import urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ParamValidationError

from localcloud.actions import ApiRequest, Need, Scope, credential_scope, needs, operation

ACCOUNT = "123456789012"
REGION = "eu-west-1"
HERE = f"{REGION}:{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app"
PHOTO = {"Bucket": "photos", "Key": "raw/my photo+é.jpg"}
OBJECT = "arn:aws:s3:::photos/raw/my photo+é.jpg"
BUCKET = "arn:aws:s3:::photos"
LOGS = f"arn:aws:logs:{HERE}:log-group:/aws/lambda/f:log-stream:"
FN = f"arn:aws:lambda:{HERE}:function:f"
QUEUE = f"http://127.0.0.1:4566/{ACCOUNT}/jobs"
TOPIC = f"arn:aws:sns:{HERE}:news"


class _Empty:
    def stream(self):
        return iter(())


def sent(service: str, operation: str, **parameters) -> ApiRequest:
    """The request that boto3 sends for a call."""
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name=REGION)
    client = session.client(service, endpoint_url="http://127.0.0.1:4566")
    requests = []

    def keep(request, **_):
        url = urlsplit(request.url)
        headers = {}
        for name, value in request.headers.items():
            headers[name.lower()] = value.decode() if isinstance(value, bytes) else str(value)
        body = request.body or b""
        if hasattr(body, "read"):
            body = body.read()
        body = body.encode() if isinstance(body, str) else body
        requests.append(ApiRequest(request.method, url.path, url.query, headers, body))
        return AWSResponse(request.url, 200, {}, _Empty())

    client.meta.events.register("before-send", keep)
    try:
        getattr(client, operation)(**parameters)
    except ParamValidationError:
        raise
    except Exception:
        assert requests  # an empty answer is no answer, but the request was made
    return requests[0]


def needed(request: ApiRequest) -> list[tuple[str, str]]:
    scope = credential_scope(request)
    return [(need.action, need.resource) for need in needs(request, scope, ACCOUNT)]


@pytest.mark.parametrize(
    ("operation", "parameters", "expected"),
    [
        ("list_buckets", {}, [("s3:ListAllMyBuckets", "*")]),
        ("create_bucket", {"Bucket": "photos"}, [("s3:CreateBucket", BUCKET)]),
        ("delete_bucket", {"Bucket": "photos"}, [("s3:DeleteBucket", BUCKET)]),
        ("head_bucket", {"Bucket": "photos"}, [("s3:ListBucket", BUCKET)]),
        ("list_objects", {"Bucket": "photos"}, [("s3:ListBucket", BUCKET)]),
        ("list_objects_v2", {"Bucket": "photos", "Prefix": "raw/"}, [("s3:ListBucket", BUCKET)]),
        ("list_object_versions", {"Bucket": "photos"}, [("s3:ListBucketVersions", BUCKET)]),
        ("get_object", PHOTO, [("s3:GetObject", OBJECT)]),
        ("get_object", {**PHOTO, "VersionId": "1"}, [("s3:GetObjectVersion", OBJECT)]),
        ("head_object", PHOTO, [("s3:GetObject", OBJECT)]),
        ("put_object", {**PHOTO, "Body": b"x"}, [("s3:PutObject", OBJECT)]),
        (
            "put_object",
            {**PHOTO, "Body": b"x", "Tagging": "a=b", "ACL": "private"},
            [("s3:PutObject", OBJECT), ("s3:PutObjectTagging", OBJECT),
             ("s3:PutObjectAcl", OBJECT)],
        ),
        ("delete_object", PHOTO, [("s3:DeleteObject", OBJECT)]),
        (
            "copy_object",
            {**PHOTO, "CopySource": {"Bucket": "old", "Key": "a b.jpg"}},
            [("s3:GetObject", "arn:aws:s3:::old/a b.jpg"), ("s3:PutObject", OBJECT)],
        ),
        (
            "copy_object",
            {**PHOTO, "CopySource": {"Bucket": "old", "Key": "a", "VersionId": "v"}},
            [("s3:GetObjectVersion", "arn:aws:s3:::old/a"), ("s3:PutObject", OBJECT)],
        ),
        (
            "delete_objects",
            {"Bucket": "photos", "Delete": {"Objects": [{"Key": "a&b"}, {"Key": "c"}]}},
            [("s3:DeleteObject", f"{BUCKET}/a&b"), ("s3:DeleteObject", f"{BUCKET}/c")],
        ),
        ("get_object_tagging", PHOTO, [("s3:GetObjectTagging", OBJECT)]),
        ("delete_object_tagging", PHOTO, [("s3:DeleteObjectTagging", OBJECT)]),
        ("get_object_attributes", {**PHOTO, "ObjectAttributes": ["ETag"]},
         [("s3:GetObject", OBJECT), ("s3:GetObjectAttributes", OBJECT)]),
        ("create_multipart_upload", PHOTO, [("s3:PutObject", OBJECT)]),
        ("upload_part", {**PHOTO, "UploadId": "u", "PartNumber": 1, "Body": b""},
         [("s3:PutObject", OBJECT)]),
        ("complete_multipart_upload", {**PHOTO, "UploadId": "u"}, [("s3:PutObject", OBJECT)]),
        ("abort_multipart_upload", {**PHOTO, "UploadId": "u"},
         [("s3:AbortMultipartUpload", OBJECT)]),
        ("list_parts", {**PHOTO, "UploadId": "u"}, [("s3:ListMultipartUploadParts", OBJECT)]),
        ("list_multipart_uploads", {"Bucket": "photos"},
         [("s3:ListBucketMultipartUploads", BUCKET)]),
        ("get_bucket_location", {"Bucket": "photos"}, [("s3:GetBucketLocation", BUCKET)]),
        ("get_bucket_notification_configuration", {"Bucket": "photos"},
         [("s3:GetBucketNotification", BUCKET)]),
        ("put_bucket_notification_configuration",
         {"Bucket": "photos", "NotificationConfiguration": {}},
         [("s3:PutBucketNotification", BUCKET)]),
        ("put_bucket_policy", {"Bucket": "photos", "Policy": "{}"},
         [("s3:PutBucketPolicy", BUCKET)]),
        ("delete_bucket_policy", {"Bucket": "photos"}, [("s3:DeleteBucketPolicy", BUCKET)]),
        ("delete_bucket_lifecycle", {"Bucket": "photos"},
         [("s3:PutLifecycleConfiguration", BUCKET)]),
        ("get_bucket_encryption", {"Bucket": "photos"},
         [("s3:GetEncryptionConfiguration", BUCKET)]),
        ("get_bucket_versioning", {"Bucket": "photos"}, [("s3:GetBucketVersioning", BUCKET)]),
    ],
)  # fmt: skip
def test_s3(operation, parameters, expected):
    assert needed(sent("s3", operation, **parameters)) == expected


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("lambda", "invoke", {"FunctionName": "f", "Payload": b'{"Qualifier": "x"}'},
         [("lambda:InvokeFunction", FN)]),
        ("lambda", "invoke", {"FunctionName": "f", "Qualifier": "live"},
         [("lambda:InvokeFunction", f"{FN}:live")]),
        ("lambda", "invoke", {"FunctionName": FN}, [("lambda:InvokeFunction", FN)]),
        ("lambda", "invoke", {"FunctionName": f"{ACCOUNT}:function:f:2"},
         [("lambda:InvokeFunction", f"{FN}:2")]),
        ("lambda", "get_function", {"FunctionName": "f"}, [("lambda:GetFunction", FN)]),
        ("lambda", "list_functions", {}, [("lambda:ListFunctions", "*")]),
        ("lambda", "list_versions_by_function", {"FunctionName": "f"},
         [("lambda:ListVersionsByFunction", FN)]),
        ("lambda", "create_function",
         {"FunctionName": "f", "Role": ROLE, "Code": {"ZipFile": b"x"}},
         [("lambda:CreateFunction", FN), ("iam:PassRole", ROLE)]),
        ("lambda", "update_function_configuration", {"FunctionName": "f", "Timeout": 5},
         [("lambda:UpdateFunctionConfiguration", FN)]),
        ("lambda", "publish_layer_version", {"LayerName": "pillow", "Content": {"ZipFile": b""}},
         [("lambda:PublishLayerVersion", f"arn:aws:lambda:{HERE}:layer:pillow")]),
        ("lambda", "get_layer_version", {"LayerName": "pillow", "VersionNumber": 3},
         [("lambda:GetLayerVersion", f"arn:aws:lambda:{HERE}:layer:pillow:3")]),
        ("lambda", "list_tags", {"Resource": FN}, [("lambda:ListTags", FN)]),
        ("logs", "put_log_events",
         {"logGroupName": "/aws/lambda/f", "logStreamName": "s",
          "logEvents": [{"timestamp": 1, "message": "x"}]},
         [("logs:PutLogEvents", f"{LOGS}s")]),
        ("logs", "create_log_group", {"logGroupName": "/aws/lambda/f"},
         [("logs:CreateLogGroup", LOGS)]),
        ("logs", "describe_log_groups", {},
         [("logs:DescribeLogGroups", f"arn:aws:logs:{HERE}:log-group::log-stream:")]),
        ("sqs", "send_message", {"QueueUrl": QUEUE, "MessageBody": "x"},
         [("sqs:SendMessage", f"arn:aws:sqs:{HERE}:jobs")]),
        ("sqs", "create_queue", {"QueueName": "jobs"},
         [("sqs:CreateQueue", f"arn:aws:sqs:{HERE}:jobs")]),
        ("sqs", "list_queues", {}, [("sqs:ListQueues", "*")]),
        ("sns", "publish", {"TopicArn": TOPIC, "Message": "x"}, [("sns:Publish", TOPIC)]),
        ("sns", "create_topic", {"Name": "news"}, [("sns:CreateTopic", TOPIC)]),
        ("sts", "get_caller_identity", {}, [("sts:GetCallerIdentity", "*")]),
        ("sts", "assume_role", {"RoleArn": ROLE, "RoleSessionName": "me"},
         [("sts:AssumeRole", ROLE)]),
        ("iam", "get_role", {"RoleName": "app"}, [("iam:GetRole", ROLE)]),
        ("iam", "create_user", {"UserName": "ana"},
         [("iam:CreateUser", f"arn:aws:iam::{ACCOUNT}:user/ana")]),
        ("iam", "list_roles", {}, [("iam:ListRoles", "*")]),
        ("cloudformation", "create_stack",
         {"StackName": "lab", "TemplateBody": "{}", "RoleARN": ROLE},
         [("cloudformation:CreateStack", f"arn:aws:cloudformation:{HERE}:stack/lab/*"),
          ("iam:PassRole", ROLE)]),
        ("dynamodb", "put_item", {"TableName": "t", "Item": {}},
         [("dynamodb:PutItem", f"arn:aws:dynamodb:{HERE}:table/t")]),
        ("dynamodb", "query", {"TableName": "t", "IndexName": "idx"},
         [("dynamodb:Query", f"arn:aws:dynamodb:{HERE}:table/t/index/idx")]),
        ("dynamodb", "batch_get_item",
         {"RequestItems": {"a": {"Keys": [{}]}, "b": {"Keys": [{}]}}},
         [("dynamodb:BatchGetItem", f"arn:aws:dynamodb:{HERE}:table/a"),
          ("dynamodb:BatchGetItem", f"arn:aws:dynamodb:{HERE}:table/b")]),
        ("events", "put_events", {"Entries": [{"Source": "a"}, {"Source": "b"}]},
         [("events:PutEvents", f"arn:aws:events:{HERE}:event-bus/default")]),
        ("cloudwatch", "put_metric_data",
         {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1.0}]},
         [("cloudwatch:PutMetricData", "*")]),
        ("apigateway", "create_deployment", {"restApiId": "abc"},
         [("apigateway:POST", f"arn:aws:apigateway:{REGION}::/restapis/abc/deployments")]),
        ("ssm", "get_parameter", {"Name": "/a/b"},
         [("ssm:GetParameter", f"arn:aws:ssm:{HERE}:parameter/a/b")]),
        ("bedrock-runtime", "converse",
         {"modelId": "amazon.nova-micro-v1:0", "messages": []},
         [("bedrock:InvokeModel",
           f"arn:aws:bedrock:{REGION}::foundation-model/amazon.nova-micro-v1:0")]),
        ("bedrock-runtime", "invoke_model_with_response_stream",
         {"modelId": "us.anthropic.claude-x", "body": b"{}"},
         [("bedrock:InvokeModelWithResponseStream",
           f"arn:aws:bedrock:{HERE}:inference-profile/us.anthropic.claude-x"),
          ("bedrock:InvokeModelWithResponseStream",
           f"arn:aws:bedrock:{REGION}::foundation-model/anthropic.claude-x")]),
        ("bedrock", "list_foundation_models", {}, [("bedrock:ListFoundationModels", "*")]),
        ("bedrock-agent-runtime", "retrieve",
         {"knowledgeBaseId": "KB12345678", "retrievalQuery": {"text": "x"}},
         [("bedrock:Retrieve", f"arn:aws:bedrock:{HERE}:knowledge-base/KB12345678")]),
    ],
)  # fmt: skip
def test_other_services(service, operation, parameters, expected):
    assert needed(sent(service, operation, **parameters)) == expected


def test_condition_keys():
    request = sent("s3", "list_objects_v2", Bucket="photos", Prefix="raw/", Delimiter="/")
    (need,) = needs(request, credential_scope(request), ACCOUNT)
    assert need.context["s3:prefix"] == "raw/"
    assert need.context["s3:delimiter"] == "/"
    request = sent("lambda", "create_function", FunctionName="f", Role=ROLE, Code={"ZipFile": b""})
    passed = needs(request, credential_scope(request), ACCOUNT)[1]
    assert passed.context == {"iam:PassedToService": "lambda.amazonaws.com"}


@pytest.mark.parametrize(
    ("host", "path", "resource"),
    [
        ("127.0.0.1:4566", "/photos/a", f"{BUCKET}/a"),
        ("localhost:4566", "/photos/a", f"{BUCKET}/a"),
        ("photos.localhost:4566", "/a", f"{BUCKET}/a"),
        ("photos.s3.eu-west-1.amazonaws.com", "/a", f"{BUCKET}/a"),
        ("s3.eu-west-1.amazonaws.com", "/photos/a", f"{BUCKET}/a"),
        ("127.0.0.1:4566", "/photos//a", f"{BUCKET}//a"),
    ],
)
def test_a_bucket_is_named_by_host_or_path(host, path, resource):
    request = ApiRequest("GET", path, "", {"host": host})
    assert needs(request, Scope("key", REGION, "s3"), ACCOUNT) == [Need("s3:GetObject", resource)]


def test_scope_of_a_signed_request():
    assert credential_scope(sent("logs", "describe_log_groups")) == Scope(
        "AKIAIOSFODNN7EXAMPLE", REGION, "logs"
    )


NAMED = [
    ("s3", "list_objects_v2", {"Bucket": "photos"}),
    ("s3", "get_bucket_tagging", {"Bucket": "photos"}),
    ("s3", "put_object", PHOTO),
    ("s3", "copy_object", PHOTO | {"CopySource": "photos/a"}),
    ("s3", "delete_objects", {"Bucket": "photos", "Delete": {"Objects": [{"Key": "a"}]}}),
    ("apigateway", "get_rest_apis", {}),
    ("apigatewayv2", "create_api", {"Name": "a", "ProtocolType": "HTTP"}),
    ("apigatewaymanagementapi", "post_to_connection", {"ConnectionId": "a", "Data": b""}),
    ("bedrock-runtime", "converse", {"modelId": "amazon.nova-micro-v1:0"}),
    ("lambda", "invoke", {"FunctionName": "f"}),
    ("sqs", "list_queues", {}),
    ("iam", "list_roles", {}),
]


@pytest.mark.parametrize(("service", "name", "parameters"), NAMED)
def test_operation_of_a_request(service, name, parameters):
    request = sent(service, name, **parameters)
    found, _ = operation(request, credential_scope(request).service)
    assert found.lower() == name.replace("_", "")


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_scope_of_a_presigned_url(version):
    session = boto3.Session("AKIAIOSFODNN7EXAMPLE", "secret", region_name="us-east-1")
    client = session.client(
        "s3",
        endpoint_url="http://127.0.0.1:4566",
        config=boto3.session.Config(signature_version=version),
    )
    url = urlsplit(client.generate_presigned_url("get_object", PHOTO))
    request = ApiRequest("GET", url.path, url.query, {})
    assert credential_scope(request) == Scope("AKIAIOSFODNN7EXAMPLE", "us-east-1", "s3")
    assert needed(request) == [("s3:GetObject", OBJECT)]


@pytest.mark.parametrize("header", ["", "Bearer x", "AWS4-HMAC-SHA256 Credential=broken"])
def test_no_scope_without_a_signature(header):
    assert credential_scope(ApiRequest("GET", "/", "", {"authorization": header})) is None
