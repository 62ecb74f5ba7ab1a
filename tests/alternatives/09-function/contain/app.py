# ImageOps.contain, upload_fileobj, a class; the orientation is undone by hand from the tag.
import io
import os
from urllib.parse import unquote_plus

import boto3
from PIL import Image, ImageOps

TURNS = dict(zip(range(2, 9), (0, 3, 1, 5, 4, 6, 2), strict=True))


class Thumbnails:
    def __init__(self):
        self.s3 = boto3.client("s3")
        self.bucket = os.environ["DEST_BUCKET"]
        self.side = int(os.environ.get("THUMBNAIL_SIZE", 128))

    def make(self, body):
        with Image.open(io.BytesIO(body)) as image:
            kind, turn = image.format.replace("MPO", "JPEG"), TURNS.get(image.getexif().get(0x0112))
            if image.mode in "P1":
                image = image.convert("RGBA")
            elif image.mode == "I;16":
                image = image.point(lambda v: v * (1 / 256)).convert("L")
            if max(image.size) > self.side:
                image = ImageOps.contain(image, (self.side, self.side))
            if turn is not None:
                image = image.transpose(Image.Transpose(turn))
            clean = image.convert("RGB") if image.mode == "CMYK" else image
            if "exif" in clean.info:
                del clean.info["exif"]
            out = io.BytesIO()
            clean.save(out, kind, quality=85)
        out.seek(0)
        return out, Image.MIME[kind]

    def __call__(self, event, context):
        for entry in event.get("Records", ()):
            bucket, item = entry["s3"]["bucket"]["name"], entry["s3"]["object"]
            key = unquote_plus(item["key"])
            upload = self.s3.get_object(Bucket=bucket, Key=key)
            data = upload["Body"].read()
            try:
                small, kind = self.make(data)
            except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
                print("not a picture:", key, repr(error))
                continue
            extra = {"ContentType": kind, "Metadata": upload["Metadata"]}
            target = f"thumbnails/{key[len('raw/') :]}"
            self.s3.upload_fileobj(small, self.bucket, target, ExtraArgs=extra)


handler = Thumbnails()
