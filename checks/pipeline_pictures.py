"""Photographs that go into stage 11's pipeline, and the thumbnails that come out."""

import io
import re
from urllib.parse import quote_plus

from botocore.exceptions import ClientError

from labkit import thumbnails
from labkit.grading import Unmet, expect
from labkit.grading.pictures import show


def event(places, *keys):
    """An S3 event about objects of the source bucket ("Event message structure")."""
    records = [
        {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
         "s3": {"bucket": {"name": places.source}, "object": {"key": quote_plus(key, safe="/")}}}
        for key in keys
    ]  # fmt: skip
    return {"Records": records}


def upload(deployment, places, key, body):
    """Put a photograph into the source bucket."""
    deployment.client("s3").put_object(Bucket=places.source, Key=key, Body=body)


def jpeg(image, **options):
    """An image as the bytes of a JPEG."""
    output = io.BytesIO()
    image.save(output, "JPEG", **options)
    return output.getvalue()


def target(key):
    """The key of a photograph's thumbnail."""
    return "thumbnails/" + key.removeprefix("raw/")


def expect_thumbnail(deployment, places, key, size, colour, tried, log):
    """Raises Unmet unless the thumbnail of a photograph of that upright size and that colour is there."""
    s3 = deployment.client("s3")
    try:
        found = s3.get_object(Bucket=places.destination, Key=target(key))
    except ClientError:
        raise Unmet(tried=tried, expected=target(key), seen="no such object", log=log) from None
    try:
        image = thumbnails.read(body := found["Body"].read())
    except ValueError:
        raise Unmet(tried=tried, expected="a JPEG", seen="no picture", log=log) from None
    show(body, f"{target(key)}, of a photograph of {size[0]} x {size[1]}")
    scale = 128 / max(size)
    near = [abs(side - edge * scale) <= 1.5 for side, edge in zip(image.size, size, strict=True)]
    expect(
        image.format == "JPEG" and all(near) and max(image.size) <= 128,
        tried=tried,
        expected=f"a JPEG of about {size[0] * scale:.0f} x {size[1] * scale:.0f} pixels, none above 128",
        seen=f"a {image.format} of {image.size[0]} x {image.size[1]}",
        log=log,
    )
    expect(
        found["ContentType"].lower() == "image/jpeg",
        tried=tried,
        expected=f"{target(key)} with the content type image/jpeg",
        seen=found["ContentType"],
        log=log,
    )
    given = found["Metadata"].get("average-colour", "")
    parts = (
        [int(given[n : n + 2], 16) for n in (1, 3, 5)]
        if re.fullmatch(r"#[0-9a-f]{6}", given)
        else []
    )
    expect(
        parts and all(abs(a - b) <= 8 for a, b in zip(parts, colour, strict=True)),
        tried=tried,
        expected="metadata average-colour of about #" + "".join(f"{part:02x}" for part in colour),
        seen=given or "none",
        log=log,
    )


def expect_shown(deployment, places, key, image, tried):
    """Raises Unmet unless the thumbnail, which is there, shows the image."""
    found = deployment.client("s3").get_object(Bucket=places.destination, Key=target(key))
    verdict = thumbnails.judge(jpeg(image), found["Body"].read(), 128)
    expect(
        verdict.right,
        tried=tried,
        expected="a thumbnail of it",
        seen="; ".join(verdict.faults),
    )
