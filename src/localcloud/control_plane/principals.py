"""Who has which keys and policies, and what stands behind resources, read from moto."""

import threading
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from urllib.parse import unquote

from moto.core.utils import utcnow
from moto.iam.exceptions import NotFoundException
from moto.iam.models import AccessKey, IAMBackend, Role, User, iam_backends
from moto.s3.models import FakeBucket, FakeDeleteMarker, s3_backends
from moto.sts.models import AssumedRole, sts_backends

from ..policies import Caller, Policy

_PARTITION = "aws"
_SESSION_S = 12 * 60 * 60


@dataclass(frozen=True)
class Principal:
    """A user or a role's session with the policies that are in force now.

    The caller's ARN is arn:aws:iam::ACCT:user/NAME or arn:aws:sts::ACCT:assumed-role/ROLE/SESSION;
    `name` is the user's or the session's, `user_id` what aws:userid holds.
    """

    caller: Caller
    name: str
    user_id: str
    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: Policy | None = None
    credentials: Literal["active", "inactive", "expired"] = "active"

    @property
    def is_user(self) -> bool:
        """Whether this is an IAM user and not a role's session."""
        return self.caller.role_arn is None


@dataclass(frozen=True)
class RoleCredentials:
    """Temporary credentials of a role; `expiration` is in UTC, without a time zone."""

    access_key_id: str
    secret_access_key: str
    session_token: str
    expiration: datetime


def mint_role_credentials(
    role_arn: str, session_name: str, account_id: str, region: str
) -> RoleCredentials:
    """Make credentials as Lambda gets them for an execution role, for twelve hours: STS's most."""
    role = sts_backends[account_id][_PARTITION].assume_role(
        region, session_name, role_arn, policy="", duration=_SESSION_S, external_id=""
    )
    return RoleCredentials(
        role.access_key_id, role.secret_access_key, role.session_token, role.expiration
    )


def find_principal(access_key_id: str, account_id: str) -> Principal | None:
    """The user or session that a key belongs to; None for a key that IAM and STS don't know.

    Nothing is kept but where to find a session: a policy that changes is in force at once.
    """
    backend = iam_backends[account_id][_PARTITION]
    key = backend.access_keys.get(access_key_id)
    if key is None:
        return None
    if key.user_name is not None:
        return _user(key, backend)
    assumed = _sessions.find(sts_backends[account_id][_PARTITION].assumed_roles, access_key_id)
    return _session(assumed, account_id) if assumed else None


def role_principal(role_arn: str, session_name: str, account_id: str) -> Principal:
    """A role's session by name, without keys: what Lambda itself does in the role's name."""
    name = role_arn.rpartition("/")[2]
    arn = f"arn:aws:sts::{account_id}:assumed-role/{name}/{session_name}"
    caller = Caller(arn, role_arn, account_id)
    role = _role(role_arn, account_id)
    if role is None:  # a deleted role's sessions live on, with no permission left
        return Principal(caller, session_name, session_name)
    user_id = f"{role.id}:{session_name}"
    policies, boundary = tuple(_policies(role)), _boundary(role, account_id)
    return Principal(caller, session_name, user_id, policies, boundary)


def trust_policy(role_arn: str, account_id: str) -> Policy | None:
    """The policy that says who may assume a role; None where there is no such role."""
    role = _role(role_arn, account_id)
    return Policy(_document(role.assume_role_policy_document)) if role else None


def bucket_policy(bucket: str, account_id: str) -> Policy | None:
    """A bucket's policy, if it has one."""
    found = _bucket(bucket, account_id)
    return Policy(_document(found.policy)) if found and found.policy else None


def bucket_exists(bucket: str, account_id: str) -> bool:
    """Whether the account has this bucket."""
    return _bucket(bucket, account_id) is not None


def object_exists(bucket: str, key: str, account_id: str) -> bool:
    """Whether the bucket holds the key, a delete marker counting as none."""
    found = _bucket(bucket, account_id)
    newest = found.keys.get(key) if found else None
    return newest is not None and not isinstance(newest, FakeDeleteMarker)


class _SessionIndex:
    """STS's sessions by access key: every cold start adds one, and moto keeps them in a list."""

    def __init__(self):
        self._lock = threading.Lock()
        self._list: list[AssumedRole] = []
        self._count = 0
        self._by_key: dict[str, AssumedRole] = {}

    def find(self, sessions: list[AssumedRole], access_key_id: str) -> AssumedRole | None:
        """Look a key up, after reading what was added since; a reset list is read anew."""
        with self._lock:
            if sessions is not self._list or len(sessions) < self._count:
                self._list, self._count, self._by_key = sessions, 0, {}
            for session in sessions[self._count :]:
                self._by_key[session.access_key_id] = session
                self._count += 1
            return self._by_key.get(access_key_id)


_sessions = _SessionIndex()


def _session(assumed: AssumedRole, account_id: str) -> Principal:
    return replace(
        role_principal(assumed.role_arn, assumed.session_name, account_id),
        session=Policy(_document(assumed.policy)) if assumed.policy else None,
        credentials="expired" if assumed.expiration < utcnow() else "active",
    )


def _user(key: AccessKey, backend: IAMBackend) -> Principal:
    user = backend.users.get(key.user_name)
    if user is None or key not in user.access_keys:  # moto keeps the name from before a renaming
        user = next((each for each in backend.users.values() if key in each.access_keys), None)
    if user is None:  # deleted with its keys left behind, which AWS would have refused
        return Principal(Caller(), str(key.user_name), "", credentials="inactive")
    policies = _policies(user)
    for group in backend.groups.values():
        if user in group.users:
            policies += _policies(group)
    return Principal(
        Caller(user.arn, None, backend.account_id),
        user.name,
        user.id,
        tuple(policies),
        credentials="active" if key.status == "Active" else "inactive",
    )


def _role(role_arn: str, account_id: str) -> Role | None:
    try:
        return iam_backends[account_id][_PARTITION].get_role_by_arn(role_arn)
    except NotFoundException:
        return None


def _bucket(name: str, account_id: str) -> FakeBucket | None:
    return s3_backends[account_id][_PARTITION].buckets.get(name)


def _policies(entity: User | Role) -> list[Policy]:
    policies = [Policy(_document(document)) for document in entity.policies.values()]
    return policies + [_managed(policy) for policy in entity.managed_policies.values()]


def _boundary(role: Role, account_id: str) -> Policy | None:
    arn = role.permissions_boundary_arn
    if not arn:
        return None
    try:
        return _managed(iam_backends[account_id][_PARTITION].get_policy(arn))
    except NotFoundException:
        # A boundary that is gone allows nothing.
        return Policy("", arn)


def _managed(managed) -> Policy:
    version = next(v for v in managed.versions if v.version_id == managed.default_version_id)
    return Policy(_document(version.document), managed.arn)


def _document(raw: str | bytes | dict) -> str | dict:
    """A policy as moto came by it: an object from a template, or text, perhaps URL-encoded."""
    if isinstance(raw, dict):
        return raw
    text = raw.decode() if isinstance(raw, bytes) else raw
    return text if text.lstrip().startswith("{") else unquote(text)
