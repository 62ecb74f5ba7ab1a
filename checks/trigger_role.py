"""What the function that runs trigger.py of stage 10 may do, with this run's buckets and function alone."""

from typing import Any

from .arrivals import LOGS
from .deployment import Deployment


def trigger_policy(deployment: Deployment, function: str) -> dict[str, Any]:
    """The policy of its role: make buckets, connect them, and let S3 call that function."""
    head = f"arn:{deployment.partition}"
    buckets = {
        "Effect": "Allow",
        "Action": [
            "s3:CreateBucket", "s3:ListBucket", "s3:GetBucketLocation", "s3:PutBucketPublicAccessBlock",
            "s3:GetBucketPublicAccessBlock", "s3:GetBucketNotification", "s3:PutBucketNotification",
        ],
        "Resource": f"{head}:s3:::{deployment.name('*')}",
    }  # fmt: skip
    functions = {
        "Effect": "Allow",
        "Action": [
            "lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:GetPolicy",
            "lambda:AddPermission", "lambda:RemovePermission",
        ],
        "Resource": f"{head}:lambda:{deployment.region}:{deployment.account}:function:{function}",
    }  # fmt: skip
    return {"Version": "2012-10-17", "Statement": [LOGS, buckets, functions]}
