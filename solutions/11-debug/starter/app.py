"""The image resizer of a colleague who has left: an upload to raw/ becomes a thumbnail.

Each thumbnail is an upright JPEG that fits into 128 x 128 pixels and lies, as image/jpeg, under
thumbnails/ in the bucket DEST_BUCKET. Its metadata has the average colour of the photograph,
average-colour: #20a0ff, for the page to show until the picture is loaded.

It does not work. Find out why in its log, one fault after the other; notebook 11 shows how. When you
are done, what the lines above promise holds.
"""

import io
import os
from urllib.parse import unquote_plus

import boto3
from PIL import PILLOW_VERSION, Image, ImageOps

s3 = boto3.client("s3")
DEST_BUCKET = os.environ["DEST_BUCKET"]
SIZE = (128, 128)
# Photographs by bucket and key, so that an event which comes twice is not read twice.
PHOTOGRAPHS = {}

print(f"resizer with Pillow {PILLOW_VERSION}")


def handler(event, context):
    """Make a thumbnail for each record of the event."""
    for record in event.get("Records", []):
        resize(record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"]))


def resize(bucket, key):
    """Read one photograph and write its thumbnail."""
    image = read(bucket, key)
    print(f"{key}: {image.width} x {image.height} pixels")
    colour = average_colour(image)
    thumbnail = image.copy()
    thumbnail.thumbnail(SIZE)
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
    if (bucket, key) not in PHOTOGRAPHS:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        image = Image.open(io.BytesIO(body))
        PHOTOGRAPHS[bucket, key] = ImageOps.exif_transpose(image).convert("RGB")
    return PHOTOGRAPHS[bucket, key]


def average_colour(image):
    """Return the average colour of an image in RGB, as #rrggbb."""
    pixels, total = image.load(), [0, 0, 0]
    for y in range(image.height):
        for x in range(image.width):
            for band, value in enumerate(pixels[x, y]):
                total[band] += value
    count = image.width * image.height
    return "#" + "".join(f"{round(value / count):02x}" for value in total)
