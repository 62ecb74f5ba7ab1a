"""Another right summariser: a long text ends with a whole word, and the summary is uploaded as a file."""

import io
import json
import os
import random
import time
from urllib.parse import unquote_plus

import boto3
from botocore.config import Config

s3 = boto3.client("s3")
# One try: this code knows how much of the function's time is left, and boto3 does not.
bedrock = boto3.client("bedrock-runtime", config=Config(retries={"total_max_attempts": 1}))

MODEL_ID = os.environ["MODEL_ID"]
DEST_BUCKET = os.environ["DEST_BUCKET"]
MAX_TOKENS = int(os.environ["MAX_TOKENS"])
TOKEN_BUDGET = int(os.environ["TOKEN_BUDGET"])
PRICE = json.loads(os.environ["PRICES"])[MODEL_ID]

SYSTEM = "Summarise the user's text in one sentence."
# Careful for English, which has about four characters a token; other languages have fewer.
CHARACTERS_PER_TOKEN = 3
RESERVE_MS = 1500
FIRST_WAIT_S = 0.2
BLOCKED = ("guardrail_intervened", "content_filtered")


def handler(event, context):
    """Summarise the text of each record; return the keys that were written, and what they cost."""
    records = event.get("Records", [])
    found = [summarise(record["s3"], context) for record in records]
    written = [one for one in found if one]
    return {
        "summaries": [one["key"] for one in written],
        "input_tokens": sum(one["input_tokens"] for one in written),
        "output_tokens": sum(one["output_tokens"] for one in written),
        "dollars": sum(one["dollars"] for one in written),
    }


def summarise(record, context):
    """Read one text and write its summary; return what was written with its key, or None if it is skipped."""
    bucket = record["bucket"]["name"]
    key = unquote_plus(record["object"]["key"])
    target = "summaries/" + key.removeprefix("texts/") + ".json"
    upload = s3.get_object(Bucket=bucket, Key=key)
    if is_done(target, upload["ETag"]):
        print(f"{key} has its summary already")
        return None
    body = upload["Body"].read()
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = ""
    if not text.strip():
        print(f"{key} is skipped: no text")
        return None
    shortened = cut(text)
    answer = ask(shortened, context)
    summary = {
        "summary": text_of(answer),
        "model": MODEL_ID,
        "stop_reason": answer["stopReason"],
        "complete": answer["stopReason"] == "end_turn",
        "cut": shortened != text,
        "input_tokens": answer["usage"]["inputTokens"],
        "output_tokens": answer["usage"]["outputTokens"],
        "dollars": cost(answer["usage"]),
    }
    extra = {"ContentType": "application/json", "Metadata": {"text-etag": upload["ETag"]}}
    s3.upload_fileobj(
        io.BytesIO(json.dumps(summary).encode()), DEST_BUCKET, target, ExtraArgs=extra
    )
    print(f"{key} -> {target}, {summary['stop_reason']}, ${summary['dollars']:.7f}")
    return {"key": target, **summary}


def is_done(target, etag):
    """Whether the summary of the text with this ETag has been written."""
    try:
        return s3.head_object(Bucket=DEST_BUCKET, Key=target)["Metadata"].get("text-etag") == etag
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        return False


def cut(text):
    """Return as much of the beginning of the text as fits into the budget."""
    room = (TOKEN_BUDGET - MAX_TOKENS) * CHARACTERS_PER_TOKEN - len(SYSTEM)
    if len(text) <= room:
        return text
    return text[:room].rpartition(" ")[0] or text[:room]


def ask(text, context):
    """Ask the model for a summary of the text; return Converse's answer."""
    wait_s = FIRST_WAIT_S
    while True:
        try:
            return converse(text)
        except bedrock.exceptions.ThrottlingException:
            pause_s = wait_s * random.uniform(0.5, 1)  # so that not everybody comes back at once
            if context.get_remaining_time_in_millis() - pause_s * 1000 < RESERVE_MS:
                raise
            print(f"throttled; waiting {pause_s:.1f} s")
            time.sleep(pause_s)
            wait_s *= 2


def converse(text):
    """Send one request to Bedrock."""
    return bedrock.converse(
        modelId=MODEL_ID,
        system=[{"text": SYSTEM}],
        messages=[{"role": "user", "content": [{"text": text}]}],
        inferenceConfig={"maxTokens": MAX_TOKENS},
    )


def text_of(answer):
    """Return the text of Converse's answer, or None if it is no summary."""
    if answer["stopReason"] in BLOCKED:
        return None
    return "".join(block.get("text", "") for block in answer["output"]["message"]["content"])


def cost(usage):
    """Return what the tokens cost, in dollars."""
    return (
        usage["inputTokens"] * PRICE["input"] + usage["outputTokens"] * PRICE["output"]
    ) / 1_000_000
