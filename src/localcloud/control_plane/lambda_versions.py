"""Versions of functions: how one is shown, published and listed."""

from __future__ import annotations

import copy
from typing import Any

from moto.awslambda.models import LambdaAlias, LambdaBackend, LambdaFunction
from moto.awslambda.policy import Policy

from ..functions.runtime import RUNTIME_VERSION
from . import lambda_states
from .lambda_errors import invalid_parameter, stale_revision
from .lambda_lookup import LATEST, Call, page
from .lambda_times import timestamp

_STATE = ("State", "LastUpdateStatus")


def is_published(function: LambdaFunction) -> bool:
    """Whether this is a version and not $LATEST."""
    return function.function_arn.rpartition(":")[2] == str(function.version)


def configuration(function: LambdaFunction) -> dict[str, Any]:
    """A version's FunctionConfiguration, its state included; members that are None are not sent."""
    shown = function.get_configuration()
    if function.runtime_version:
        shown["RuntimeVersionConfig"] = {"RuntimeVersionArn": function.runtime_version}
    del shown["LastUpdateStatus"]
    return {
        **shown,
        **lambda_states.shown(function),
        "Version": str(function.version) if is_published(function) else LATEST,
        "Layers": shown["Layers"] or None,
        "LastModified": function.last_modified,
        "RevisionId": function.revision_id,
    }


def begun(function: LambdaFunction) -> dict[str, Any]:
    """The configuration as the answer to a change has it: Pending, or an update InProgress."""
    return {**_without_state(configuration(function)), **function.begun}


def _without_state(shown: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shown.items() if not key.startswith(_STATE)}


def settings_only(function: LambdaFunction, arn: str | None = None) -> dict[str, Any]:
    """The configuration as lists have it (recorded), under another ARN where one is given."""
    shown = {**_without_state(configuration(function)), "RuntimeVersionConfig": None}
    return {**shown, "FunctionArn": arn or function.function_arn}


def runtime_version_arn(region: str) -> str:
    """The ARN of the version of the runtime that runs here, as INIT_START names it."""
    return f"arn:aws:lambda:{region}::runtime:{RUNTIME_VERSION}"


def copy_of(function: LambdaFunction) -> LambdaFunction:
    """A copy that shares nothing that an update changes."""
    made = copy.copy(function)
    made.code = dict(function.code)
    return made


def publish(
    backend: LambdaBackend, function: LambdaFunction, description: str | None
) -> LambdaFunction:
    """Make a version of what $LATEST is now; the newest one where nothing has changed since.

    Numbers are not used again when a version is deleted ("Manage Lambda function versions").
    """
    storage = backend._lambdas
    versions = storage._functions[function.function_name]["versions"]
    if versions and not function.code_or_config_updated:
        newest = versions[-1]
        if newest.version == function.next_version - 1:
            return newest
    version = copy_of(function)
    version.set_version(function.next_version)
    version.last_modified = timestamp()
    # A version has its own policy and settings ("Using resource-based policies", Qualifier).
    version.policy = Policy(version)
    version.event_invoke_config = []
    version.url_config = None
    version.provisioned = None
    if description is not None:
        version.description = description
    function.next_version += 1
    function.code_or_config_updated = False
    versions.append(version)
    storage._arns[version.function_arn] = version
    lambda_states.begin(version, is_new=True)
    lambda_states.new_revision(function)
    return version


def versions_of(alias: LambdaAlias) -> list[str]:
    """The versions to which an alias leads."""
    weights = (alias.routing_config or {}).get("AdditionalVersionWeights") or {}
    return [alias.function_version, *weights]


def publish_version(call: Call) -> dict[str, Any]:
    """PublishVersion."""
    name, _ = call.named()
    function = call.function(name)
    revision = call.get("RevisionId")
    if revision and revision != function.revision_id:
        raise stale_revision()
    asked = call.get("CodeSha256")
    if asked and asked != function.code_sha_256:
        raise invalid_parameter(
            f"CodeSHA256 ({asked}) is different from current CodeSHA256 in $LATEST "
            f"({function.code_sha_256}). Please try again with the CodeSHA256 in $LATEST."
        )
    lambda_states.require_settled(function)
    number = function.next_version
    version = publish(call.backend, function, call.get("Description"))
    return begun(version) if version.version == number else configuration(version)


def list_versions_by_function(call: Call) -> dict[str, Any]:
    """ListVersionsByFunction: $LATEST first, then the versions in their order."""
    name, _ = call.named()
    latest = settings_only(call.function(name), call.arn(name, LATEST))
    versions = [settings_only(version) for version in call.versions(name)]
    return page(call, [latest, *versions], "Versions")


OPERATIONS = {
    "ListVersionsByFunction": list_versions_by_function,
    "PublishVersion": publish_version,
}
