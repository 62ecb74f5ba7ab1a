"""The image resizer: an upload under raw/ becomes a thumbnail in the destination bucket.

Lambda calls handler() with an S3 event. The environment variables are DEST_BUCKET, the bucket to
write to, and THUMBNAIL_SIZE, the longest side of a thumbnail in pixels (128 if it is not set).

- The upload raw/NAME gives the object thumbnails/NAME. The source bucket is only read.
- A thumbnail fits into the square, has the picture's proportions, and is never larger than the upload.
- It stands upright, its transparent parts stay transparent, and its colours are for a screen: no CMYK.
  Of an animation it shows the first picture.
- It is a file of the upload's format, with the content type of that format and the upload's metadata.
- An upload that Pillow can't read (no picture, cut off, far too many pixels) is skipped: a line in the log
  with its key, no error, and the next record's turn. All other errors are Lambda's to see.
- The same event twice gives the same objects. Nothing stays in /tmp. A picture is in memory at most once.
"""

import io
import os
from urllib.parse import unquote_plus

import boto3
from PIL import Image, ImageOps

# Made once for each execution environment, in its Init phase, and used by all its invocations.
s3 = boto3.client("s3")
DEST_BUCKET = os.environ["DEST_BUCKET"]
THUMBNAIL_SIZE = int(os.environ.get("THUMBNAIL_SIZE", "128"))

# The formats that browsers upload and Pillow can write. It reads more, some with the help of other programs.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP")
# What Pillow raises for a file that it can't read.
UNREADABLE = (OSError, SyntaxError, Image.DecompressionBombError)


def handler(event, context):
    """Make a thumbnail for each record of the event; return the keys that were written."""
    # >>> TODO 6: Do it for every record. A test event of S3 has no "Records" at all.
    written = [resize(record["s3"]) for record in event.get("Records", [])]
    #| written = [resize(event["Records"][0]["s3"])]
    # <<<
    return {"thumbnails": [key for key in written if key]}


def resize(record):
    """Read one upload and write its thumbnail; return the thumbnail's key, or None if it is skipped."""
    bucket = record["bucket"]["name"]
    # >>> TODO 5: Undo the URL encoding: S3 writes the key "raw/my photo.jpg" as "raw/my+photo.jpg".
    key = unquote_plus(record["object"]["key"])
    #| key = record["object"]["key"]
    # <<<
    # >>> TODO 1: Get the object of this bucket and key from S3, and read its body.
    upload = s3.get_object(Bucket=bucket, Key=key)
    body = upload["Body"].read()
    #| raise NotImplementedError("TODO 1: get the object and read its body")
    # <<<
    # >>> TODO 10: If it is UNREADABLE, print a line with the key, and return None.
    try:
        thumbnail, content_type = make_thumbnail(body)
    except UNREADABLE as error:
        # Trying again would not help, so this is no error that Lambda should see.
        print(f"s3://{bucket}/{key} is skipped: {error}")
        return None
    #| thumbnail, content_type = make_thumbnail(body)
    # <<<
    target = "thumbnails/" + key.removeprefix("raw/")
    # >>> TODO 4: Put the thumbnail into DEST_BUCKET, with its content type and the upload's metadata.
    s3.put_object(
        Bucket=DEST_BUCKET, Key=target, Body=thumbnail,
        ContentType=content_type, Metadata=upload["Metadata"],
    )  # fmt: skip
    #| raise NotImplementedError("TODO 4: put the thumbnail into DEST_BUCKET")
    # <<<
    print(
        f"s3://{bucket}/{key} {len(body)} bytes -> s3://{DEST_BUCKET}/{target} {len(thumbnail)} bytes"
    )
    return target


def make_thumbnail(body):
    """Return the bytes and the content type of the thumbnail of an image file's bytes."""
    image = Image.open(io.BytesIO(body), formats=FORMATS)
    # Some phones write MPO: a JPEG with a second one behind it. The first is the picture.
    kind = "JPEG" if image.format == "MPO" else image.format
    # >>> TODO 8: Give palettes (P and 1) their colours, and bring 16 bits (I;16) down to 8, before shrinking.
    if image.mode in ("P", "1"):  # entries of a palette can't be averaged; colours can
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode.startswith("I;16"):
        image = image.point(lambda value: value / 257).convert("L")  # 65535 becomes 255
    # <<<
    # >>> TODO 2: Make it fit into the square. It keeps its proportions, and is never enlarged.
    image.thumbnail((THUMBNAIL_SIZE, THUMBNAIL_SIZE))
    #| raise NotImplementedError("TODO 2: make the image fit into the square")
    # <<<
    # >>> TODO 7: Turn it upright: a camera notes beside the picture how it was held.
    ImageOps.exif_transpose(image, in_place=True)
    # <<<
    # >>> TODO 9: Turn CMYK into RGB: colours of ink into colours of light.
    if image.mode == "CMYK":
        image = image.convert("RGB")
        image.info.pop("icc_profile", None)  # it describes ink
    # <<<
    output = io.BytesIO()
    # >>> TODO 3: Save it into output, in the upload's own format.
    image.save(output, format=kind, icc_profile=image.info.get("icc_profile"))
    #| raise NotImplementedError("TODO 3: save the thumbnail into output")
    # <<<
    return output.getvalue(), Image.MIME[kind]
