"""A run of checks without a workspace, for a process from which those that grade are forked.

pytest, a cloud, boto3 and the stage's checks load most of what they need, and Python gets to know their code,
when they are first used. After a rehearsal all of that is there, and nothing of any learner's.
"""

import contextlib
import os
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import PIL.Image
from botocore.exceptions import ClientError

from localcloud import LocalCloud

from .. import tagging, target
from . import run
from .stages import Stage

_NAME = "lab-rehearsal"
_TRUST = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": "lambda.amazonaws.com"}}]}"""
_POLICY = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*",
    "Resource": "*"}]}"""
# Requests that need nothing to be there but what those before them made, by boto3's names of the services.
_REQUESTS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "apigatewayv2": (("get_apis", {}),),
    "bedrock-agent": (("list_agents", {}),),
    "cloudformation": (("list_stacks", {}),),
    "dynamodb": (("list_tables", {}),),
    "iam": (
        ("create_role", {"RoleName": _NAME, "AssumeRolePolicyDocument": _TRUST}),
        ("put_role_policy", {"RoleName": _NAME, "PolicyName": _NAME, "PolicyDocument": _POLICY}),
        ("list_role_policies", {"RoleName": _NAME}),
        ("delete_role_policy", {"RoleName": _NAME, "PolicyName": _NAME}),
        ("delete_role", {"RoleName": _NAME}),
    ),
    "lambda": (("list_functions", {}), ("get_function_configuration", {"FunctionName": _NAME})),
    "logs": (("describe_log_groups", {}), ("filter_log_events", {"logGroupName": _NAME})),
    "s3": (
        ("create_bucket", {"Bucket": _NAME}),
        ("put_object", {"Bucket": _NAME, "Key": _NAME, "Body": b"{}"}),
        ("get_object", {"Bucket": _NAME, "Key": _NAME}),
        ("list_objects_v2", {"Bucket": _NAME}),
        ("list_object_versions", {"Bucket": _NAME}),
        ("delete_objects", {"Bucket": _NAME, "Delete": {"Objects": [{"Key": _NAME}]}}),
        ("delete_bucket", {"Bucket": _NAME}),
    ),
    "s3vectors": (("list_vector_buckets", {}),),
    "sqs": (("create_queue", {"QueueName": _NAME}), ("list_queues", {})),
    "sts": (("get_caller_identity", {}),),
}  # fmt: skip


def rehearse(stage: Stage, services: Collection[str], confined: bool) -> None:
    """Load the checks of a stage, and have a cloud answer requests to services, as boto3 names them.

    A confined cloud knows nobody but this rehearsal. It is gone afterwards, and so is all that was in it.
    """
    PIL.Image.preinit()  # first, as Pillow does: the order of formats is that of their loading
    PIL.Image.init()
    run.collect(stage)
    if not services:
        return
    with (
        mock.patch.dict(os.environ),
        tempfile.TemporaryDirectory() as folder,
        LocalCloud(port=0, folder=Path(folder), confined=confined, spare_sandboxes=0) as cloud,
    ):
        target.apply(cloud.endpoint_url, os.environ)
        if confined:
            key, secret = cloud.administrator
            os.environ |= {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
        for service in services:
            client = boto3.client(service)
            for operation, arguments in _REQUESTS.get(service, ()):
                with contextlib.suppress(ClientError):
                    getattr(client, operation)(**arguments)
    tagging.install()  # a session that knows no keys
