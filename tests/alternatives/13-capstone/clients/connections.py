"""Who is connected, kept by DynamoDB's own client."""

import os

import boto3

dynamodb = boto3.client("dynamodb")
TABLE = os.environ["CONNECTION_TABLE"]


def handler(event, context):
    """Answer each route by its key."""
    where = event["requestContext"]
    page = {"id": {"S": where["connectionId"]}}
    match where["routeKey"]:
        case "$connect":
            dynamodb.put_item(
                TableName=TABLE, Item=page | {"since": {"N": str(where["connectedAt"])}}
            )
        case "$disconnect":
            dynamodb.delete_item(TableName=TABLE, Key=page)
    return {"statusCode": 204}
