# Takes the old statement away and adds it anew; the statement's id is a hash of the bucket's name.
import hashlib
from contextlib import suppress

import boto3


def handler(event, context):
    [name] = event
    return globals()[name](**event[name])


def make_buckets(name):
    s3 = boto3.client("s3")
    region = s3.meta.region_name
    return {word: make_bucket(s3, f"{name}-{word}", region) for word in ("source", "destination")}


def make_bucket(s3, name, region):
    place = None if region == "us-east-1" else {"LocationConstraint": region}
    s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
    closed = dict(
        BlockPublicAcls=True,
        IgnorePublicAcls=True,
        BlockPublicPolicy=True,
        RestrictPublicBuckets=True,
    )
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=closed)
    return name


def connect(source_bucket, function_name):
    s3, client = boto3.client("s3"), boto3.client("lambda")
    sid = hashlib.sha256(source_bucket.encode()).hexdigest()[:32]
    with suppress(client.exceptions.ResourceNotFoundException):
        client.remove_permission(FunctionName=function_name, StatementId=sid)
    function = client.get_function(FunctionName=function_name)["Configuration"]["FunctionArn"]
    client.add_permission(
        FunctionName=function_name,
        StatementId=sid,
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{source_bucket}",
        SourceAccount=function.split(":")[4],
    )
    answer = s3.get_bucket_notification_configuration(Bucket=source_bucket)
    answer.pop("ResponseMetadata")
    wanted = {
        "LambdaFunctionArn": function,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "Prefix", "Value": "raw/"}]}},
    }
    kept = [
        each for each in answer.get("LambdaFunctionConfigurations", []) if not same(each, wanted)
    ]
    s3.put_bucket_notification_configuration(
        Bucket=source_bucket,
        NotificationConfiguration=answer
        | {"LambdaFunctionConfigurations": [*kept, wanted | {"Id": "to-" + function_name[-40:]}]},
    )


def same(one, other):
    return all(one.get(name) == value for name, value in other.items())
