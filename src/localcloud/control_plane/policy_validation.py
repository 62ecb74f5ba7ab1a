"""What moto's checks of policy documents leave out or get wrong.

"Grammar of the IAM JSON policy language" in the IAM User Guide.
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.iam import models
from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import (
    BaseIAMPolicyValidator,
    IAMPolicyDocumentValidator,
    IAMTrustPolicyDocumentValidator,
)
from moto.s3.exceptions import S3ClientError
from moto.s3.models import S3Backend

from ..conditions import InvalidPolicy, as_list
from ..policy_documents import parse_policy

_original_conditions = BaseIAMPolicyValidator._validate_condition_syntax
_original_version = BaseIAMPolicyValidator._validate_version
_original_validate = IAMPolicyDocumentValidator.validate
_original_create_role = models.IAMBackend.create_role
_original_put_bucket_policy = S3Backend.put_bucket_policy
_SID = re.compile(r"[0-9A-Za-z]*")


class MalformedPolicy(S3ClientError):
    """A bucket policy that S3 refuses, 400."""

    def __init__(self, message: str):
        super().__init__("MalformedPolicy", message)


def install() -> None:
    """Let numbers stand in conditions, no principals and no signs in statement ids in identity-based
    policies, the Version be left out, and check trust policies and bucket policies when they are set.
    """
    BaseIAMPolicyValidator._validate_version = _validate_version
    BaseIAMPolicyValidator._validate_condition_syntax = staticmethod(_validate_condition_syntax)
    IAMPolicyDocumentValidator.validate = _validate
    models.IAMBackend.create_role = _create_role
    S3Backend.put_bucket_policy = _put_bucket_policy


def _validate_condition_syntax(statement: dict[str, Any]) -> None:
    blocks = statement.get("Condition")
    if isinstance(blocks, dict) and all(isinstance(keys, dict) for keys in blocks.values()):
        read = {
            operator: {key: str(v) if isinstance(v, int | float) else v for key, v in keys.items()}
            for operator, keys in blocks.items()
        }
        statement = {**statement, "Condition": read}
    _original_conditions(statement)


def _validate_version(self: BaseIAMPolicyValidator) -> None:
    # It is optional ("IAM JSON policy elements: Version"), and AWS SAM's own policy templates have none.
    if "Version" in self._policy_json:
        _original_version(self)


def _validate(self: IAMPolicyDocumentValidator) -> None:
    _original_validate(self)
    if any("Principal" in each or "NotPrincipal" in each for each in self._statements):
        raise MalformedPolicyDocument("Policy document should not specify a principal.")
    # "IAM JSON policy elements: Sid". The words as users report them, such as cfn-lint's issue 1376.
    if not all(_SID.fullmatch(each.get("Sid", "")) for each in self._statements):
        raise MalformedPolicyDocument(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular "
            "expression [0-9A-Za-z]*"
        )


def _create_role(self, role_name, assume_role_policy_document, *args, **kwargs):
    IAMTrustPolicyDocumentValidator(assume_role_policy_document).validate()
    return _original_create_role(self, role_name, assume_role_policy_document, *args, **kwargs)


def _put_bucket_policy(self, bucket_name: str, policy: bytes) -> None:
    bucket = self.get_bucket(bucket_name)
    problem = _problem(policy, bucket.arn)
    if problem:
        raise MalformedPolicy(problem)
    _original_put_bucket_policy(self, bucket_name, policy)


def _problem(policy: bytes, bucket_arn: str) -> str | None:
    """What S3 says of a bucket policy; None where it takes it. Texts: as many users report them."""
    try:
        document = json.loads(policy)
    except ValueError:
        return "Policies must be valid JSON and the first byte must be '{'"
    if not isinstance(document, dict):
        return "Policies must be valid JSON and the first byte must be '{'"
    if "Statement" not in document:
        return "Missing required field Statement"
    for statement in as_list(document["Statement"]):
        if not isinstance(statement, dict):
            return "Policy contains invalid statement"
        if "Principal" not in statement and "NotPrincipal" not in statement:
            return "Missing required field Principal"
        for name in ("Effect", "Action", "Resource"):
            if name not in statement and f"Not{name}" not in statement:
                return f"Missing required field {name}"
        actions = as_list(statement.get("Action", statement.get("NotAction")))
        if not all(str(a) == "*" or str(a).lower().startswith("s3:") for a in actions):
            return "Policy has invalid action"
        resources = as_list(statement.get("Resource", statement.get("NotResource")))
        if not all(_is_of(str(resource), bucket_arn) for resource in resources):
            return "Policy has invalid resource"
    try:
        parse_policy(document)
    except InvalidPolicy as error:
        return str(error)
    return None


def _is_of(resource: str, bucket_arn: str) -> bool:
    """Whether a resource, which may have wildcards, can be this bucket or in it."""
    plain = min((resource.find(mark) for mark in "*?$" if mark in resource), default=len(resource))
    if plain < len(resource):
        return bucket_arn.startswith(resource[:plain]) or resource.startswith(f"{bucket_arn}/")
    return resource == bucket_arn or resource.startswith(f"{bucket_arn}/")
