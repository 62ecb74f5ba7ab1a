"""STS's temporary credentials that act as who asked for them, and what AssumeRole carries along.

moto answers GetSessionToken and GetFederationToken with a fixed key that nobody knows, and forgets
the tags and managed policies of a session.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace

from moto.core.exceptions import AccessDeniedError
from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.sts.responses import TokenResponse
from moto.sts.utils import random_session_token

from . import principals

_PARTITION = "aws"
_TWELVE_HOURS_S = 12 * 60 * 60
_original_assume_role = TokenResponse.assume_role


class Refused(AccessDeniedError):
    """STS's AccessDenied, 403."""

    def __init__(self, message: str):
        super(AccessDeniedError, self).__init__("AccessDenied", message)


@dataclass(frozen=True)
class UserSession:
    """Whose session an access key is: `user_name` is None for the administrator's."""

    user_name: str | None
    federated_name: str | None
    policy: str | None
    token: str
    expiration: datetime


def install() -> None:
    """Replace moto's three operations."""
    TokenResponse.get_session_token = _get_session_token
    TokenResponse.get_federation_token = _get_federation_token
    TokenResponse.assume_role = _assume_role


def _get_session_token(self: TokenResponse) -> ActionResult:
    credentials = _make(self, None, None)
    return ActionResult({"Credentials": credentials})


def _get_federation_token(self: TokenResponse) -> ActionResult:
    name = self._get_param("Name")
    credentials = _make(self, name, self._get_param("Policy"))
    user = {
        "FederatedUserId": f"{self.current_account}:{name}",
        "Arn": f"arn:{self.partition}:sts::{self.current_account}:federated-user/{name}",
    }
    return ActionResult({"Credentials": credentials, "FederatedUser": user, "PackedPolicySize": 6})


def _make(response: TokenResponse, name: str | None, policy: str | None) -> SimpleNamespace:
    backend = iam_backends[response.current_account][_PARTITION]
    asking = principals.find_principal(response.get_access_key(), response.current_account)
    if asking and asking.is_temporary:
        # STS API reference: long-term credentials only; the text is STS's.
        operation = "GetFederationToken" if name else "GetSessionToken"
        raise Refused(f"Cannot call {operation} with session credentials")
    key = backend.create_temp_access_key()
    duration = response._get_int_param("DurationSeconds", _TWELVE_HOURS_S)
    key.session = UserSession(
        asking.name if asking else None,
        name,
        policy,
        random_session_token(),
        utcnow() + timedelta(seconds=duration),
    )
    return SimpleNamespace(
        access_key_id=key.access_key_id,
        secret_access_key=key.secret_access_key,
        session_token=key.session.token,
        expiration=key.session.expiration,
    )


def _assume_role(self: TokenResponse) -> ActionResult:
    arn = self._get_param("RoleArn")
    # moto makes a session of a role that isn't there; STS refuses as if it were not allowed.
    if principals.trust_policy(str(arn), self.current_account) is None:
        asking = principals.find_principal(self.get_access_key(), self.current_account)
        who = asking.caller.arn if asking else f"arn:aws:iam::{self.current_account}:root"
        raise Refused(
            f"User: {who} is not authorized to perform: sts:AssumeRole on resource: {arn}",
        )
    result = _original_assume_role(self)
    session = result.result["Credentials"]
    tags = self._get_param("Tags", [])
    session.session_tags = {tag["Key"]: tag["Value"] for tag in tags}
    session.policy_arns = tuple(each["arn"] for each in self._get_param("PolicyArns", []))
    return result
