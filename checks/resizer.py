"""The learner's resizer as a function in the cloud: uploads, S3's events for them, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labkit import thumbnails
from labkit.grading import expect
from labkit.grading.pictures import show

from .deployment import Answer, Deployment
from .object_creation import creation_record

# Seen from outside while the code runs where it always runs. What it needs of Python is bound before the
# learner's module is loaded, so that nothing which that module replaces is used here.
WRAPPER = '''"""Calls the learner's handler, and tells what it has left in the folder for temporary files."""
from os import environ, listdir

FOLDER = environ.get("TMPDIR", "/tmp")  # set only on a local cloud whose /tmp is this computer's
BEFORE = frozenset(listdir(FOLDER))

from app import handler as learners


def handler(event, context):
    learners(event, context)
    return [name for name in listdir(FOLDER) if name not in BEFORE]
'''


@dataclass(frozen=True)
class Stored:
    """An object as S3 gives it back."""

    body: bytes
    content_type: str
    metadata: dict[str, str]
    etag: str


@dataclass(frozen=True)
class Resizer:
    """One function and its two buckets. Invocations are direct: no notification is set."""

    deployment: Deployment
    function: str
    source: str
    destination: str
    longest_side: int = 128
    uploaded: dict[str, str] = field(default_factory=dict)

    def upload(
        self, key: str, body: bytes, content_type: str = "binary/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Put an object into the source bucket; return the record that S3 would send for it."""
        answer = self._s3.put_object(
            Bucket=self.source, Key=key, Body=body, ContentType=content_type,
            Metadata=dict(metadata or {}),
        )  # fmt: skip
        self.uploaded[key] = answer["ETag"]
        return self.record(key, len(body), answer["ETag"].strip('"'))

    def record(self, key: str, size: int, etag: str, bucket: str = "") -> dict[str, Any]:
        """The record that S3 sends for an object, in the source bucket unless another is named."""
        place = bucket or self.source
        return creation_record(self.deployment, place, key, size, etag, len(self.uploaded))

    def invoke(self, *records: dict[str, Any]) -> Answer:
        """Invoke the function with one event of these records."""
        return self.deployment.invoke(self.function, {"Records": list(records)})

    def works(self, tried: str, *records: dict[str, Any]) -> Answer:
        """Invoke the function. Raises Unmet if it ends with an error."""
        answer = self.invoke(*records)
        answer.must_work(tried, "your function to return without an error")
        return answer

    def stored(self, key: str) -> Stored | None:
        """An object of the destination bucket, or None."""
        try:
            found = self._s3.get_object(Bucket=self.destination, Key=key)
        except self._s3.exceptions.NoSuchKey:
            return None
        return Stored(found["Body"].read(), found["ContentType"], found["Metadata"], found["ETag"])

    def thumbnail(self, tried: str, key: str, answer: Answer) -> Stored:
        """The thumbnail of the upload raw/… with this key. Raises Unmet if it is not there."""
        target = "thumbnails/" + key.removeprefix("raw/")
        found = self.stored(target)
        others = [name for name in self.keys(self.destination) if name not in self._expected]
        there = f"; there is {others[-1]}, which is no upload's" if others else ""
        expect(
            found,
            tried=tried,
            expected=f"{target} in the destination bucket",
            seen="no such object" + there,
            log=answer.log,
        )
        show(found.body, f"{target}, after the check {tried}")
        return found

    def makes(self, what: str, key: str, body: bytes, **upload: Any) -> Stored:
        """Upload, invoke, and judge the thumbnail. Raises Unmet with the first fault."""
        tried = f"uploaded {what} as {key} and invoked your function with S3's event"
        answer = self.works(tried, self.upload(key, body, **upload))
        return self.right_thumbnail(tried, key, body, answer)

    def right_thumbnail(self, tried: str, key: str, body: bytes, answer: Answer) -> Stored:
        """The thumbnail of an upload with these bytes, judged. Raises Unmet with the first fault."""
        found = self.thumbnail(tried, key, answer)
        verdict = thumbnails.judge(body, found.body, self.longest_side)
        expect(
            verdict.right,
            tried=tried,
            expected=f"a thumbnail of it that fits into {self.longest_side} x {self.longest_side}",
            seen="; ".join(verdict.faults),
            log=answer.log,
        )
        return found

    def keys(self, bucket: str) -> dict[str, str]:
        """The keys of a bucket with their ETags."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {item["Key"]: item["ETag"] for page in pages for item in page.get("Contents", [])}

    @property
    def _s3(self) -> Any:
        return self.deployment.client("s3")

    @property
    def _expected(self) -> set[str]:
        return {"thumbnails/" + key.removeprefix("raw/") for key in self.uploaded}
