"""The image resizer: an upload to raw/ becomes a thumbnail in the destination bucket.

Lambda calls handler() with an S3 event. The environment variables are DEST_BUCKET, the bucket to
write to, and THUMBNAIL_SIZE, the longest side of a thumbnail in pixels (128 by default).
"""

import io
import os
from urllib.parse import unquote_plus

import boto3
from PIL import Image, ImageOps, UnidentifiedImageError

# Made once for each execution environment, in its Init phase, and used by all its invocations.
s3 = boto3.client("s3")
DEST_BUCKET = os.environ["DEST_BUCKET"]
THUMBNAIL_SIZE = int(os.environ.get("THUMBNAIL_SIZE", "128"))


def handler(event, context):
    """Make a thumbnail for each record of the event; return the keys that were written."""
    # S3 sends one record an event as a rule, but promises no such thing. A test event has none.
    return {"thumbnails": [resize(record["s3"]) for record in event.get("Records", [])]}


def resize(record):
    """Read one uploaded image and write its thumbnail; return the thumbnail's key."""
    bucket = record["bucket"]["name"]
    key = unquote_plus(record["object"]["key"])  # "raw/my+photo.jpg" is raw/my photo.jpg
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    try:
        image = Image.open(io.BytesIO(body))
    except UnidentifiedImageError:
        # Trying again would not help, so this is no error that Lambda should see.
        print(f"s3://{bucket}/{key} is not an image that Pillow can read: skipped")
        return None
    before = image.size
    thumbnail, content_type, after = make_thumbnail(image)

    target = "thumbnails/" + key.removeprefix("raw/")
    s3.put_object(Bucket=DEST_BUCKET, Key=target, Body=thumbnail, ContentType=content_type)
    print(
        f"s3://{bucket}/{key} {before[0]}x{before[1]} {len(body)} bytes -> "
        f"s3://{DEST_BUCKET}/{target} {after[0]}x{after[1]} {len(thumbnail)} bytes"
    )
    return target


def make_thumbnail(image):
    """Return the thumbnail's bytes, content type and size; the image's own format is kept."""
    kind = image.format
    profile = image.info.get("icc_profile")
    if image.mode in ("P", "1"):  # a palette can't be averaged; colours can
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    # Fits into the square, keeps the proportions, and never enlarges.
    image.thumbnail((THUMBNAIL_SIZE, THUMBNAIL_SIZE))
    # A camera held upright stores the picture lying, and a note which way is up.
    image = ImageOps.exif_transpose(image)
    if image.mode == "CMYK":  # browsers show RGB, and a profile for ink does not fit it
        image, profile = image.convert("RGB"), None
    output = io.BytesIO()
    options = {"icc_profile": profile} if profile else {}
    image.save(output, format=kind, **options)
    return output.getvalue(), Image.MIME[kind], image.size
