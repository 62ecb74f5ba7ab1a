"""The image resizer of cloudformation/image-resizer.yaml, deployed for `lab demo` by boto3 alone."""

import secrets
import time
from dataclasses import dataclass

import boto3
from botocore.exceptions import ClientError

from . import packages, project

LONGEST_SIDE = 128
_THUMBNAIL_S, _LOG_S = 60, 60


class DemoError(Exception):
    """Something did not come out as it should; the text is a sentence for the learner."""


@dataclass(frozen=True)
class Delivery:
    """One photograph's way: both paths, both contents, and the time from PUT to thumbnail."""

    source: str
    target: str
    photo: bytes
    thumbnail: bytes
    milliseconds: float


class DemoStack:
    """One deployment with names of its own, so that nothing that is there already is touched."""

    def __init__(self):
        self.name = f"lab-demo-{secrets.token_hex(3)}"
        self.artifacts = f"{self.name}-artifacts-{secrets.token_hex(4)}"
        self.outputs: dict[str, str] = {}
        self._s3 = boto3.client("s3")
        self._cloudformation = boto3.client("cloudformation")
        self._logs = boto3.client("logs")

    def upload_packages(self) -> dict[str, int]:
        """Put the function's and the layer's zip into a bucket; return their sizes in bytes."""
        region = self._s3.meta.region_name
        place = {} if region == "us-east-1" else {"LocationConstraint": region}
        self._s3.create_bucket(
            Bucket=self.artifacts, **({"CreateBucketConfiguration": place} if place else {})
        )
        archives = {
            "function.zip": packages.function_zip(project.SOLUTIONS / "09-function" / "app.py"),
            "pillow-layer.zip": packages.pillow_layer_zip(),
        }
        for key, body in archives.items():
            self._s3.put_object(Bucket=self.artifacts, Key=key, Body=body)
        return {key: len(body) for key, body in archives.items()}

    def deploy(self) -> None:
        """Create the stack and wait for it. Raises DemoError with the reason where it fails."""
        values = {
            "Name": self.name,
            "ArtifactBucket": self.artifacts,
            "FunctionKey": "function.zip",
            "LayerKey": "pillow-layer.zip",
            "Runtime": packages.runtime(),
            "Architecture": packages.architecture(),
            "ThumbnailSize": str(LONGEST_SIDE),
        }
        self._cloudformation.create_stack(
            StackName=self.name,
            TemplateBody=project.TEMPLATE.read_text(),
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()],
            Capabilities=["CAPABILITY_IAM"],
        )
        stack = self._wait_for_stack()
        if stack["StackStatus"] != "CREATE_COMPLETE":
            raise DemoError(f"The stack ended as {stack['StackStatus']}. {self._failure()}")
        self.outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}

    def deliver(self, photo: bytes, name: str, content_type: str = "image/jpeg") -> Delivery:
        """Upload a photograph under raw/ and wait for its thumbnail, timed from the PUT's start."""
        source, target = self.outputs["SourceBucket"], self.outputs["DestinationBucket"]
        began = time.perf_counter()
        self._s3.put_object(Bucket=source, Key=f"raw/{name}", Body=photo, ContentType=content_type)
        thumbnail = self._poll(target, f"thumbnails/{name}", began + _THUMBNAIL_S)
        taken = (time.perf_counter() - began) * 1000
        return Delivery(
            f"s3://{source}/raw/{name}", f"s3://{target}/thumbnails/{name}",
            photo, thumbnail, round(taken, 1),
        )  # fmt: skip

    def log_lines(self, reports: int) -> list[str]:
        """Return what CloudWatch holds of the function, once that many REPORT lines are there."""
        deadline = time.monotonic() + _LOG_S
        while True:
            pages = self._logs.get_paginator("filter_log_events")
            events = [
                event["message"].rstrip()
                for page in pages.paginate(logGroupName=self.outputs["LogGroup"])
                for event in page["events"]
            ]
            found = sum(line.startswith("REPORT ") for line in events)
            if found >= reports or time.monotonic() > deadline:
                return events
            time.sleep(0.1)

    def remove(self) -> None:
        """Empty the buckets and delete everything that was made."""
        for bucket in (self.outputs.get("SourceBucket"), self.outputs.get("DestinationBucket")):
            if bucket:
                self._empty(bucket)
        self._cloudformation.delete_stack(StackName=self.name)
        self._cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 300}
        )
        if self._empty(self.artifacts):
            self._s3.delete_bucket(Bucket=self.artifacts)

    def _poll(self, bucket: str, key: str, deadline: float) -> bytes:
        while True:
            try:
                return self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            except self._s3.exceptions.NoSuchKey:
                if time.perf_counter() > deadline:
                    lines = "\n".join(self.log_lines(0)[-20:]) or "no line at all"
                    raise DemoError(
                        f"No thumbnail came to s3://{bucket}/{key} in {_THUMBNAIL_S} s. "
                        f"The function's log says:\n{lines}"
                    ) from None
            time.sleep(0.005)

    def _wait_for_stack(self) -> dict:
        while True:
            stack = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                return stack
            time.sleep(0.2)

    def _failure(self) -> str:
        pages = self._cloudformation.get_paginator("describe_stack_events")
        events = [
            event for page in pages.paginate(StackName=self.name) for event in page["StackEvents"]
        ]
        for event in reversed(events):
            if event["ResourceStatus"].endswith("_FAILED"):
                reason = event.get("ResourceStatusReason", "without a reason")
                return f"First to fail was {event['LogicalResourceId']}: {reason}"
        return ""

    def _empty(self, bucket: str) -> bool:
        try:
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                keys = [{"Key": item["Key"]} for item in page.get("Contents", [])]
                if keys:
                    self._s3.delete_objects(Bucket=bucket, Delete={"Objects": keys})
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchBucket":
                return False
            raise
        return True
