# Resize with sizes worked out by hand; one function, an explicit loop, a set of errors of its own.
import io
import logging
import os
import urllib.parse

import boto3
from PIL import Image, ImageOps

logging.getLogger().setLevel(logging.INFO)
client = boto3.client("s3")


def handler(event, context):
    longest = int(os.getenv("THUMBNAIL_SIZE", 128))
    for record in event.get("Records") or []:
        bucket = record["s3"]["bucket"]["name"]
        key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        answer = client.get_object(Bucket=bucket, Key=key)
        data = io.BytesIO(answer["Body"].read())
        try:
            image = Image.open(data)
            kind = image.format if image.format != "MPO" else "JPEG"
            image.load()
        except Exception as problem:
            logging.warning("skipping %s: %s", key, problem)
            continue
        if image.mode in {"P", "1"}:
            image = image.convert("RGBA")
        if image.mode == "I;16":
            image = image.convert("I").point(lambda value: value / 256).convert("L")
        factor = min(longest / image.width, longest / image.height, 1)
        size = max(1, int(image.width * factor)), max(1, int(image.height * factor))
        image = ImageOps.exif_transpose(image.resize(size, Image.Resampling.LANCZOS))
        if image.mode == "CMYK":
            image = image.convert("RGB")
        out = io.BytesIO()
        image.save(out, kind)
        out.seek(0)
        client.put_object(
            Bucket=os.environ["DEST_BUCKET"],
            Key=key.replace("raw/", "thumbnails/", 1),
            Body=out,
            ContentType=f"image/{kind.lower()}",
            Metadata=answer["Metadata"],
        )
