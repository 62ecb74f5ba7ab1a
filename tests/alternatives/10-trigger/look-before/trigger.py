# Looks whether permission and notification are there, and does nothing where they are.
import json
import os

import boto3

s3 = boto3.client("s3")
client = boto3.client("lambda")
REGION = os.environ["AWS_REGION"]
KINDS = ("Put", "Post", "Copy", "CompleteMultipartUpload")


def handler(event, context):
    if event.get("make_buckets"):
        return make_buckets(event["make_buckets"]["name"])
    return connect(event["connect"]["source_bucket"], event["connect"]["function_name"])


def make_buckets(name):
    source, destination = f"{name}-source", f"{name}-destination"
    for bucket in (source, destination):
        if REGION == "us-east-1":
            s3.create_bucket(Bucket=bucket)
        else:
            s3.create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
        s3.put_public_access_block(
            Bucket=bucket,
            PublicAccessBlockConfiguration={
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
        )
    return {"source": source, "destination": destination}


def connect(source_bucket, function_name):
    arn = client.get_function_configuration(FunctionName=function_name)["FunctionArn"]
    statement = f"bucket-{source_bucket}"
    if statement not in statements(function_name):
        client.add_permission(
            FunctionName=function_name,
            StatementId=statement,
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceAccount=arn.split(":")[4],
            SourceArn="arn:aws:s3:::" + source_bucket,
        )
    now = s3.get_bucket_notification_configuration(Bucket=source_bucket)
    now = {kind: each for kind, each in now.items() if kind != "ResponseMetadata"}
    functions = now.setdefault("LambdaFunctionConfigurations", [])
    if any(each["Id"] == arn[-60:] for each in functions):
        return
    functions.append(
        {
            "Id": arn[-60:],
            "LambdaFunctionArn": arn,
            "Events": [f"s3:ObjectCreated:{kind}" for kind in KINDS],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "raw/"}]}},
        }
    )
    s3.put_bucket_notification_configuration(Bucket=source_bucket, NotificationConfiguration=now)


def statements(function_name):
    try:
        policy = client.get_policy(FunctionName=function_name)["Policy"]
    except client.exceptions.ResourceNotFoundException:
        return []
    return [each["Sid"] for each in json.loads(policy)["Statement"]]
