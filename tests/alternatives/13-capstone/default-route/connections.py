"""Who is connected, for two hours at most."""

import os
import time

import boto3

connections = boto3.resource("dynamodb").Table(os.environ["CONNECTION_TABLE"])


def handler(event, context):
    """Answer $connect, $disconnect and messages."""
    kind, page = (
        event["requestContext"]["eventType"],
        {"id": event["requestContext"]["connectionId"]},
    )
    if kind == "CONNECT":
        connections.update_item(
            Key=page, UpdateExpression="SET #until = :until",
            ExpressionAttributeNames={"#until": "until"},
            ExpressionAttributeValues={":until": int(time.time()) + 7200},
        )  # fmt: skip
    elif kind == "DISCONNECT":
        connections.delete_item(Key=page)
    return {"statusCode": 200, "body": "welcome"}
