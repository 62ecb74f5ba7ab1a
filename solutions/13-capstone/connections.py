"""Who is connected: API Gateway calls handler() when a page opens its WebSocket, and when it closes it.

The environment variable CONNECTION_TABLE names a table of items {"id": the connection's id}. After $connect
the page stands in it, after $disconnect it doesn't. A page whose network is lost may go without a word.
"""

import os

import boto3

connections = boto3.resource("dynamodb").Table(os.environ["CONNECTION_TABLE"])


def handler(event, context):
    """Answer $connect and $disconnect. Without the status 200 nobody gets in."""
    # >>> TODO 6: Keep the connection's id in the table, or take it out.
    page = {"id": event["requestContext"]["connectionId"]}
    if event["requestContext"]["eventType"] == "CONNECT":
        connections.put_item(Item=page)
    else:
        connections.delete_item(Key=page)
    return {"statusCode": 200}
    #| return {"statusCode": 501}
    # <<<
