# boto3's resource for buckets, the account from STS, and a waiter.
import boto3
from botocore.exceptions import ClientError

session = boto3.session.Session()
resource = session.resource("s3")
s3 = resource.meta.client
account = boto3.client("sts").get_caller_identity()["Account"]
LAMBDA = boto3.client("lambda")


def handler(event, context):
    [(call, arguments)] = event.items()
    return {"make_buckets": make_buckets, "connect": connect}[call](**arguments)


def make_buckets(name):
    arguments = {}
    if session.region_name != "us-east-1":
        arguments["CreateBucketConfiguration"] = {"LocationConstraint": session.region_name}
    found = {}
    for word in ("source", "destination"):
        bucket = resource.create_bucket(Bucket=f"{name}-{word}", **arguments)
        bucket.wait_until_exists()
        settings = (
            "BlockPublicAcls",
            "IgnorePublicAcls",
            "BlockPublicPolicy",
            "RestrictPublicBuckets",
        )
        s3.put_public_access_block(
            Bucket=bucket.name, PublicAccessBlockConfiguration=dict.fromkeys(settings, True)
        )
        found[word] = bucket.name
    return found


def connect(source_bucket, function_name):
    try:
        LAMBDA.add_permission(
            FunctionName=function_name,
            StatementId=f"upload-{source_bucket}",
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceArn=f"arn:aws:s3:::{source_bucket}",
            SourceAccount=account,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceConflictException":
            raise
    notification = resource.BucketNotification(source_bucket)
    lambdas = [
        each
        for each in notification.lambda_function_configurations or []
        if each["Id"] != "thumbnails"
    ]
    arn = LAMBDA.get_function(FunctionName=function_name)["Configuration"]["FunctionArn"]
    rule = {"Name": "Prefix", "Value": "raw/"}
    ours = {
        "Id": "thumbnails",
        "LambdaFunctionArn": arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [rule]}},
    }
    wanted = {"LambdaFunctionConfigurations": lambdas + [ours]}
    raw = s3.get_bucket_notification_configuration(Bucket=source_bucket)
    for kind in ("QueueConfigurations", "TopicConfigurations", "EventBridgeConfiguration"):
        if kind in raw:
            wanted[kind] = raw[kind]
    notification.put(NotificationConfiguration=wanted)
