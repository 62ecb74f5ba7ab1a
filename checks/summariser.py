"""The learner's summariser as a function: texts, S3's events for them, and the summaries."""

from dataclasses import dataclass
from typing import Any

from labkit.grading import Unmet, expect

from .deployment import Answer, Deployment
from .json_texts import value_of
from .object_creation import creation_record

NUMBERS = ("input_tokens", "output_tokens", "dollars")


def says(text: str, stop: str = "end_turn", usage: tuple[int, int] = (100, 10)) -> dict[str, Any]:
    """An answer for the script: one block of text, usage in tokens (input, output)."""
    return {"content": [{"text": text}], "stopReason": stop, "usage": usage}


def fails(error: str, message: str) -> dict[str, Any]:
    """An error for the script."""
    return {"error": error, "message": message}


@dataclass(frozen=True)
class Outcome:
    """What an invocation by script gave: the handler's answer or its error, and the requests to Bedrock."""

    answer: Any
    failed: str
    requests: list[dict[str, Any]]
    log: list[str]

    @property
    def texts(self) -> list[str]:
        """All that each request sends as text, system prompt included."""
        return ["".join(_texts(request["body"])) for request in self.requests]


@dataclass(frozen=True)
class Summariser:
    """One function and its two buckets. Invocations are direct: no notification is set."""

    deployment: Deployment
    function: str
    source: str
    destination: str

    def upload(self, key: str, body: str | bytes) -> dict[str, Any]:
        """Put a text into the source bucket; return the record that S3 would send for it."""
        data = body.encode() if isinstance(body, str) else body
        answer = self._s3.put_object(Bucket=self.source, Key=key, Body=data)
        return self.record(key, len(data), answer["ETag"].strip('"'))

    def record(self, key: str, size: int, etag: str, bucket: str = "") -> dict[str, Any]:
        """The record that S3 sends for an object, in the source bucket unless another is named."""
        place = bucket or self.source
        return creation_record(self.deployment, place, key, size, etag)

    def invoke(self, *records: dict[str, Any]) -> Answer:
        """Invoke the function as S3 would, with one event of these records."""
        return self.deployment.invoke(self.function, {"Records": list(records)})

    def attempt(self, tried: str, script: list[dict[str, Any]], event: dict[str, Any]) -> Outcome:
        """Invoke the function with a Bedrock that answers by the script. Raises Unmet if Lambda ends it."""
        answer = self.deployment.invoke(self.function, {"event": event, "script": script})
        answer.must_work(tried, "your function to end by itself, within its time")
        found = answer.payload
        return Outcome(found.get("answer"), found.get("failed", ""), found["requests"], answer.log)

    def works(self, tried: str, script: list[dict[str, Any]], *records: dict[str, Any]) -> Outcome:
        """The same, for records. Raises Unmet if the handler raises."""
        outcome = self.attempt(tried, script, {"Records": list(records)})
        expect(
            not outcome.failed,
            tried=tried,
            expected="your function to return without an error",
            seen=outcome.failed,
            log=outcome.log,
        )
        return outcome

    def summary(self, tried: str, key: str, log: list[str]) -> dict[str, Any]:
        """The summary of the text with this key. Raises Unmet if there is none, or no object in JSON."""
        target = summary_key(key)
        body = self.stored(target)
        there = self.keys()
        expect(
            body is not None,
            tried=tried,
            expected=f"{target} in the destination bucket",
            seen=f"no such object; there is {', '.join(there[:3]) or 'nothing'}",
            log=log,
        )
        found = value_of(body)
        if not isinstance(found, dict):
            raise Unmet(
                tried=tried,
                expected=f"an object in JSON in {target}",
                seen=f"{body!r:.200}",
                log=log,
            )
        return found

    def stored(self, key: str) -> bytes | None:
        """The body of an object of the destination bucket, or None."""
        try:
            return self._s3.get_object(Bucket=self.destination, Key=key)["Body"].read()
        except self._s3.exceptions.NoSuchKey:
            return None

    def content_type(self, key: str) -> str:
        """The content type of the summary of the text with this key."""
        place = {"Bucket": self.destination, "Key": summary_key(key)}
        return self._s3.head_object(**place)["ContentType"]

    def keys(self) -> list[str]:
        """The keys of the destination bucket."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.destination)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    @property
    def _s3(self) -> Any:
        return self.deployment.client("s3")


def summary_key(key: str) -> str:
    """Where the summary of the text with this key lies."""
    return "summaries/" + key.removeprefix("texts/") + ".json"


def near(found: Any, wanted: float) -> bool:
    """Whether a value, a number or a decimal in a string, is the number wanted, to nine digits."""
    try:
        return abs(float(found) - wanted) <= 1e-9 * max(abs(wanted), 1e-12)
    except (TypeError, ValueError, OverflowError):
        return False


def _texts(body: Any) -> list[str]:
    messages = [block for message in body.get("messages", []) for block in message["content"]]
    return [block.get("text", "") for block in [*body.get("system", []), *messages]]
