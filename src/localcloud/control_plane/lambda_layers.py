"""Layers, their versions and the permissions on those."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from moto.awslambda.models import LayerVersion

from .lambda_checks import check_zip_file
from .lambda_errors import conflict, invalid_parameter, not_found, stale_revision
from .lambda_lookup import Call, page

_ARN = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d{12}:layer:([\w-]+)(?::(\d+))?")
_LARGEST_PAGE = 50


def publish_layer_version(call: Call) -> dict[str, Any]:
    """PublishLayerVersion: a new version, counted from 1."""
    content = call.parameters["Content"]
    check_zip_file(content.get("ZipFile"))
    if not {"ZipFile", "S3Key"} & content.keys():
        raise invalid_parameter("Please provide a source for layer code.")  # UNCONFIRMED
    spec = {**call.parameters, "LayerName": _name(call)}
    version = call.backend.publish_layer_version(spec)
    return _shown(version)


def get_layer_version(call: Call) -> dict[str, Any]:
    """GetLayerVersion."""
    number = call.parameters["VersionNumber"]
    if number < 1:
        raise invalid_parameter("Layer Version Cannot be less than 1")
    found = _versions(call, _name(call)).get(str(number))
    if found is None:
        raise not_found()
    return _shown(found)


def get_layer_version_by_arn(call: Call) -> dict[str, Any]:
    """GetLayerVersionByArn."""
    name, number = _ARN.fullmatch(call.parameters["Arn"]).groups()
    found = _versions(call, name).get(number)
    if found is None:
        raise not_found()
    return _shown(found)


def list_layer_versions(call: Call) -> dict[str, Any]:
    """ListLayerVersions: the newest first."""
    versions = [
        _listed(version)
        for version in _newest_first(_versions(call, _name(call)))
        if _is_compatible(call, version)
    ]
    return page(call, versions, "LayerVersions", _LARGEST_PAGE)


def list_layers(call: Call) -> dict[str, Any]:
    """ListLayers, each with its newest version that is compatible with what was asked."""
    layers = []
    for name, layer in sorted(call.backend._layers._layers.items()):
        fitting = [v for v in _newest_first(layer.layer_versions) if _is_compatible(call, v)]
        if fitting:
            layers.append(
                {
                    "LayerName": name,
                    "LayerArn": layer.layer_arn,
                    "LatestMatchingVersion": _listed(fitting[0]),
                }
            )
    return page(call, layers, "Layers", _LARGEST_PAGE)


def delete_layer_version(call: Call) -> None:
    """DeleteLayerVersion: one that isn't there is deleted too (facts D1)."""
    number = call.parameters["VersionNumber"]
    if number < 1:
        raise invalid_parameter("Layer Version Cannot be less than 1")
    call.backend.delete_layer_version(_name(call), str(number))


def _name(call: Call) -> str:
    given = call.parameters["LayerName"]
    found = _ARN.fullmatch(given)
    return found[1] if found else given


def _versions(call: Call, name: str) -> dict[str, LayerVersion]:
    layer = call.backend._layers._layers.get(name)
    return layer.layer_versions if layer else {}


def _newest_first(versions: dict[str, LayerVersion]) -> list[LayerVersion]:
    return sorted(versions.values(), key=lambda version: -version.version)


def _is_compatible(call: Call, version: LayerVersion) -> bool:
    runtime, architecture = call.get("CompatibleRuntime"), call.get("CompatibleArchitecture")
    return (runtime is None or runtime in version.compatible_runtimes) and (
        architecture is None or architecture in version.compatible_architectures
    )


def _shown(version: LayerVersion) -> dict[str, Any]:
    shown = version.get_layer_version()
    return {
        **shown,
        "Description": version.description,
        "LicenseInfo": shown["LicenseInfo"] or None,
    }


def _listed(version: LayerVersion) -> dict[str, Any]:
    hidden = ("Content", "LayerArn")
    return {key: value for key, value in _shown(version).items() if key not in hidden}


# -- permissions -------------------------------------------------------------------------------------


def add_layer_version_permission(call: Call) -> dict[str, Any]:
    """AddLayerVersionPermission."""
    version = _permitted(call)
    policy, statement_id = version.policy, call.parameters["StatementId"]
    if any(each["Sid"] == statement_id for each in policy.statements):
        raise conflict(
            f"The statement id ({statement_id}) provided already exists. Please provide a new statement "
            "id, or remove the existing statement."
        )
    _check_revision(call, version)
    principal = call.parameters["Principal"]
    if re.fullmatch(r"\d{12}", principal):
        principal = f"arn:aws:iam::{principal}:root"
    statement: dict[str, Any] = {
        "Sid": statement_id,
        "Effect": "Allow",
        "Principal": principal if principal == "*" else {"AWS": principal},
        "Action": call.parameters["Action"],
        "Resource": version.arn,
    }
    if call.get("OrganizationId"):
        statement["Condition"] = {
            "StringEquals": {"aws:PrincipalOrgID": call.get("OrganizationId")}
        }
    policy.statements.append(statement)
    policy.revision = str(uuid.uuid4())
    return {
        "Statement": json.dumps(statement, separators=(",", ":")),
        "RevisionId": policy.revision,
    }


def remove_layer_version_permission(call: Call) -> None:
    """RemoveLayerVersionPermission."""
    version = _permitted(call)
    _check_revision(call, version)
    statement_id = call.parameters["StatementId"]
    left = [each for each in version.policy.statements if each["Sid"] != statement_id]
    if len(left) == len(version.policy.statements):
        raise not_found(f"Statement {statement_id} is not found in resource policy.")
    version.policy.statements = left
    version.policy.revision = str(uuid.uuid4())


def get_layer_version_policy(call: Call) -> dict[str, Any]:
    """GetLayerVersionPolicy."""
    policy = _permitted(call).policy
    if not policy.statements:
        raise not_found("No policy is associated with the given resource.")
    document = {"Version": "2012-10-17", "Id": "default", "Statement": policy.statements}
    return {"Policy": json.dumps(document, separators=(",", ":")), "RevisionId": policy.revision}


def _permitted(call: Call) -> LayerVersion:
    name, number = _name(call), call.parameters["VersionNumber"]
    found = _versions(call, name).get(str(number))
    if found is None:
        arn = f"arn:aws:lambda:{call.region}:{call.account_id}:layer:{name}:{number}"
        raise not_found(f"Layer version {arn} does not exist.")
    return found


def _check_revision(call: Call, version: LayerVersion) -> None:
    revision = call.get("RevisionId")
    if revision and revision != version.policy.revision:
        raise stale_revision("GetLayerPolicy")


OPERATIONS = {
    "AddLayerVersionPermission": add_layer_version_permission,
    "DeleteLayerVersion": delete_layer_version,
    "GetLayerVersion": get_layer_version,
    "GetLayerVersionByArn": get_layer_version_by_arn,
    "GetLayerVersionPolicy": get_layer_version_policy,
    "ListLayerVersions": list_layer_versions,
    "ListLayers": list_layers,
    "PublishLayerVersion": publish_layer_version,
    "RemoveLayerVersionPermission": remove_layer_version_permission,
}
