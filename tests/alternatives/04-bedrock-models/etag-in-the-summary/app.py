"""Another right summariser: classes, and the text's ETag among the summary's fields."""

import json
import os
import random
import time
import urllib.parse
from dataclasses import asdict, dataclass

import boto3
import botocore.config
import botocore.exceptions

once = botocore.config.Config(retries={"total_max_attempts": 1})


@dataclass
class Summary:
    summary: str | None
    model: str
    stop_reason: str
    complete: bool
    cut: bool
    input_tokens: int
    output_tokens: int
    dollars: float
    etag: str


class Summariser:
    system = "You write one sentence about each text that you get."

    def __init__(self, environment):
        self.s3 = boto3.client("s3")
        self.bedrock = boto3.client("bedrock-runtime", config=once)
        self.model = environment["MODEL_ID"]
        self.target = environment["DEST_BUCKET"]
        self.most = int(environment["MAX_TOKENS"])
        self.budget = int(environment["TOKEN_BUDGET"])
        self.price = json.loads(environment["PRICES"])[self.model]

    def run(self, records, left):
        done = {}
        for record in records:
            key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
            if found := self.one(record["s3"]["bucket"]["name"], key, left):
                done["summaries/" + key.split("/", 1)[1] + ".json"] = found
        return {
            "summaries": list(done),
            "input_tokens": sum(one.input_tokens for one in done.values()),
            "output_tokens": sum(one.output_tokens for one in done.values()),
            "dollars": sum(one.dollars for one in done.values()),
        }

    def one(self, bucket, key, left):
        target = "summaries/" + key.split("/", 1)[1] + ".json"
        upload = self.s3.get_object(Bucket=bucket, Key=key)
        if self.before(target) == upload["ETag"]:
            return None
        text = upload["Body"].read().decode("utf-8", errors="surrogateescape")
        if not text.strip() or any("\udc80" <= letter <= "\udcff" for letter in text):
            print(json.dumps({"skipped": key}))
            return None
        shown = text[: 3 * (self.budget - self.most) - len(self.system)]
        answer = self.ask(shown, left)
        summary = self.made(answer, shown != text, upload["ETag"])
        body = json.dumps(asdict(summary), ensure_ascii=False).encode()
        place = {"Bucket": self.target, "Key": target}
        self.s3.put_object(**place, Body=body, ContentType="application/json")
        return summary

    def before(self, target):
        try:
            found = self.s3.get_object(Bucket=self.target, Key=target)
        except self.s3.exceptions.NoSuchKey:
            return None
        return json.load(found["Body"])["etag"]

    def ask(self, text, left):
        tries = 0
        while True:
            try:
                return self.bedrock.converse(
                    modelId=self.model,
                    system=[{"text": self.system}],
                    messages=[{"role": "user", "content": [{"text": text}]}],
                    inferenceConfig={"maxTokens": self.most},
                )
            except botocore.exceptions.ClientError as error:
                wait = 0.15 * 2**tries * (1 + random.random()) / 2
                throttled = error.response["Error"]["Code"] == "ThrottlingException"
                if not throttled or left() < 1000 * wait + 1500:
                    raise
            time.sleep(wait)
            tries += 1

    def made(self, answer, cut, etag):
        taken, written = (answer["usage"][name] for name in ("inputTokens", "outputTokens"))
        blocked = answer["stopReason"] in {"guardrail_intervened", "content_filtered"}
        words = [block.get("text") or "" for block in answer["output"]["message"]["content"]]
        return Summary(
            None if blocked else "".join(words),
            self.model,
            answer["stopReason"],
            answer["stopReason"] == "end_turn",
            cut,
            taken,
            written,
            taken * self.price["input"] / 1e6 + written * self.price["output"] / 1e6,
            etag,
        )


summariser = Summariser(os.environ)


def handler(event, context):
    return summariser.run(event.get("Records", []), context.get_remaining_time_in_millis)
