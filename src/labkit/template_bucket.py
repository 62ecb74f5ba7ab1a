"""The kit's templates in a bucket: CloudFormation reads nested ones, and those of links, from there alone."""

import hashlib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from . import packages, project, target

_PREFIX = "serverless-lab-kit"


@dataclass(frozen=True)
class Template:
    """A template in the bucket, and the parameters that it finds the rest of the bucket by."""

    name: str
    address: str
    parameters: dict[str, str] = field(default_factory=dict)


def is_there(bucket: str) -> bool:
    """Whether the account has the bucket. Raises ClientError where it is somebody else's."""
    # Whoever has taken a name that can be guessed would give the stack other templates than these.
    account = boto3.client("sts").get_caller_identity()["Account"]
    try:
        boto3.client("s3").head_bucket(Bucket=bucket, ExpectedBucketOwner=account)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        return False
    return True


def upload(bucket: str) -> list[Template]:
    """Put all templates and the layer into the bucket, which is made where it isn't there.

    They lie in a folder that their content names: what a stack was made of stays what it was. Raises
    ClientError where the bucket is somebody else's.
    """
    s3 = boto3.client("s3")
    region = s3.meta.region_name
    if not is_there(bucket):
        place = {} if region == "us-east-1" else {"LocationConstraint": region}
        s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": place} if place else {}))
    layer = _layer_parameters(s3, bucket)
    paths = sorted(project.TEMPLATE.parent.glob("*.yaml"))
    folder = f"{_PREFIX}/{_digest(paths)}"
    # The bucket in the path, as `aws cloudformation package` has it: a bucket's name with a dot in it is no
    # host that S3's certificate is for ("Virtual hosting of general purpose buckets").
    base = f"https://s3.{region}.amazonaws.com/{bucket}/{folder}"
    given = {"image-resizer": layer, "course": {"Templates": base, **layer}}
    for path in paths:
        body = path.read_bytes()
        s3.put_object(
            Bucket=bucket, Key=f"{folder}/{path.name}", Body=body, ContentType="text/yaml"
        )
    return [Template(path.stem, f"{base}/{path.name}", given.get(path.stem, {})) for path in paths]


def _digest(paths: list[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


def _layer_parameters(s3: Any, bucket: str) -> dict[str, str]:
    """The resizer's parameters with a ready layer, where this computer's Pillow runs in the cloud in use."""
    if sys.platform != "linux" and target.name() == target.AWS:
        return {}
    runtime, architecture = packages.runtime(), packages.architecture()
    name = packages.pillow_version().lower().replace(" ", "-")
    key = f"{_PREFIX}/{name}-{runtime}-{architecture}.zip"
    s3.put_object(Bucket=bucket, Key=key, Body=packages.pillow_layer_zip())
    return {
        "ArtifactBucket": bucket, "LayerKey": key, "Runtime": runtime, "Architecture": architecture,
    }  # fmt: skip
