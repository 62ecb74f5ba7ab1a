"""The states of functions: Pending until a new one's package is unpacked, InProgress during updates.

A transition lives as long as the process: what a restarted server finds in its state is settled.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

from moto.awslambda.models import LambdaFunction

from ..functions.configuration import FunctionConfiguration
from .lambda_errors import conflict

# prepare(configuration, done): begin to unpack a function's package and layers, and call
# done(None), or done(text) with what went wrong, when that is over.
Prepare = Callable[[FunctionConfiguration, Callable[[str | None], None]], None]

# Facts A14; the same for both, as recorded.
_REASON, _REASON_CODE = "The function is being created.", "Creating"
_PENDING = {"State": "Pending", "StateReason": _REASON, "StateReasonCode": _REASON_CODE}
_IN_PROGRESS = {
    "LastUpdateStatus": "InProgress",
    "LastUpdateStatusReason": _REASON,
    "LastUpdateStatusReasonCode": _REASON_CODE,
}
# How long the answer to a change waits for its end, so that scripts that go on at once find a small
# function active. The answer itself says Pending or InProgress, as AWS's does.
_PATIENCE_S = 0.25
# How long a stack waits: unpacking takes seconds at most.
_LONGEST_S = 120


class _Transition:
    def __init__(self, is_new: bool):
        self.is_new = is_new
        self.over = threading.Event()


_running: dict[str, _Transition] = {}
_prepare: Prepare
_configuration_of: Callable[[LambdaFunction], FunctionConfiguration]


def install(
    prepare: Prepare, configuration_of: Callable[[LambdaFunction], FunctionConfiguration]
) -> None:
    """Take what unpacks functions. States of an earlier cloud are forgotten."""
    global _prepare, _configuration_of
    _prepare, _configuration_of = prepare, configuration_of
    _running.clear()


def new_revision(resource: Any) -> None:
    """Give a function, version or alias another RevisionId."""
    resource.revision_id = str(uuid.uuid4())


def begin(function: LambdaFunction, is_new: bool) -> None:
    """A function or version was made or changed: it is Pending or InProgress until it is unpacked.

    `function.begun` has the state's members and the RevisionId that the answer to the change shows,
    however soon it is over.
    """
    new_revision(function)
    state = _PENDING if is_new else {"State": "Active", **_IN_PROGRESS}
    function.begun = {**state, "RevisionId": function.revision_id}
    if function.package_type != "Zip":
        return  # images are not run here: there is nothing to unpack
    transition = _Transition(is_new)
    _running[function.function_arn] = transition

    def done(failure: str | None) -> None:
        if _running.get(function.function_arn) is transition:
            del _running[function.function_arn]
        if failure:
            status = "State" if is_new else "LastUpdateStatus"
            function.failure = {
                status: "Failed", f"{status}Reason": failure, f"{status}ReasonCode": "InternalError"
            }  # fmt: skip
        else:
            function.failure = {}
        new_revision(function)
        transition.over.set()

    _prepare(_configuration_of(function), done)


def settle(function_arn: str) -> None:
    """Wait for the end of a change, as CloudFormation does before it goes on to the next resource."""
    transition = _running.get(function_arn)
    if transition:
        transition.over.wait(_LONGEST_S)


def wait(function_arn: str) -> None:
    """Let a transition end, if there is one and it ends soon."""
    transition = _running.get(function_arn)
    if transition:
        transition.over.wait(_PATIENCE_S)


def shown(function: LambdaFunction) -> dict[str, str]:
    """The state's members of a FunctionConfiguration."""
    transition = _running.get(function.function_arn)
    if transition and transition.is_new:
        return _PENDING
    settled = {"State": "Active", "LastUpdateStatus": "Successful"}
    if transition:
        return {**settled, **_IN_PROGRESS}
    return {**settled, **getattr(function, "failure", {})}


def require_settled(function: LambdaFunction) -> None:
    """Raise LambdaError (409) where a function can't be changed now."""
    transition = _running.get(function.function_arn)
    if transition is None:
        return
    prefix = "The operation cannot be performed at this time. "
    if transition.is_new:  # text logged by users
        raise conflict(f"{prefix}The function is currently in the following state: Pending")
    raise conflict(f"{prefix}An update is in progress for resource: {function.function_arn}")
