"""The image resizer of a colleague who has left: an upload to raw/ becomes a thumbnail.

Each thumbnail is an upright JPEG that fits into 128 x 128 pixels and lies, as image/jpeg, under
thumbnails/ in the bucket DEST_BUCKET. Its metadata has the average colour of the photograph,
average-colour: #20a0ff, for the page to show until the picture is loaded.
"""

import io
import os
from urllib.parse import unquote_plus

import boto3
import PIL
from PIL import Image, ImageOps

s3 = boto3.client("s3")
DEST_BUCKET = os.environ["DEST_BUCKET"]
SIZE = (128, 128)

print(f"resizer with Pillow {PIL.__version__}")


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
    pixels, total = image.load(), [0, 0, 0]
    for y in range(image.height):
        for x in range(image.width):
            for band, value in enumerate(pixels[x, y]):
                total[band] += value
    count = image.width * image.height
    return "#" + "".join(f"{round(value / count):02x}" for value in total)
