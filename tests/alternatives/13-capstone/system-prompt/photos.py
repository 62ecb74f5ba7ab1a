"""What becomes of an upload: a thumbnail, an alternative text, an announcement.

Lambda calls handler() with an S3 event for raw/NAME. The environment variables are THUMBNAIL_BUCKET,
PHOTO_TABLE, CONNECTION_TABLE, MODEL_ID and CALLBACK_URL.

1. The thumbnail goes to thumbnails/NAME of THUMBNAIL_BUCKET, with its content type.
2. A Bedrock model writes the alternative text, by Converse. It doesn't see the photograph: the prompt says
   all that look_at() found out. MOST_TOKENS tokens at most are asked for, and paid.
3. The text is one line of at most LONGEST characters. Where the model gives none (it is throttled, refuses,
   a guardrail or a filter stops it, it says nothing), fallback(facts) stands in, and all goes on.
4. PHOTO_TABLE gets {"name": NAME, "alt": the text, "alt_by": "model" or "fallback"}.
5. Every page in CONNECTION_TABLE is told {"name", "alt", "alt_by", "picture"}, in JSON. `picture` is a URL
   of the thumbnail. A page that has gone is taken out of the table, and the others are told.

An upload that is no picture is skipped with a line in the log: nothing is stored, and nobody is told.
"""

import io
import json
import os
import textwrap
from urllib.parse import unquote_plus

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from PIL import ExifTags, Image, ImageOps

s3 = boto3.client("s3", config=Config(signature_version="s3v4"))
# One try more, and no long waiting: the fallback is better than a late text.
bedrock = boto3.client(
    "bedrock-runtime", config=Config(read_timeout=60, retries={"total_max_attempts": 2})
)
tables = boto3.resource("dynamodb")
photos = tables.Table(os.environ["PHOTO_TABLE"])
connections = tables.Table(os.environ["CONNECTION_TABLE"])
# Set on the local cloud alone. On AWS every WebSocket API has an address of its own for this.
CALLBACK_URL = os.environ.get("AWS_ENDPOINT_URL") or os.environ["CALLBACK_URL"]
sockets = boto3.client("apigatewaymanagementapi", endpoint_url=CALLBACK_URL)
THUMBNAIL_BUCKET = os.environ["THUMBNAIL_BUCKET"]
MODEL_ID = os.environ["MODEL_ID"]
MOST_TOKENS = 60
LONGEST = 200

FORMATS = ("JPEG", "PNG", "GIF", "WEBP")
UNREADABLE = (OSError, SyntaxError, Image.DecompressionBombError)
COLOURS = {
    "black": (0, 0, 0), "white": (255, 255, 255), "grey": (128, 128, 128), "red": (200, 30, 30),
    "orange": (240, 140, 20), "yellow": (240, 220, 50), "green": (40, 150, 60),
    "blue": (40, 80, 200), "purple": (130, 50, 160), "pink": (240, 150, 180), "brown": (110, 70, 40),
}  # fmt: skip


def handler(event, context):
    """Take care of each upload of the event; return the names of the photographs."""
    done = [take_care(record["s3"]) for record in event.get("Records", [])]
    return {"photos": [name for name in done if name]}


def take_care(record):
    """Do all that is to be done for one upload; return its name, or None if it is no picture."""
    key = unquote_plus(record["object"]["key"])
    name = key.removeprefix("raw/")
    body = s3.get_object(Bucket=record["bucket"]["name"], Key=key)["Body"].read()
    try:
        image = Image.open(io.BytesIO(body), formats=FORMATS)
        facts = look_at(image, name)
        thumbnail, content_type = make_thumbnail(image)
    except UNREADABLE as error:
        print(f"{key} is skipped: {error}")
        return None
    s3.put_object(
        Bucket=THUMBNAIL_BUCKET, Key=f"thumbnails/{name}", Body=thumbnail, ContentType=content_type
    )
    alt, alt_by = alternative_text(facts)
    photo = {"name": name, "alt": alt, "alt_by": alt_by}
    photos.put_item(Item=photo)
    place = {"Bucket": THUMBNAIL_BUCKET, "Key": f"thumbnails/{name}"}
    picture = s3.generate_presigned_url("get_object", Params=place, ExpiresIn=3600)
    announce(photo | {"picture": picture})
    return name


def look_at(image, name):
    """What can be said of a photograph without looking at it as people do: a dict of words and numbers."""
    upright = ImageOps.exif_transpose(image).convert("RGB")
    width, height = upright.size
    shape = "square" if width == height else "landscape" if width > height else "portrait"
    small = upright.resize((32, 32)).quantize(4)
    palette, counts = small.getpalette(), sorted(small.getcolors(), reverse=True)
    found = [nearest(palette[3 * index : 3 * index + 3]) for _, index in counts]
    facts = {
        "file name": name,
        "width": width,
        "height": height,
        "orientation": shape,
        "colours": ", ".join(dict.fromkeys(found)),
    }
    exif = image.getexif()
    # Many photographs know where they were taken, too. No prompt needs that.
    for words, tag in (("taken", ExifTags.Base.DateTime), ("camera", ExifTags.Base.Model)):
        if exif.get(tag):
            facts[words] = str(exif[tag])
    return facts


def nearest(colour):
    """The name of the colour that is nearest."""

    def distance(name):
        return sum((a - b) ** 2 for a, b in zip(COLOURS[name], colour, strict=True))

    return min(COLOURS, key=distance)


def make_thumbnail(image):
    """The bytes of a small upright picture in the format of the large one, and its content type."""
    kind = "JPEG" if image.format == "MPO" else image.format
    if image.mode == "P":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode == "CMYK":
        image = image.convert("RGB")
    image.thumbnail((128, 128))
    output = io.BytesIO()
    ImageOps.exif_transpose(image).save(output, format=kind)
    return output.getvalue(), Image.MIME[kind]


def fallback(facts):
    """A plain alternative text that needs no model."""
    return f"{facts['file name']}, a {facts['orientation']} photograph"[:LONGEST]


def alternative_text(facts):
    """Return the text, and who has written it: "model" or "fallback"."""
    try:
        said = bedrock.converse(
            modelId=MODEL_ID,
            system=[
                {
                    "text": "You write alternative texts for pictures that you can't see. One sentence."
                }
            ],
            messages=[{"role": "user", "content": [{"text": json.dumps(facts)}]}],
            inferenceConfig={"maxTokens": 40},
        )
        if said["stopReason"] in ("guardrail_intervened", "content_filtered"):
            raise ValueError(said["stopReason"])
        text = textwrap.shorten(
            said["output"]["message"]["content"][0]["text"], LONGEST, placeholder="…"
        )
        if not text:
            raise ValueError("nothing was said")
    except Exception as error:  # whatever it is, the photograph comes first
        print(f"Without the model: {type(error).__name__}: {error}")
        return fallback(facts), "fallback"
    return text, "model"


def announce(message):
    """Tell every page that is connected, one after another, and then tidy up."""
    pages = [page["id"] for page in connections.scan(ProjectionExpression="id")["Items"]]
    gone = [page for page in pages if not is_told(page, json.dumps(message).encode())]
    with connections.batch_writer() as batch:
        for page in gone:
            batch.delete_item(Key={"id": page})


def is_told(page, data):
    """Whether the page is still there to be told."""
    try:
        sockets.post_to_connection(ConnectionId=page, Data=data)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 410:
            raise
        return False
    return True
