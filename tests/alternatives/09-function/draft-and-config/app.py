# A dataclass as configuration, a generator, draft for JPEG, animations kept as animations.
import io
import os
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote_plus

import boto3
from PIL import Image, ImageOps, ImageSequence


@dataclass(frozen=True)
class Config:
    bucket: str
    box: tuple[int, int]

    @classmethod
    def of_environment(cls):
        side = int(os.environ.get("THUMBNAIL_SIZE", "128"))
        return cls(os.environ["DEST_BUCKET"], (side, side))


CONFIG = Config.of_environment()


@cache
def storage():
    return boto3.client("s3")


def uploads(event):
    for record in event.get("Records", []):
        s3 = record["s3"]
        yield s3["bucket"]["name"], unquote_plus(s3["object"]["key"])


def small(frame):
    if frame.mode in ("1", "P"):
        frame = frame.convert("RGBA")
    if frame.mode.startswith("I"):
        frame = frame.point(lambda value: value / 256).convert("L")
    frame.draft("RGB" if frame.mode == "RGB" else None, CONFIG.box)
    frame.thumbnail(CONFIG.box, Image.Resampling.BOX)
    frame = ImageOps.exif_transpose(frame)
    return frame.convert("RGB") if frame.mode == "CMYK" else frame


def thumbnail(data):
    image = Image.open(io.BytesIO(data))
    kind, output = image.format, io.BytesIO()
    if kind == "MPO":
        small(image).save(output, "JPEG")
        return output.getvalue(), "image/jpeg"
    if getattr(image, "n_frames", 1) > 1:
        first, *others = [small(frame.copy()) for frame in ImageSequence.Iterator(image)]
        first.save(output, kind, save_all=True, append_images=others, loop=0)
    else:
        small(image).save(output, kind)
    return output.getvalue(), image.get_format_mimetype() or f"image/{kind.lower()}"


def handler(event, context):
    for bucket, key in uploads(event):
        upload = storage().get_object(Bucket=bucket, Key=key)
        data = upload["Body"].read()
        try:
            body, content_type = thumbnail(data)
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            print("cannot read", key, "because", error)
        else:
            storage().put_object(
                Bucket=CONFIG.bucket,
                Key="thumbnails" + key[key.index("/") :],
                Body=body,
                ContentType=content_type,
                Metadata=upload["Metadata"],
            )
