# boto3's resource, Image.reduce and resize, the orientation's tag kept instead of turned pixels.
import io
import os
import traceback
from urllib.parse import unquote_plus

import boto3
from PIL import Image

s3 = boto3.resource("s3")
SIDE = int(os.environ.get("THUMBNAIL_SIZE", "128"))


def shrink(image):
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode == "I;16":
        image = image.convert("I")
    width, height = image.size
    scale = max(1, max(width, height) / SIDE)
    if scale > 2:
        image = image.reduce(int(scale))
    image = image.resize((max(1, round(width / scale)), max(1, round(height / scale))))
    if image.mode == "I":
        image = image.point(lambda v: v / 257).convert("L")
    return image.convert("RGB") if image.mode == "CMYK" else image


def handler(event, context):
    done = 0
    for record in event.get("Records", []):
        key = unquote_plus(record["s3"]["object"]["key"])
        upload = s3.Object(record["s3"]["bucket"]["name"], key).get()
        body = upload["Body"].read()
        try:
            image = Image.open(io.BytesIO(body))
            kind, orientation = image.format, image.getexif().get(0x0112)
            kind = "JPEG" if kind == "MPO" else kind
            small = shrink(image)
        except (OSError, Image.DecompressionBombError):
            print(f"skipped {key}")
            traceback.print_exc()
            continue
        options = {}
        if orientation:
            options["exif"] = Image.Exif()
            options["exif"][0x0112] = orientation  # every viewer turns it
        out = io.BytesIO()
        small.save(out, kind, **options)
        s3.Bucket(os.environ["DEST_BUCKET"]).put_object(
            Key="thumbnails/" + key.partition("raw/")[2],
            Body=out.getvalue(),
            ContentType=Image.MIME[kind],
            Metadata=upload["Metadata"],
        )
        done += 1
    return done
