"""The album's HTTP API: it lets pages upload photographs, and lists what is there.

API Gateway calls handler() with events of payload format 2.0. The environment variables are SOURCE_BUCKET,
THUMBNAIL_BUCKET and PHOTO_TABLE.

- POST /uploads takes {"name": "beach.jpg", "content_type": "image/jpeg", "size": 245678} and answers 201 with
  {"url": …, "key": "raw/beach.jpg"}. A PUT to the URL uploads that much of that content type, for five
  minutes at most, and nothing else. What makes no sense gets 400 and a message.
- GET /photos answers 200 with {"photos": [{"name": …, "alt": …, "alt_by": …, "picture": …}, …]}, all of the
  table, each with a URL under which a page finds the thumbnail.
"""

import json
import os

import boto3
from botocore.config import Config

# Signature Version 4 signs all that a URL is good for. Without this, some regions get the older one.
s3 = boto3.client("s3", config=Config(signature_version="s3v4"))
photos = boto3.resource("dynamodb").Table(os.environ["PHOTO_TABLE"])
SOURCE_BUCKET = os.environ["SOURCE_BUCKET"]
THUMBNAIL_BUCKET = os.environ["THUMBNAIL_BUCKET"]
CONTENT_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
LARGEST_BYTES = 10 * 1024 * 1024


def handler(event, context):
    """Answer one request."""
    return {"POST /uploads": begin_upload, "GET /photos": list_photos}[event["routeKey"]](event)


def answer(status, body):
    """An answer in JSON, of payload format 2.0."""
    headers = {"content-type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}


def begin_upload(event):
    """POST /uploads"""
    try:
        asked = json.loads(event["body"])
        name, content_type, size = asked["name"], asked["content_type"], asked["size"]
    except (KeyError, TypeError, ValueError):
        return answer(400, {"message": "name, content_type and size are needed, in JSON"})
    if not isinstance(name, str) or not 1 <= len(name) <= 200 or "/" in name:
        return answer(400, {"message": "a name has 1 to 200 characters and no slash"})
    if content_type not in CONTENT_TYPES:
        return answer(400, {"message": f"content_type is one of {', '.join(CONTENT_TYPES)}"})
    if type(size) is not int or not 1 <= size <= LARGEST_BYTES:
        return answer(400, {"message": f"size is a number of bytes, 1 to {LARGEST_BYTES}"})
    # TODO 1: Make the URL, for a PUT of raw/NAME with this content type and length, and answer it.
    return answer(501, {"message": "TODO 1: make the URL"})


def list_photos(event):
    """GET /photos"""
    # TODO 4: Read the whole table, and give each photograph the URL of its thumbnail, as `picture`.
    return answer(501, {"message": "TODO 4: list the photographs"})


def picture(name):
    """A URL of the thumbnail, for an hour at most."""
    place = {"Bucket": THUMBNAIL_BUCKET, "Key": f"thumbnails/{name}"}
    return s3.generate_presigned_url("get_object", Params=place, ExpiresIn=3600)
