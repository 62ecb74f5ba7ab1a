"""Resource-based policies of functions, versions and aliases."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from moto.awslambda.models import LambdaBackend

from . import lambda_states
from .lambda_errors import LambdaError, conflict, invalid_parameter, not_found, stale_revision
from .lambda_lookup import LATEST, Call, Resource

_MAX_POLICY_BYTES = 20_480  # facts B1


def add_permission(call: Call) -> dict[str, Any]:
    """AddPermission."""
    _, qualifier = call.named()
    if qualifier == LATEST:
        raise invalid_parameter("We currently do not support adding policies for $LATEST.")
    resource = call.resource()
    _check_revision(call, resource)
    statement_id = call.parameters["StatementId"]
    if any(each.get("Sid") == statement_id for each in resource.policy.statements):
        raise conflict(
            f"The statement id ({statement_id}) provided already exists. Please provide a new statement "
            "id, or remove the existing statement."
        )
    statement = _statement(resource.function_arn, call.parameters)
    _check_length([*resource.policy.statements, statement])
    resource.policy.statements.append(statement)
    lambda_states.new_revision(resource)
    return {"Statement": json.dumps(statement, separators=(",", ":"))}


def _statement(arn: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The statement that a permission becomes (facts E2; "Control access to Lambda function URLs")."""
    condition: dict[str, dict[str, str]] = {}
    equal = {
        "lambda:FunctionUrlAuthType": asked.get("FunctionUrlAuthType"),
        "aws:PrincipalOrgID": asked.get("PrincipalOrgID"),
        "AWS:SourceAccount": asked.get("SourceAccount"),
        "lambda:EventSourceToken": asked.get("EventSourceToken"),
    }
    if given := {key: value for key, value in equal.items() if value}:
        condition["StringEquals"] = given
    if asked.get("SourceArn"):
        condition["ArnLike"] = {"AWS:SourceArn": asked["SourceArn"]}
    if asked.get("InvokedViaFunctionUrl"):
        condition["Bool"] = {"lambda:InvokedViaFunctionUrl": "true"}
    statement = {
        "Sid": asked["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(asked["Principal"]),
        "Action": asked["Action"],
        "Resource": arn,
    }
    return {**statement, "Condition": condition} if condition else statement


def _principal(principal: str) -> str | dict[str, str]:
    if principal == "*":
        return principal
    if principal.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return {"Service": principal}
    if re.fullmatch(r"\d{12}", principal):
        return {"AWS": f"arn:aws:iam::{principal}:root"}
    if re.match(r"arn:[\w-]+:(iam|sts):", principal):
        return {"AWS": principal}
    raise invalid_parameter(
        "The provided principal was invalid. Please check the principal and try again."
    )


def remove_permission(call: Call) -> None:
    """RemovePermission."""
    name, qualifier = call.named()
    resource = call.find(name, qualifier)
    if resource is None:
        raise not_found(f"No policy found for: {call.arn(name, qualifier)}")
    if not resource.policy.statements:
        raise not_found("No policy is associated with the given resource.")
    statement_id = call.parameters["StatementId"]
    left = [each for each in resource.policy.statements if each.get("Sid") != statement_id]
    if len(left) == len(resource.policy.statements):
        raise not_found(f"Statement {statement_id} is not found in resource policy.")
    _check_revision(call, resource)
    resource.policy.statements = left
    lambda_states.new_revision(resource)


def get_policy(call: Call) -> dict[str, Any]:
    """GetPolicy."""
    return _shown(call.resource())


# -- the whole policy at once: since late 2026 (facts E2) -------------------------------------------


def put_resource_policy(call: Call) -> dict[str, Any]:
    """PutResourcePolicy: overwrites what AddPermission made. The texts are UNCONFIRMED."""
    resource = _by_arn(call)
    _check_revision(call, resource)
    try:
        document = json.loads(call.parameters["Policy"])
        statements = document["Statement"]
    except (ValueError, KeyError, TypeError):
        raise invalid_parameter("The policy is not a valid JSON policy document.") from None
    statements = statements if isinstance(statements, list) else [statements]
    for statement in statements:
        if (
            not isinstance(statement, dict)
            or not {"Effect", "Action", "Principal"} <= statement.keys()
        ):
            raise invalid_parameter("A statement of the policy lacks Effect, Action or Principal.")
    _check_length(statements)
    resource.policy.statements = statements
    lambda_states.new_revision(resource)
    return _shown(resource)


def get_resource_policy(call: Call) -> dict[str, Any]:
    """GetResourcePolicy."""
    return _shown(_by_arn(call))


def delete_resource_policy(call: Call) -> None:
    """DeleteResourcePolicy."""
    resource = _by_arn(call)
    _shown(resource)  # 404 where there is none
    _check_revision(call, resource)
    resource.policy.statements = []
    lambda_states.new_revision(resource)


def _by_arn(call: Call) -> Resource:
    arn = call.parameters["ResourceArn"]
    return Call(call.account_id, call.region, {"FunctionName": arn}).resource()


def _shown(resource: Resource) -> dict[str, Any]:
    if not resource.policy.statements:
        raise not_found()
    document = {"Version": "2012-10-17", "Id": "default", "Statement": resource.policy.statements}
    return {
        "Policy": json.dumps(document, separators=(",", ":")),
        "RevisionId": resource.revision_id,
    }


def _check_revision(call: Call, resource: Resource) -> None:
    revision = call.get("RevisionId")
    if revision and revision != resource.revision_id:
        raise stale_revision()


def _check_length(statements: list[dict[str, Any]]) -> None:
    size = len(json.dumps(statements, separators=(",", ":")).encode())
    if size > _MAX_POLICY_BYTES:
        # "The permissions policy for the resource is too large" (API reference); text logged by users.
        raise LambdaError(
            "PolicyLengthExceededException",
            f"The final policy size ({size}) is bigger than the limit ({_MAX_POLICY_BYTES}).",
        )


# -- for CloudFormation, which comes by moto's backend -----------------------------------------------


def install() -> None:
    """Let permissions that come by moto's backend be the same. May be called more than once."""

    def add(self: LambdaBackend, function_name, qualifier, raw):
        asked = {**json.loads(raw), "FunctionName": function_name}
        call = Call(self.account_id, self.region_name, _qualified(asked, qualifier))
        return json.loads(add_permission(call)["Statement"])

    def remove(self: LambdaBackend, function_name, sid, revision=""):
        asked = {"FunctionName": function_name, "StatementId": sid}
        remove_permission(Call(self.account_id, self.region_name, asked))

    LambdaBackend.add_permission = add
    LambdaBackend.remove_permission = remove


def _qualified(asked: dict[str, Any], qualifier: str | None) -> dict[str, Any]:
    return {**asked, "Qualifier": qualifier} if qualifier else asked


OPERATIONS = {
    "AddPermission": add_permission,
    "DeleteResourcePolicy": delete_resource_policy,
    "GetPolicy": get_policy,
    "GetResourcePolicy": get_resource_policy,
    "PutResourcePolicy": put_resource_policy,
    "RemovePermission": remove_permission,
}
