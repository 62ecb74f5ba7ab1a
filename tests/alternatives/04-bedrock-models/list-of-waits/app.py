"""Another right summariser: a list of waits, and one function that does it all."""

import json
import os
import time
from urllib.parse import unquote_plus

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

s3 = boto3.client("s3")
bedrock = boto3.client("bedrock-runtime", config=Config(retries={"total_max_attempts": 1}))
WAITS_S = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6]
INSTRUCTION = "Summarise in one sentence."


def handler(event, context):
    model, bucket = os.environ["MODEL_ID"], os.environ["DEST_BUCKET"]
    most, budget = int(os.environ["MAX_TOKENS"]), int(os.environ["TOKEN_BUDGET"])
    price = json.loads(os.environ["PRICES"])[model]
    answer = {"summaries": [], "input_tokens": 0, "output_tokens": 0, "dollars": 0}
    for record in event.get("Records", []):
        key = unquote_plus(record["s3"]["object"]["key"])
        target = f"summaries/{key.removeprefix('texts/')}.json"
        found = s3.get_object(Bucket=record["s3"]["bucket"]["name"], Key=key)
        etag = found["ETag"].strip('"')
        try:
            if s3.head_object(Bucket=bucket, Key=target)["Metadata"]["etag"] == etag:
                continue
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
                raise
        try:
            text = found["Body"].read().decode()
            if not text.split():
                raise ValueError("nothing but white space")
        except ValueError as error:
            print(f"skipped {key}: {error}")
            continue
        room = 3 * (budget - most) - len(INSTRUCTION) - 2
        request = {
            "modelId": model,
            "messages": [
                {"role": "user", "content": [{"text": text[:room]}, {"text": INSTRUCTION}]}
            ],
            "inferenceConfig": {"maxTokens": most},
        }
        for wait_s in WAITS_S:
            try:
                said = bedrock.converse(**request)
                break
            except bedrock.exceptions.ThrottlingException:
                if context.get_remaining_time_in_millis() < 1500 + wait_s * 1000:
                    raise
                time.sleep(wait_s)
        reason, usage = said["stopReason"], said["usage"]
        summary = None
        if not reason.startswith(("guardrail", "content_filter")):
            summary = ""
            for block in said["output"]["message"]["content"]:
                summary += block.get("text", "")
        dollars = sum(usage[f"{kind}Tokens"] * price[kind] * 1e-6 for kind in ("input", "output"))
        body = {
            "summary": summary, "model": model, "stop_reason": reason,
            "complete": reason == "end_turn", "cut": len(text) > room,
            "input_tokens": usage["inputTokens"], "output_tokens": usage["outputTokens"],
            "dollars": dollars,
        }  # fmt: skip
        s3.put_object(
            Bucket=bucket, Key=target, Body=json.dumps(body, indent=1), Metadata={"etag": etag},
            ContentType="application/json",
        )  # fmt: skip
        answer["summaries"].append(target)
        answer["input_tokens"] += usage["inputTokens"]
        answer["output_tokens"] += usage["outputTokens"]
        answer["dollars"] += dollars
    return answer
