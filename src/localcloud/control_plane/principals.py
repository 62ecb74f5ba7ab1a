"""Who has which keys and policies, read from moto's IAM and STS."""

import functools
import json
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import unquote

from moto.iam.exceptions import NotFoundException
from moto.iam.models import AccessKey, Group, IAMBackend, Role, User, iam_backends
from moto.iam.utils import generate_access_key_id_from_account_id
from moto.sts.models import AssumedRole, sts_backends

from ..policies import Caller, Policy
from .backends import backend_of

# Of users and of sessions (IAM User Guide, "IAM identifiers", "Unique ID prefixes").
KEY_PREFIXES = _LONG_TERM, _TEMPORARY = "AKIA", "ASIA"
_PARTITION = "aws"
_SESSION_S = 12 * 60 * 60


@dataclass(frozen=True, slots=True)
class Principal:
    """A user or a role's session with the policies that are in force now.

    The caller's ARN is arn:aws:iam::ACCT:user/NAME or arn:aws:sts::ACCT:assumed-role/ROLE/SESSION;
    `name` is the user's or the session's, `user_id` what aws:userid holds, `tags` what
    aws:PrincipalTag holds. `function_arn` is the function whose execution
    role this is. `secret` and `token` are those that the key was given with.
    """

    caller: Caller
    name: str
    user_id: str
    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    sessions: tuple[Policy, ...] = ()
    credentials: Literal["active", "inactive", "expired"] = "active"
    tags: dict[str, str] = field(default_factory=dict)
    is_temporary: bool = False
    function_arn: str | None = None
    secret: str = ""
    token: str | None = None

    @property
    def kind(self) -> str:
        """What aws:PrincipalType holds."""
        if self.caller.arn is None:
            return "Anonymous"
        if self.caller.role_arn:
            return "AssumedRole"
        return "FederatedUser" if ":federated-user/" in self.caller.arn else "User"


ANONYMOUS = Principal(Caller(), "", "anonymous")


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
    role.function_arn = f"arn:aws:lambda:{region}:{account_id}:function:{session_name}"
    return RoleCredentials(
        role.access_key_id, role.secret_access_key, role.session_token, role.expiration
    )


def find_principal(access_key_id: str, account_id: str) -> Principal | None:
    """The user or session that a key belongs to; None for a key that IAM and STS don't know, and
    for a session that the administrator made.

    Nothing is kept but where to find a session: a policy that changes is in force at once.
    """
    backend = backend_of(iam_backends, account_id, _PARTITION)
    key = backend.access_keys.get(access_key_id)
    if key is None:
        return None
    session = getattr(key, "session", None)
    if session is not None:
        return _user_session(key, session, backend)
    if key.user_name is not None:
        return _user(key, backend)
    roles = backend_of(sts_backends, account_id, _PARTITION).assumed_roles
    assumed = _sessions.find(roles, access_key_id)
    return _role_session(assumed, backend) if assumed else None


def is_lost(access_key_id: str, account_id: str) -> bool:
    """Whether a key is a session's that STS doesn't know, or was a user's of this account and is deleted.
    Whoever brings a user's key of elsewhere brings it to no other cloud than this one.
    """
    if not access_key_id.startswith((_TEMPORARY, _own_beginning(account_id))):
        return False
    return access_key_id not in backend_of(iam_backends, account_id, _PARTITION).access_keys


@functools.cache
def _own_beginning(account_id: str) -> str:
    """How keys of an account's users begin: after the prefix, its id in eight characters."""
    return generate_access_key_id_from_account_id(account_id, _LONG_TERM)[: len(_LONG_TERM) + 8]


def role_principal(role_arn: str, session_name: str, account_id: str) -> Principal:
    """A role's session by name, without keys: what Lambda itself does in the role's name."""
    backend = backend_of(iam_backends, account_id, _PARTITION)
    role = _role(role_arn, backend)
    return Principal(*_role_parts(role_arn, role, session_name, backend))


