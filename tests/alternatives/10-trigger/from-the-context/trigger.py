# Region, account and the function's ARN come from the ARN of the function that runs this.
import boto3

s3, functions = boto3.client("s3"), boto3.client("lambda")


def handler(event, context):
    global partition, region, account
    _, partition, _, region, account, *_ = context.invoked_function_arn.split(":")
    if "make_buckets" in event:
        return make_buckets(event["make_buckets"]["name"])
    names = event["connect"]
    return connect(names["source_bucket"], names["function_name"])


def make_buckets(name):
    result = {}
    for word in ("destination", "source"):
        result[word] = f"{name}-{word}"
        options = {"Bucket": result[word], "ACL": "private"}
        if region != "us-east-1":
            options["CreateBucketConfiguration"] = {"LocationConstraint": region}
        s3.create_bucket(**options)
        s3.put_public_access_block(
            Bucket=result[word],
            PublicAccessBlockConfiguration={
                f"{verb}Public{what}": True
                for verb, what in (
                    ("Block", "Acls"), ("Ignore", "Acls"), ("Block", "Policy"), ("Restrict", "Buckets"),
                )
            },
        )  # fmt: skip
    return result


def connect(source_bucket, function_name):
    arn = f"arn:{partition}:lambda:{region}:{account}:function:{function_name}"
    notifications = s3.get_bucket_notification_configuration(Bucket=source_bucket)
    by_id = {each["Id"]: each for each in notifications.get("LambdaFunctionConfigurations", ())}
    if "resize" in by_id:
        return
    functions.add_permission(
        FunctionName=arn, StatementId=f"{source_bucket}_resize", Principal="s3.amazonaws.com",
        Action="lambda:InvokeFunction", SourceArn=f"arn:{partition}:s3:::{source_bucket}",
        SourceAccount=account,
    )  # fmt: skip
    prefix = [{"Name": "prefix", "Value": "raw/"}]
    by_id["resize"] = {
        "Id": "resize", "LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": prefix}},
    }  # fmt: skip
    del notifications["ResponseMetadata"]
    notifications["LambdaFunctionConfigurations"] = list(by_id.values())
    s3.put_bucket_notification_configuration(
        Bucket=source_bucket, NotificationConfiguration=notifications
    )
