"""Thumbnails are redirected to; pages of the list by S3's own token, in a base64 that survives URLs."""

import base64
import binascii
import json
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CLIENT = boto3.client("s3", config=Config(signature_version="s3v4"))
TYPES = {"image/jpeg", "image/png", "image/gif", "image/webp"}


def reply(status, **body):
    return {"statusCode": status, "headers": {"Content-Type": "application/json; charset=utf-8"}, "body": json.dumps(body)}


def is_name(name):
    return isinstance(name, str) and 0 < len(name) <= 200 and "/" not in name and name not in {".", ".."}


def handler(event, context):
    http = event["requestContext"]["http"]
    name = (event.get("pathParameters") or {}).get("name")
    if name is not None and not is_name(name):
        return reply(400, message="no such name")
    if http["method"] == "POST":
        return upload(event)
    if http["method"] == "DELETE":
        CLIENT.delete_object(Bucket=os.environ["DEST_BUCKET"], Key=f"thumbnails/{name}")
        return {"statusCode": 204, "headers": {}}
    if name is None:
        return listing(event.get("queryStringParameters") or {})
    place = {"Bucket": os.environ["DEST_BUCKET"], "Key": f"thumbnails/{name}"}
    try:
        CLIENT.head_object(**place)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return reply(404, message=f"{name} is not there")
        raise
    url = CLIENT.generate_presigned_url("get_object", Params=place, ExpiresIn=60)
    return {"statusCode": 302, "headers": {"Location": url}}


def listing(query):
    try:
        limit = int(query.get("limit", 100))
        token = base64.urlsafe_b64decode(query["next"]).decode() if "next" in query else None
    except (ValueError, binascii.Error):
        return reply(400, message="limit or next makes no sense")
    if limit not in range(1, 1001):
        return reply(400, message="limit is out of range")
    more = {"ContinuationToken": token} if token else {}
    page = CLIENT.list_objects_v2(Bucket=os.environ["DEST_BUCKET"], Prefix="thumbnails/", MaxKeys=limit, **more)
    body = {"thumbnails": [{"name": o["Key"].split("/", 1)[1], "size": o["Size"]} for o in page.get("Contents", ())]}
    if page.get("NextContinuationToken"):
        body["next"] = base64.urlsafe_b64encode(page["NextContinuationToken"].encode()).decode()
    return reply(200, **body)


def upload(event):
    raw = event.get("body") or ""
    try:
        if event.get("isBase64Encoded"):
            raw = base64.b64decode(raw)
        asked = json.loads(raw)
        name, kind, size = asked["name"], asked["content_type"], asked["size"]
    except (ValueError, KeyError, TypeError):
        return reply(400, message="name, content_type and size, in a JSON object")
    if not is_name(name) or not isinstance(kind, str) or isinstance(size, bool) or not isinstance(size, int) or size <= 0:
        return reply(400, message="something is of the wrong kind")
    if kind not in TYPES:
        return reply(415, message=f"not {kind}")
    if size > 10 << 20:
        return reply(413, message="too large")
    place = {"Bucket": os.environ["SOURCE_BUCKET"], "Key": f"raw/{name}"}
    url = CLIENT.generate_presigned_url("put_object", Params={**place, "ContentType": kind, "ContentLength": size}, ExpiresIn=300)
    return reply(201, url=url, key=place["Key"], headers={"content-type": kind})
