"""From PUT to thumbnail: the photograph, the Pillow layer, and one timed trip."""

import io
import random
import secrets
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from botocore.exceptions import ClientError
from PIL import Image, ImageOps

from .functions import RUNTIME, THUMBNAIL, deploy, zipped
from .servers import Endpoint

SIZE = (1600, 1200)
THUMBNAIL_SIZE = (200, 150)
PHOTOS = Path(__file__).parent.parent / "assets" / "photos"
SOURCE, DESTINATION = "bench-source", "bench-thumbnails"
TRIP_LIMIT_S = 30.0


class ThumbnailMissing(RuntimeError):
    """No thumbnail in time, or a wrong one."""


def photograph() -> tuple[bytes, str]:
    """A 1600×1200 JPEG and what it was made from: a photograph of the kit's, else noise."""
    pictures = sorted(p for p in PHOTOS.glob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if pictures:
        chosen = max(pictures, key=_pixels)  # the one that has to be enlarged least
        with Image.open(chosen) as picture:
            image, origin = ImageOps.fit(picture.convert("RGB"), SIZE), chosen.name
    else:
        # Coarse colour noise, enlarged, under fine grey noise: about as hard to decode as a photo.
        draw = random.Random(1600)
        coarse = Image.frombytes("RGB", (40, 30), draw.randbytes(40 * 30 * 3)).resize(SIZE)
        fine = Image.frombytes("L", SIZE, draw.randbytes(SIZE[0] * SIZE[1])).convert("RGB")
        image, origin = Image.blend(coarse, fine, 0.12), "generated noise"
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88)
    return out.getvalue(), origin


def _pixels(picture: Path) -> int:
    with Image.open(picture) as image:
        return image.width * image.height


def pillow_layer() -> bytes:
    """A layer made of the Pillow installed here, without its tests and bytecode."""
    distribution = metadata.distribution("Pillow")
    files = {}
    for file in distribution.files or ():
        if ".." in file.parts or file.suffix == ".pyc":
            continue
        files[f"python/{file.as_posix()}"] = file.locate().read_bytes()
    return zipped(files)


def set_up(endpoint: Endpoint, layer: bytes) -> str:
    """Buckets, layer, function, permission and notification. Returns the function's name."""
    s3, lambda_ = endpoint.client("s3"), endpoint.client("lambda")
    for bucket in (SOURCE, DESTINATION):
        s3.create_bucket(Bucket=bucket)
    published = lambda_.publish_layer_version(
        LayerName="pillow", Content={"ZipFile": layer}, CompatibleRuntimes=[RUNTIME]
    )
    function = deploy(
        endpoint,
        "bench-thumbnail",
        THUMBNAIL,
        layers=(published["LayerVersionArn"],),
        variables={"DESTINATION": DESTINATION},
    )
    lambda_.add_permission(
        FunctionName=function.name,
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{SOURCE}",
        SourceAccount="000000000000",
    )
    s3.put_bucket_notification_configuration(
        Bucket=SOURCE,
        NotificationConfiguration={
            "LambdaFunctionConfigurations": [
                {
                    "LambdaFunctionArn": function.arn,
                    "Events": ["s3:ObjectCreated:*"],
                    "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "raw/"}]}},
                }
            ]
        },
    )
    return function.name


def trips(endpoint: Endpoint, photo: bytes) -> Iterator[float]:
    """Milliseconds from the PUT's start to the thumbnail's last byte, one a step, for ever."""
    s3 = endpoint.client("s3")
    run, number = secrets.token_hex(4), 0  # an older run's thumbnail must not answer
    while True:
        number += 1
        wanted = f"thumbnails/{run}-{number:04}.jpg"
        started = time.perf_counter()
        s3.put_object(Bucket=SOURCE, Key=f"raw/{run}-{number:04}.jpg", Body=photo)
        while True:
            try:
                made = s3.get_object(Bucket=DESTINATION, Key=wanted)["Body"].read()
                break
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchKey":
                    raise
            if time.perf_counter() - started > TRIP_LIMIT_S:
                raise ThumbnailMissing(f"no {wanted} within {TRIP_LIMIT_S:.0f} s")
            time.sleep(0.001)
        elapsed = (time.perf_counter() - started) * 1000
        with Image.open(io.BytesIO(made)) as image:
            if image.format != "JPEG" or image.size != THUMBNAIL_SIZE:
                raise ThumbnailMissing(f"{wanted} is a {image.format} of {image.size}")
        yield elapsed
