"""What a role may do besides what the policy simulator says: under conditions, and by buckets' policies."""

import json
from collections.abc import Iterable
from typing import Any

from labkit.grading import expect

from .deployment import Deployment

# What role_probe's questions tell the simulator. A condition on any other key is not met there, and may be
# met by every real call, as one on the date.
_TOLD = {
    "aws:securetransport", "aws:principalaccount", "aws:resourceaccount", "s3:resourceaccount",
    "aws:requestedregion", "aws:principalarn",
}  # fmt: skip


def expect_no_other_rights(
    deployment: Deployment, role: str, buckets: Iterable[str], who: str
) -> None:
    """Raises Unmet where the role's policies have conditions that the simulator can't judge, or where one of
    the buckets allows something by itself.
    """
    iam = deployment.client("iam")
    found = iam.get_context_keys_for_principal_policy(PolicySourceArn=role)["ContextKeyNames"]
    unknown = sorted(key for key in found if key.lower() not in _TOLD)
    expect(
        not unknown,
        tried=f"read the conditions in the policies of {who}",
        expected=f"none but those on {', '.join(sorted(_TOLD))}: the role needs no other",
        seen=", ".join(unknown),
    )
    for bucket in buckets:
        allowed = [each for each in _statements(deployment, bucket) if each["Effect"] == "Allow"]
        expect(
            not allowed,
            tried=f"read the policy of the bucket {bucket}",
            expected="no statement that allows anything: what is needed is the role's to have",
            seen=json.dumps(allowed)[:300],
        )


def _statements(deployment: Deployment, bucket: str) -> list[dict[str, Any]]:
    """The statements of a bucket's own policy; none where it has no policy."""
    s3 = deployment.client("s3")
    try:
        found = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        return []
    return found if isinstance(found, list) else [found]
