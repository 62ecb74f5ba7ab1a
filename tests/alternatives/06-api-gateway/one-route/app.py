"""The function routes by itself: everything comes through one greedy route."""

import json
import os
import re
from base64 import b64decode, b64encode
from http import HTTPStatus
from urllib.parse import unquote

import boto3
from botocore.client import Config

bucket = boto3.resource("s3").Bucket(os.environ["DEST_BUCKET"])
signer = boto3.client("s3", config=Config(signature_version="s3v4"))


class Problem(Exception):
    pass


def out(status, body=None):
    answer = {"statusCode": int(status)}
    if body is not None:
        answer |= {"body": json.dumps(body, ensure_ascii=False), "headers": {"content-type": "application/json"}}
    return answer


def require(condition, status, words):
    if not condition:
        raise Problem(status, words)


def handler(event, context):
    method, path = event["requestContext"]["http"]["method"], event["rawPath"].rstrip("/")
    # rawPath comes decoded from an HTTP API, encoded from others: a name is taken from it as it is.
    known = {"/thumbnails": {"GET": listing}, "/uploads": {"POST": upload}}
    shown = {"GET": show, "DELETE": delete}
    work = known.get(path) or (shown if path.startswith("/thumbnails/") else None)
    try:
        require(work is not None, 404, "no such path")
        require(method in work, HTTPStatus.METHOD_NOT_ALLOWED, f"not {method}")
        return work[method](event)
    except Problem as problem:
        status, words = problem.args
        return out(status, {"message": words})


def name_in(event):
    found = event.get("pathParameters", {}).get("name") or event["rawPath"].split("/", 2)[2]
    return checked(found)


def checked(name):
    fits = isinstance(name, str) and re.fullmatch(r"[^/]{1,200}", name, re.S)
    require(fits and name.strip("."), 400, "bad name")
    return name


def listing(event):
    asked = event.get("queryStringParameters") or {}
    require(re.fullmatch(r"[1-9]\d{0,2}|1000", asked.get("limit", "100"), re.A), 400, "bad limit")
    count = int(asked.get("limit", 100))
    marker = "thumbnails/" + unquote(asked.get("next", ""))
    items = []
    for item in bucket.objects.filter(Prefix="thumbnails/", Marker=marker).limit(count + 1):
        items.append({"name": item.key[len("thumbnails/"):], "size": item.size})
    body = {"thumbnails": items[:count]}
    if len(items) > count:
        body["next"] = items[count - 1]["name"].replace("%", "%25")
    return out(200, body)


def show(event):
    try:
        found = bucket.Object(f"thumbnails/{name_in(event)}").get()
    except bucket.meta.client.exceptions.NoSuchKey:
        raise Problem(404, "no such thumbnail") from None
    body = b64encode(found["Body"].read()).decode("ascii")
    headers = {"Content-Type": found["ContentType"], "Cache-Control": "max-age=60"}
    return {"statusCode": 200, "isBase64Encoded": True, "body": body, "headers": headers}


def delete(event):
    bucket.delete_objects(Delete={"Objects": [{"Key": f"thumbnails/{name_in(event)}"}], "Quiet": True})
    return out(204)


def upload(event):
    try:
        body = event.get("body", "")
        asked = json.loads(b64decode(body).decode("utf-8") if event["isBase64Encoded"] else body)
    except ValueError:
        raise Problem(400, "no JSON") from None
    require(isinstance(asked, dict), 400, "no object")
    name, kind, size = checked(asked.get("name")), asked.get("content_type"), asked.get("size")
    require(isinstance(kind, str) and type(size) is int and size > 0, 400, "kind or size")
    require(kind in ("image/jpeg", "image/png", "image/gif", "image/webp"), 415, f"not {kind}")
    require(size <= 10_485_760, 413, "more than 10 MB")
    parameters = {"Bucket": os.environ["SOURCE_BUCKET"], "Key": "raw/" + name, "ContentType": kind, "ContentLength": size}
    url = signer.generate_presigned_url(ClientMethod="put_object", Params=parameters, ExpiresIn=120)
    return out(201, {"url": url, "key": parameters["Key"]})