def entity_principal(arn: str, account_id: str) -> Principal:
    """A user, group or role by ARN, as the policy simulator takes it. Raises KeyError."""
    backend = backend_of(iam_backends, account_id, _PARTITION)
    for user in backend.users.values():
        if user.arn == arn:
            return _user_principal(user, backend, "active", "")
    for group in backend.groups.values():
        if group.arn == arn:
            return Principal(Caller(), group.name, "", tuple(_policies(group, "group")))
    role = _role(arn, backend)
    if role is None:
        raise KeyError(arn)
    caller = Caller(arn, None, account_id)
    policies, boundary = tuple(_policies(role, "role")), _boundary(role, backend)
    return Principal(caller, role.name, role.id, policies, boundary, tags=_tags(role.tags))


def trust_policy(role_arn: str, account_id: str) -> Policy | None:
    """The policy that says who may assume a role; None where there is no such role."""
    role = _role(role_arn, backend_of(iam_backends, account_id, _PARTITION))
    return Policy(_document(role.assume_role_policy_document)) if role else None


def entity_tags(arn: str, account_id: str) -> dict[str, str]:
    """The tags of a user or role by ARN; none where there is no such one."""
    backend = backend_of(iam_backends, account_id, _PARTITION)
    if ":user/" in arn:
        name = arn.rpartition("/")[2]
        return _user_tags(name, backend) if name in backend.users else {}
    role = _role(arn, backend)
    return _tags(role.tags) if role else {}


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


def _role_parts(
    role_arn: str, role: Role | None, session_name: str, backend: IAMBackend
) -> tuple[Caller, str, str, tuple[Policy, ...], Policy | None]:
    name = role_arn.rpartition("/")[2]
    arn = f"arn:aws:sts::{backend.account_id}:assumed-role/{name}/{session_name}"
    caller = Caller(arn, role_arn, backend.account_id)
    if role is None:  # a deleted role's sessions live on, with no permission left
        return caller, session_name, session_name, (), None
    user_id = f"{role.id}:{session_name}"
    return caller, session_name, user_id, tuple(_policies(role, "role")), _boundary(role, backend)


def _role_session(assumed: AssumedRole, backend: IAMBackend) -> Principal:
    role = _role(assumed.role_arn, backend)
    parts = _role_parts(assumed.role_arn, role, assumed.session_name, backend)
    # Session tags come before the role's own (IAM User Guide, "Pass session tags in AWS STS").
    tags = {**_tags(role.tags if role else None), **getattr(assumed, "session_tags", {})}
    sessions = [Policy(_document(assumed.policy))] if assumed.policy else []
    sessions += [_managed_by_arn(arn, backend) for arn in getattr(assumed, "policy_arns", ())]
    return Principal(
        *parts, tuple(sessions),
        "expired" if _is_over(assumed.expiration) else "active",
        tags, True, getattr(assumed, "function_arn", None),
        assumed.secret_access_key, assumed.session_token,
    )  # fmt: skip


def _user(key: AccessKey, backend: IAMBackend) -> Principal:
    user = backend.users.get(key.user_name)
    if user is None or key not in user.access_keys:  # moto keeps the name from before a renaming
        user = next((each for each in backend.users.values() if key in each.access_keys), None)
    if user is None:  # deleted with its keys left behind, which AWS would have refused
        return Principal(Caller(), str(key.user_name), "", credentials="inactive")
    state = "active" if key.status == "Active" else "inactive"
    return _user_principal(user, backend, state, key.secret_access_key)


def _user_principal(user: User, backend: IAMBackend, state: str, secret: str) -> Principal:
    policies = _policies(user, "user")
    for group in backend.groups.values():
        if user in group.users:
            policies += _policies(group, "group")
    return Principal(
        Caller(user.arn, None, backend.account_id), user.name, user.id, tuple(policies),
        _boundary(user, backend), (), state, _user_tags(user.name, backend), False, None, secret,
    )  # fmt: skip


