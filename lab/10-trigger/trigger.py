"""The trigger: two buckets, and an upload to raw/ in the first calls a function.

The checks run this file as a Lambda function: handler() is called with what is to be done.
"""

import boto3

s3 = boto3.client("s3")
functions = boto3.client("lambda")

NOTIFICATION_ID = "raw-uploads"


def handler(event, context):
    """Do what the event asks for, as {"connect": {"source_bucket": …, "function_name": …}}. Finished."""
    if "make_buckets" in event:
        return make_buckets(**event["make_buckets"])
    return connect(**event["connect"])


def make_buckets(name):
    """Create NAME-source and NAME-destination in this region, closed to the public.

    Return {"source": …, "destination": …}, the names of the two.
    """
    buckets = {"source": f"{name}-source", "destination": f"{name}-destination"}
    for bucket in buckets.values():
        # TODO 1: Create the bucket. Outside us-east-1 it needs the region as its LocationConstraint.
        raise NotImplementedError("TODO 1: create the bucket")
        # TODO 2: Block public access to it: all four settings.
        raise NotImplementedError("TODO 2: block public access to the bucket")
    return buckets


def connect(source_bucket, function_name):
    """Have S3 call the function for each object that is created below raw/ in the bucket.

    Only this bucket of this account may call the function so. The bucket's other notifications stay. A
    second call with the same names changes nothing.
    """
    function_arn = functions.get_function_configuration(FunctionName=function_name)["FunctionArn"]
    # The permission comes first: S3 refuses a notification to a function that it may not call.
    allow(source_bucket, function_arn)
    notify(source_bucket, function_arn)


def allow(source_bucket, function_arn):
    """Let S3 call the function on behalf of this bucket of this account, and of no other."""
    _, partition, _, _, account, *_ = function_arn.split(":")
    # TODO 3: Add the permission, with SourceArn and SourceAccount. It may be there from an earlier call.
    raise NotImplementedError("TODO 3: add the permission for S3 to call the function")


def notify(source_bucket, function_arn):
    """Add the notification to those that the bucket has."""
    # TODO 4: Read the notifications that are there: what you put below replaces them all.
    configuration, others = {}, []
    configuration["LambdaFunctionConfigurations"] = [*others, raw_uploads(function_arn)]
    s3.put_bucket_notification_configuration(
        Bucket=source_bucket, NotificationConfiguration=configuration
    )


def raw_uploads(function_arn):
    """Return the notification that calls the function for each object created below raw/."""
    # TODO 5: Which events, and for which keys? It needs Id, LambdaFunctionArn, Events and Filter.
    raise NotImplementedError("TODO 5: the notification for raw/")
