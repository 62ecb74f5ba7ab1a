"""Who has which keys and policies, read from moto's IAM and STS."""

import json
from dataclasses import dataclass, replace
from urllib.parse import unquote

from moto.iam.exceptions import NotFoundException
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.sts.models import AssumedRole, sts_backends

from ..policies import Caller, Policy

_PARTITION = "aws"
_SESSION_S = 12 * 60 * 60


@dataclass(frozen=True)
class Principal:
    """A user or a role's session with the policies that are in force now."""

    caller: Caller
    name: str
    identity: tuple[Policy, ...]
    boundary: Policy | None = None
    session: Policy | None = None


@dataclass(frozen=True)
class RoleCredentials:
    """Temporary credentials of a role."""

    access_key_id: str
    secret_access_key: str
    session_token: str


def mint_role_credentials(
    role_arn: str, session_name: str, account_id: str, region: str
) -> RoleCredentials:
    """Make credentials as Lambda gets them for an execution role; twelve hours, as STS's longest."""
    role = sts_backends[account_id][_PARTITION].assume_role(
        region, session_name, role_arn, policy="", duration=_SESSION_S, external_id=""
    )
    return RoleCredentials(role.access_key_id, role.secret_access_key, role.session_token)


def find_principal(access_key_id: str, account_id: str) -> Principal | None:
    """The user or session that a key belongs to; None for a key that IAM and STS don't know."""
    role = sts_backends[account_id][_PARTITION].get_assumed_role_from_access_key(access_key_id)
    if role:
        return _session(role, account_id)
    backend = iam_backends[account_id][_PARTITION]
    for user in backend.users.values():
        if any(key.access_key_id == access_key_id for key in user.access_keys):
            return _user(user, backend)
    return None


def role_principal(role_arn: str, session_name: str, account_id: str) -> Principal:
    """A role's session by name, without keys: what Lambda itself does in the role's name."""
    name = role_arn.rpartition("/")[2]
    arn = f"arn:aws:sts::{account_id}:assumed-role/{name}/{session_name}"
    caller = Caller(arn, role_arn, account_id)
    try:
        role = iam_backends[account_id][_PARTITION].get_role_by_arn(role_arn)
    except NotFoundException:
        return Principal(caller, session_name, ())
    return Principal(caller, session_name, tuple(_policies(role)), _boundary(role, account_id))


def bucket_policy(bucket: str, account_id: str) -> Policy | None:
    """A bucket's policy, if it has one."""
    found = s3_backends[account_id][_PARTITION].buckets.get(bucket)
    return Policy(_document(found.policy)) if found and found.policy else None


def object_is_missing(bucket: str, key: str, account_id: str) -> bool:
    """Whether the bucket is there and the object isn't."""
    found = s3_backends[account_id][_PARTITION].buckets.get(bucket)
    return found is not None and found.keys.get(key) is None


def _session(assumed: AssumedRole, account_id: str) -> Principal:
    role = role_principal(assumed.role_arn, assumed.session_name, account_id)
    session = Policy(_document(assumed.policy)) if assumed.policy else None
    return replace(role, session=session)


def _user(user, backend) -> Principal:
    policies = _policies(user)
    for group in backend.get_groups_for_user(user.name):
        policies += _policies(group)
    return Principal(Caller(user.arn, None, backend.account_id), user.name, tuple(policies))


def _policies(entity) -> list[Policy]:
    policies = [Policy(_document(document)) for document in entity.policies.values()]
    for arn, managed in entity.managed_policies.items():
        version = next(v for v in managed.versions if v.version_id == managed.default_version_id)
        policies.append(Policy(_document(version.document), arn))
    return policies


def _boundary(role, account_id: str) -> Policy | None:
    arn = getattr(role, "permissions_boundary_arn", None)
    if not arn:
        return None
    managed = iam_backends[account_id][_PARTITION].get_policy(arn)
    return Policy(_document(managed.document), arn)


def _document(text) -> dict:
    if isinstance(text, dict):
        return text
    if isinstance(text, bytes):
        text = text.decode()
    return json.loads(text if text.lstrip().startswith("{") else unquote(text))
