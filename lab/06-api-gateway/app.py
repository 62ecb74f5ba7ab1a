"""The thumbnails' API: it lists, shows and deletes thumbnails, and lets browsers upload photographs.

API Gateway calls handler() with events of payload format 2.0. The environment variables are SOURCE_BUCKET,
where photographs are uploaded to raw/, and DEST_BUCKET, where their thumbnails lie in thumbnails/.

- GET /thumbnails?limit=20&next=… answers 200 and {"thumbnails": [{"name": "beach.jpg", "size": 4711}, …]}.
  `limit` is a whole number from 1 to 1000, 100 if it is not given. Where more follow, the answer has "next"
  too: whoever sends that back as `next` gets the thumbnails that follow. All come once.
- GET /thumbnails/{name} answers the picture with its content type, or redirects to where it is.
- POST /uploads takes {"name": "beach.jpg", "content_type": "image/jpeg", "size": 245678}, in JSON whatever
  the request's own content type is. It answers 201 and {"url": …, "key": "raw/beach.jpg"}: a PUT to the URL
  uploads that much of that content type, for five minutes, and nothing else.
- DELETE /thumbnails/{name} answers 204, whether the thumbnail was there or not. Who may is authorizer.py's.
- A name has 1 to 200 characters and no slash, and is neither "." nor "..". Only thumbnails/ is shown.
- Whatever is refused gets {"message": …} in JSON, with the status 400 for what makes no sense, 404 for a
  thumbnail that is not there, 413 for more than LARGEST_BYTES, 415 for other than these CONTENT_TYPES.
"""

import base64
import json
import os

import boto3
from botocore.config import Config

# Signature Version 4 signs all that a URL is good for. Without this, some regions get the older one.
s3 = boto3.client("s3", config=Config(signature_version="s3v4"))
SOURCE_BUCKET = os.environ["SOURCE_BUCKET"]
DEST_BUCKET = os.environ["DEST_BUCKET"]
PREFIX = "thumbnails/"
CONTENT_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
LARGEST_BYTES = 10 * 1024 * 1024
URL_SECONDS = 300


class Refused(Exception):
    """A request that gets no for an answer: its status and its message."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def handler(event, context):
    """Answer one request."""
    try:
        return ROUTES[event["routeKey"]](event)
    except Refused as refused:
        return answer(refused.status, {"message": str(refused)})


def answer(status, body):
    """An answer in JSON, of payload format 2.0."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body),
    }


def list_thumbnails(event):
    """GET /thumbnails"""
    query = event.get("queryStringParameters", {})
    # TODO 2: Refuse with 400 a limit that is no whole number from 1 to 1000.
    limit = query.get("limit", "100")
    # TODO 1: List `limit` keys that begin with PREFIX, from `next` on, and say where the rest begins.
    raise NotImplementedError("TODO 1: list the thumbnails")


def show_thumbnail(event):
    """GET /thumbnails/{name}"""
    name = checked_name(event["pathParameters"]["name"])
    # TODO 4: Where S3 has no such key, the answer is 404.
    found = s3.get_object(Bucket=DEST_BUCKET, Key=PREFIX + name)
    # TODO 3: Answer the picture, with its content type. JSON has no place for bytes: use base64.
    raise NotImplementedError("TODO 3: answer the picture")


def delete_thumbnail(event):
    """DELETE /thumbnails/{name}"""
    name = checked_name(event["pathParameters"]["name"])
    # TODO 8: Delete it, and answer 204, which has no body.
    raise NotImplementedError("TODO 8: delete the thumbnail")


def begin_upload(event):
    """POST /uploads"""
    asked = json_body(event)
    name = checked_name(asked.get("name"))
    content_type, size = asked.get("content_type"), asked.get("size")
    # TODO 6: Refuse what makes no sense (400), is too large (413), or is no picture for us (415).
    # TODO 7: Make the URL: for a PUT of this key, content type and length, for URL_SECONDS.
    raise NotImplementedError("TODO 7: make the presigned URL")


def json_body(event):
    """The body's JSON object. A body that is not sent as JSON comes in base64."""
    # TODO 5: Undo base64 if the event says so; refuse with 400 what is no JSON object.
    return json.loads(event["body"])


def checked_name(name):
    """The name, if it is one."""
    # TODO 5, too: Refuse with 400 what is no name. The contract above says what a name is.
    return name


ROUTES = {
    "GET /thumbnails": list_thumbnails,
    "GET /thumbnails/{name}": show_thumbnail,
    "DELETE /thumbnails/{name}": delete_thumbnail,
    "POST /uploads": begin_upload,
}
