# Files in a temporary folder that goes away by itself; download_file and upload_file.
import os
import tempfile
from pathlib import Path
from urllib.parse import unquote_plus

import boto3
from PIL import Image, ImageOps

s3 = boto3.client("s3")


def handler(event, context):
    for record in event.get("Records", []):
        with tempfile.TemporaryDirectory() as folder:
            one(record["s3"], Path(folder))


def one(record, folder):
    key = unquote_plus(record["object"]["key"])
    bucket = record["bucket"]["name"]
    metadata = s3.head_object(Bucket=bucket, Key=key)["Metadata"]
    s3.download_file(bucket, key, str(folder / "before"))
    try:
        content_type = make(folder / "before", folder / "after")
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        print(f"{key}: {error}; nothing to do")
        return
    s3.upload_file(
        str(folder / "after"),
        os.environ["DEST_BUCKET"],
        "thumbnails/" + key.split("/", 1)[1],
        ExtraArgs={"ContentType": content_type, "Metadata": metadata},
    )


def make(before, after):
    side = int(os.environ.get("THUMBNAIL_SIZE", "128"))
    with Image.open(before) as image:
        kind = {"MPO": "JPEG"}.get(image.format, image.format)
        if image.mode == "P" or image.mode == "1":
            image = image.convert("RGBA")
        elif image.mode == "I;16":
            image = image.point(lambda value: value / 257).convert("L")
        image.thumbnail((side, side), Image.Resampling.HAMMING)
        image = ImageOps.exif_transpose(image)
        if image.mode == "CMYK":
            image = image.convert("RGB")
        image.save(after, format=kind)
    return Image.MIME[kind]
