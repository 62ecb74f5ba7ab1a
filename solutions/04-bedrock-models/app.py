"""The summariser: a text that is dropped into a bucket gets a summary, written by a model on Bedrock.

Lambda calls handler() with an S3 event. Its environment variables:

    MODEL_ID      the model, or the inference profile, to ask
    DEST_BUCKET   the bucket for the summaries
    MAX_TOKENS    the most tokens that a summary may have
    TOKEN_BUDGET  the most tokens that one request may have: what is sent, and MAX_TOKENS
    PRICES        a price table in JSON: {model: {"input": …, "output": …}}, dollars for a million tokens

- The upload texts/NAME gives the object summaries/NAME.json in DEST_BUCKET. The source bucket is only read.
- It asks by Converse, with maxTokens and no other inference parameter: some models refuse them.
- What is sent is estimated at CHARACTERS_PER_TOKEN, system prompt included. A text that is too long for
  the budget is cut, as late as possible.
- The summary is an object in JSON: summary, model, stop_reason, complete (whether the model came to its
  end), cut (whether it saw only a part of the text), input_tokens, output_tokens and dollars, not rounded.
  Where the stop reason is a BLOCKED one, what came is no summary: summary is null.
- An upload that is no text (not UTF-8, or nothing but white space) is skipped: a line in the log with its
  key, no error, nothing asked, and the next record's turn.
- A throttled request is tried again, after waiting longer each time, while RESERVE_MS are left of the
  function's time. All other errors are Lambda's to see, and so is the throttle that is left at the end.
- The same event twice asks, and pays, once. A new text under the same key is asked for anew.
- It returns the keys written, and sums: {"summaries": […], "input_tokens": …, "output_tokens": …,
  "dollars": …}.

Its role may read texts/ and summaries/, list DEST_BUCKET, write summaries/ and invoke the model, no more.
"""

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
    # >>> TODO 8: Do it for every record. A test event of S3 has no "Records" at all.
    records = event.get("Records", [])
    #| records = event["Records"][:1]
    # <<<
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
    # >>> TODO 7: Undo the URL encoding: S3 writes the key "texts/my notes.txt" as "texts/my+notes.txt".
    key = unquote_plus(record["object"]["key"])
    #| key = record["object"]["key"]
    # <<<
    target = "summaries/" + key.removeprefix("texts/") + ".json"
    upload = s3.get_object(Bucket=bucket, Key=key)
    if is_done(target, upload["ETag"]):
        print(f"{key} has its summary already")
        return None
    body = upload["Body"].read()
    # >>> TODO 6: If it is no text, or has nothing in it, print a line with the key, and return None.
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = ""
    if not text.strip():
        print(f"{key} is skipped: no text")
        return None
    #| text = body.decode()
    # <<<
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
    # >>> TODO 4: Put the summary into DEST_BUCKET as JSON, application/json.
    s3.put_object(
        Bucket=DEST_BUCKET, Key=target, Body=json.dumps(summary), ContentType="application/json",
        Metadata={"text-etag": upload["ETag"]},
    )  # fmt: skip
    #| raise NotImplementedError("TODO 4: put the summary into DEST_BUCKET")
    # <<<
    print(f"{key} -> {target}, {summary['stop_reason']}, ${summary['dollars']:.7f}")
    return {"key": target, **summary}


def is_done(target, etag):
    """Whether the summary of the text with this ETag has been written."""
    # >>> TODO 10: Compare the ETag with that in the metadata of the summary, if there is one.
    try:
        return s3.head_object(Bucket=DEST_BUCKET, Key=target)["Metadata"].get("text-etag") == etag
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        return False
    #| return False
    # <<<


def cut(text):
    """Return as much of the beginning of the text as fits into the budget."""
    # >>> TODO 2: How many characters are left, beside SYSTEM and the tokens of the answer?
    room = (TOKEN_BUDGET - MAX_TOKENS) * CHARACTERS_PER_TOKEN - len(SYSTEM)
    return text[:room]
    #| return text
    # <<<


def ask(text, context):
    """Ask the model for a summary of the text; return Converse's answer."""
    wait_s = FIRST_WAIT_S
    while True:
        # >>> TODO 9: After a bedrock.exceptions.ThrottlingException wait and go on, while there is time.
        try:
            return converse(text)
        except bedrock.exceptions.ThrottlingException:
            pause_s = wait_s * random.uniform(0.5, 1)  # so that not everybody comes back at once
            if context.get_remaining_time_in_millis() - pause_s * 1000 < RESERVE_MS:
                raise
            print(f"throttled; waiting {pause_s:.1f} s")
            time.sleep(pause_s)
            wait_s *= 2
        #| return converse(text)
        # <<<


def converse(text):
    """Send one request to Bedrock."""
    # >>> TODO 1: Converse, with SYSTEM, a message of the user with the text, and MAX_TOKENS.
    return bedrock.converse(
        modelId=MODEL_ID,
        system=[{"text": SYSTEM}],
        messages=[{"role": "user", "content": [{"text": text}]}],
        inferenceConfig={"maxTokens": MAX_TOKENS},
    )
    #| raise NotImplementedError("TODO 1: ask the model by Converse")
    # <<<


def text_of(answer):
    """Return the text of Converse's answer, or None if it is no summary."""
    # >>> TODO 5: An answer can have several blocks, and blocks without text. And what if it was BLOCKED?
    if answer["stopReason"] in BLOCKED:
        return None
    return "".join(block.get("text", "") for block in answer["output"]["message"]["content"])
    #| return answer["output"]["message"]["content"][0]["text"]
    # <<<


def cost(usage):
    """Return what the tokens cost, in dollars."""
    # >>> TODO 3: PRICE has the prices of a million tokens, "input" and "output".
    return (
        usage["inputTokens"] * PRICE["input"] + usage["outputTokens"] * PRICE["output"]
    ) / 1_000_000
    #| return 0
    # <<<
