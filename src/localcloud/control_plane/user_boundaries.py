"""Permissions boundaries of users, which moto has for roles only."""

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.models import User
from moto.iam.responses import IamResponse

_original_create = IamResponse.create_user


def install() -> None:
    """Add the two operations, the parameter of CreateUser, and what GetUser answers."""
    IamResponse.create_user = _create_user
    IamResponse.put_user_permissions_boundary = _put
    IamResponse.delete_user_permissions_boundary = _delete
    IamResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER[
        "ListUsersResponse.Users.User.PermissionsBoundary"
    ] = IamResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER[
        "ListRolesResponse.Roles.Role.PermissionsBoundary"
    ]
    User.permissions_boundary = property(_described)


def _described(user: User) -> dict[str, str] | None:
    arn = getattr(user, "permissions_boundary_arn", None)
    if arn is None:
        return None
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}


def _create_user(self: IamResponse) -> ActionResult:
    boundary = self._get_param("PermissionsBoundary")
    if boundary:
        self.backend.get_policy(boundary)  # NoSuchEntity where there is no such policy
    result = _original_create(self)
    if boundary:
        result.result["User"].permissions_boundary_arn = boundary
    return result


def _put(self: IamResponse) -> EmptyResult:
    user = self.backend.get_user(self._get_param("UserName"))
    arn = self._get_param("PermissionsBoundary")
    self.backend.get_policy(arn)
    user.permissions_boundary_arn = arn
    return EmptyResult()


def _delete(self: IamResponse) -> EmptyResult:
    self.backend.get_user(self._get_param("UserName")).permissions_boundary_arn = None
    return EmptyResult()
