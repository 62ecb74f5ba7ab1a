"""The average is the picture made one pixel large, by Pillow itself; nothing is drafted."""

import io
import os
from urllib.parse import unquote_plus

import boto3
from PIL import Image, ImageOps, __version__

s3 = boto3.client("s3")
DEST_BUCKET = os.environ["DEST_BUCKET"]
SIZE = (128, 128)

print(f"resizer with Pillow {__version__}")


def handler(event, context):
    """Make a thumbnail for each record of the event."""
    for record in event.get("Records", []):
        resize(record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"]))


def resize(bucket, key):
    """Read one photograph and write its thumbnail."""
    image = read(bucket, key)
    print(f"{key}: {image.width} x {image.height} pixels")
    thumbnail = ImageOps.exif_transpose(image).convert("RGB")
    thumbnail.thumbnail(SIZE)
    colour = average_colour(image)
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
    return Image.open(io.BytesIO(body))


def average_colour(image):
    """Return the average colour of an image in RGB, as #rrggbb."""
    red, green, blue = image.resize((1, 1), Image.Resampling.BOX).convert("RGB").getpixel((0, 0))
    return f"#{red:02x}{green:02x}{blue:02x}"
