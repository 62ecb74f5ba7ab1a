"""What ValidateTemplate and GetTemplateSummary say about a template: parameters, capabilities, transforms.

CloudFormation API reference, operations of these names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .serverless_transform import transforms
from .stack_templates import creation_order, dependencies, iam_resource_types, needed_capability


def summarize(template: Mapping[str, Any]) -> dict[str, Any]:
    """The members of ValidateTemplate's answer for a parsed template. Raises ValidationError."""
    macros = transforms(template)
    if macros:
        dependencies(template)  # a macro may bring resource types of its own
    else:
        creation_order(template)
    capability = needed_capability(template)
    capabilities = [capability] if capability else []
    summary = {
        "Description": template.get("Description", ""),
        "Parameters": [
            _parameter(name, declared)
            for name, declared in (template.get("Parameters") or {}).items()
        ],
        "Capabilities": capabilities + (["CAPABILITY_AUTO_EXPAND"] if macros else []),
        "DeclaredTransforms": macros,
    }
    if capability:
        types = ", ".join(iam_resource_types(template))
        reason = f"The following resource(s) require capabilities: [{types}]"
        summary["CapabilitiesReason"] = reason
    return summary


def summarize_fully(template: Mapping[str, Any]) -> dict[str, Any]:
    """The members of GetTemplateSummary's answer for a parsed template. Raises ValidationError."""
    summary = summarize(template)
    for parameter in summary["Parameters"]:
        declared = template["Parameters"][parameter["ParameterKey"]]
        allowed = declared.get("AllowedValues")
        parameter["ParameterType"] = declared["Type"]
        parameter["ParameterConstraints"] = {"AllowedValues": allowed} if allowed else {}
    types = {resource["Type"] for resource in template["Resources"].values()}
    summary["ResourceTypes"] = sorted(types)
    if "AWSTemplateFormatVersion" in template:
        summary["Version"] = str(template["AWSTemplateFormatVersion"])
    return summary


def _parameter(name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    parameter = {"ParameterKey": name, "NoEcho": str(declared.get("NoEcho", "")).lower() == "true"}
    if "Default" in declared:
        parameter["DefaultValue"] = str(declared["Default"])
    if "Description" in declared:
        parameter["Description"] = declared["Description"]
    return parameter
