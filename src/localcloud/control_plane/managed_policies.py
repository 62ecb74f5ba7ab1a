"""AWS's own managed policies, taken from moto's copy one by one as they are asked for.

moto either parses all of its copy at start, which costs seconds and memory, or has none.
"""

import functools
import json

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend

_PREFIX = "arn:aws:iam::aws:policy/"
_METHODS = ("attach_role_policy", "attach_user_policy", "attach_group_policy", "get_policy",
            "get_policy_version", "list_policy_versions")  # fmt: skip


@functools.cache
def install() -> None:
    """Make moto's IAM know an AWS managed policy as soon as a call names it."""
    for name in _METHODS:
        original = getattr(IAMBackend, name)

        def with_policy(self, policy_arn, *args, _original=original, **kwargs):
            _load(self, policy_arn)
            return _original(self, policy_arn, *args, **kwargs)

        setattr(IAMBackend, name, functools.wraps(original)(with_policy))


def _load(backend: IAMBackend, arn: str) -> None:
    if not str(arn).startswith(_PREFIX) or arn in backend.managed_policies:
        return
    name = arn.rpartition("/")[2]
    start = aws_managed_policies_data.find(f'\n "{name}":{{')
    if start == -1:
        return
    start = aws_managed_policies_data.index("{", start)
    data, _ = json.JSONDecoder().raw_decode(aws_managed_policies_data, start)
    policy = AWSManagedPolicy.from_data(name, backend.account_id, "us-east-1", data)
    if policy.arn == arn:
        backend.managed_policies[arn] = policy