def _user_session(key: AccessKey, session: Any, backend: IAMBackend) -> Principal | None:
    """What GetSessionToken and GetFederationToken made, see session_tokens."""
    if session.user_name is None:
        return None
    state = "expired" if _is_over(session.expiration) else "active"
    user = backend.users.get(session.user_name)
    if user is None:
        return Principal(Caller(), session.user_name, "", credentials="inactive")
    principal = _user_principal(user, backend, state, "")
    caller, user_id, sessions = principal.caller, principal.user_id, ()
    if session.federated_name:
        arn = f"arn:aws:sts::{backend.account_id}:federated-user/{session.federated_name}"
        caller = Caller(arn, None, backend.account_id)
        user_id = f"{backend.account_id}:{session.federated_name}"
        # Without a policy a federated user may do nothing (STS API reference, GetFederationToken).
        sessions = (Policy(session.policy or ""),)
    return Principal(
        caller, principal.name, user_id, principal.identity, principal.boundary, sessions, state,
        principal.tags, True, None, key.secret_access_key, session.token,
    )  # fmt: skip


def _is_over(expiration: datetime) -> bool:
    # moto's times have no time zone; its own utcnow() takes several times as long.
    return expiration < datetime.now(UTC).replace(tzinfo=None)


def _role(role_arn: str, backend: IAMBackend) -> Role | None:
    name = role_arn.rpartition("/")[2]  # moto puts the ARN together each time that it is asked
    for role in backend.roles.values():
        if role.name == name and role.arn == role_arn:
            return role
    return None


def _policies(entity: User | Group | Role, kind: str) -> list[Policy]:
    policies = [
        _inline(document if isinstance(document, str) else json.dumps(document), name, kind)
        for name, document in entity.policies.items()
    ]
    return policies + [_managed(policy) for policy in entity.managed_policies.values()]


def _boundary(entity: User | Role, backend: IAMBackend) -> Policy | None:
    arn = getattr(entity, "permissions_boundary_arn", None)
    return _managed_by_arn(arn, backend) if arn else None


def _managed_by_arn(arn: str, backend: IAMBackend) -> Policy:
    try:
        return _managed(backend.get_policy(arn))
    except NotFoundException:
        return Policy("", arn)  # a policy that is gone allows nothing


def _managed(managed) -> Policy:
    version = next(v for v in managed.versions if v.version_id == managed.default_version_id)
    document = version.document
    return _managed_version(
        document if isinstance(document, str) else json.dumps(document), managed.arn, managed.name
    )


# Made once for each text, since every request of a session needs them all.
@functools.lru_cache(maxsize=1024)
def _managed_version(document: str, arn: str, name: str) -> Policy:
    kind = "aws-managed" if ":iam::aws:" in arn else "user-managed"
    return Policy(_document(document), arn, name, kind)


@functools.lru_cache(maxsize=1024)
def _inline(document: str, name: str, kind: str) -> Policy:
    return Policy(_document(document), None, name, kind)


def _tags(tags: dict | list | None) -> dict[str, str]:
    """A role's tags: moto keeps a list, or an object by their keys in lower case."""
    if not tags:
        return {}
    return {tag["Key"]: tag["Value"] for tag in (tags.values() if isinstance(tags, dict) else tags)}


def _user_tags(name: str, backend: IAMBackend) -> dict[str, str]:
    return backend.tagger.get_tag_dict_for_resource(backend.users[name].arn)


def _document(raw: str | bytes | dict) -> str | dict:
    """A policy as moto came by it: an object from a template, or text, perhaps URL-encoded."""
    if isinstance(raw, dict):
        return raw
    text = raw.decode() if isinstance(raw, bytes) else raw
    return text if text.lstrip().startswith("{") else unquote(text)
