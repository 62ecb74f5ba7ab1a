"""Another right summariser: S3's resource, a deadline, no system prompt, exact dollars as strings."""

import json
import os
import random
import time
from decimal import Decimal
from urllib.parse import unquote_plus

import boto3
from botocore.config import Config

store = boto3.resource("s3")
models = boto3.Session().client("bedrock-runtime", config=Config(retries={"total_max_attempts": 1}))
MODEL = os.environ["MODEL_ID"]
MOST = int(os.environ["MAX_TOKENS"])
PRICES = json.loads(os.environ["PRICES"], parse_float=Decimal, parse_int=Decimal)[MODEL]
ASK = "Say in one sentence what this text says:\n\n"
ROOM = (int(os.environ["TOKEN_BUDGET"]) - MOST) * 3 - len(ASK)


def handler(event, context):
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - 1.5
    total = {"summaries": [], "input_tokens": 0, "output_tokens": 0, "dollars": Decimal(0)}
    for record in event.get("Records") or ():
        place = record["s3"]
        key = unquote_plus(place["object"]["key"])
        one = summarise(store.Object(place["bucket"]["name"], key), deadline)
        if one is None:
            continue
        total["summaries"].append(name(key))
        for word in ("input_tokens", "output_tokens"):
            total[word] += one[word]
        total["dollars"] += Decimal(one["dollars"])
    return total | {"dollars": str(total["dollars"])}


def name(key):
    return f"summaries/{key[len('texts/') :]}.json"


def summarise(text_object, deadline):
    found = text_object.get()
    target = store.Object(os.environ["DEST_BUCKET"], name(text_object.key))
    same = list(target.Bucket().objects.filter(Prefix=target.key).limit(1))
    if same and same[0].key == target.key and target.metadata.get("of") == found["ETag"]:
        return None
    try:
        text = str(found["Body"].read(), "utf-8")
    except UnicodeDecodeError as error:
        print("no text:", text_object.key, error)
        return None
    if text.isspace() or not text:
        print("nothing in", text_object.key)
        return None
    answer = ask(ASK + text[:ROOM], deadline)
    usage, why = answer["usage"], answer["stopReason"]
    dollars = usage["inputTokens"] * PRICES["input"] + usage["outputTokens"] * PRICES["output"]
    one = {
        "summary": None, "model": MODEL, "stop_reason": why, "complete": why == "end_turn",
        "cut": len(text) > ROOM, "input_tokens": usage["inputTokens"],
        "output_tokens": usage["outputTokens"], "dollars": str(dollars / 10**6),
    }  # fmt: skip
    if why not in ("guardrail_intervened", "content_filtered"):
        blocks = answer["output"]["message"]["content"]
        one["summary"] = "".join(block["text"] for block in blocks if "text" in block)
    kind = "application/json; charset=utf-8"
    target.put(Body=json.dumps(one).encode(), ContentType=kind, Metadata={"of": found["ETag"]})
    return one


def ask(words, deadline, ceiling=0.3):
    try:
        return models.converse(
            modelId=MODEL,
            messages=[{"role": "user", "content": [{"text": words}]}],
            inferenceConfig={"maxTokens": MOST},
        )
    except models.exceptions.ThrottlingException:
        pause = ceiling / 2 + random.random() * ceiling / 2
        if time.monotonic() + pause > deadline:
            raise
        time.sleep(pause)
    return ask(words, deadline, ceiling * 2)
