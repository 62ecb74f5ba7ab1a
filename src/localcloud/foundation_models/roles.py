"""What a service role lets Bedrock do in its name."""

from __future__ import annotations

from ..control_plane import principals
from ..identity import may_service
from .calls import Call
from .errors import BedrockError


def check_assumable(call: Call, role_arn: str, source_arn: str, service: str) -> None:
    """Refuse a role that doesn't exist, or whose trust policy doesn't let bedrock.amazonaws.com assume
    it for `source_arn`. `service` is what AWS calls itself in the text.
    """
    policy = principals.trust_policy(role_arn, call.account_id)
    if not may_service(
        policy, "sts:AssumeRole", role_arn, source_arn, call.account_id, "bedrock.amazonaws.com"
    ):
        # Quoted by users of knowledge bases; of agents UNCONFIRMED.
        raise BedrockError(
            "ValidationException",
            f"{service} was unable to assume the given role. Provide the proper permissions "
            "and retry the request.",
        )


def lacking(call: Call, role_arn: str, session: str, needed: list[tuple[str, str]]) -> str | None:
    """The first action and resource that a role doesn't allow, as a text; None where it allows all."""
    for action, resource in needed:
        if not call.resources.may_role(role_arn, session, action, resource):
            return f"{role_arn} is not authorized to perform {action} on {resource}"
    return None
