"""Guardrails as resources: made, read, changed, numbered and deleted (facts H6)."""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..control_plane.foundation_model_records import records
from . import pii_patterns
from .calls import Call
from .errors import BedrockError, invalid, not_found
from .resource_tags import as_mapping

DRAFT = "DRAFT"
_POLICIES = ("topic", "word", "sensitiveInformation", "contextualGrounding")
_MISSING = ("content", "automatedReasoning")
_FIELDS = ("name", "description", "blockedInputMessaging", "blockedOutputsMessaging")
_PAGE = 1000


def create(call: Call) -> Mapping[str, Any]:
    """CreateGuardrail: it is ready at once."""
    settings = _settings(call)
    kept = _kept(call)
    if any(each["versions"][DRAFT]["name"] == settings["name"] for each in kept.values()):
        # AWS's code and sense; its text is UNCONFIRMED.
        raise BedrockError(
            "ConflictException", "Another guardrail in your account already has this name."
        )
    identifier = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(12))
    now = datetime.now(UTC)
    arn = f"arn:aws:bedrock:{call.region}:{call.account_id}:guardrail/{identifier}"
    kept[identifier] = {
        "guardrailId": identifier,
        "guardrailArn": arn,
        "tags": as_mapping(call.get("tags")),
        "versions": {DRAFT: {**settings, "createdAt": now, "updatedAt": now}},
    }
    return {"guardrailId": identifier, "guardrailArn": arn, "version": DRAFT, "createdAt": now}


def update(call: Call) -> Mapping[str, Any]:
    """UpdateGuardrail: the draft is replaced as a whole."""
    guardrail = _asked(call)
    draft = guardrail["versions"][DRAFT]
    now = datetime.now(UTC)
    guardrail["versions"][DRAFT] = {
        **_settings(call),
        "createdAt": draft["createdAt"],
        "updatedAt": now,
    }
    return {**_names(guardrail), "version": DRAFT, "updatedAt": now}


def create_version(call: Call) -> Mapping[str, Any]:
    """CreateGuardrailVersion: the draft, never to be changed again."""
    guardrail = _asked(call)
    number = str(max([int(each) for each in guardrail["versions"] if each != DRAFT], default=0) + 1)
    now = datetime.now(UTC)
    version = {**guardrail["versions"][DRAFT], "createdAt": now, "updatedAt": now}
    if call.get("description"):
        version["description"] = call.get("description")
    guardrail["versions"][number] = version
    return {"guardrailId": guardrail["guardrailId"], "version": number}


def get(call: Call) -> Mapping[str, Any]:
    """GetGuardrail: the draft, or the version that is asked for."""
    guardrail = _asked(call)
    version = call.get("guardrailVersion", DRAFT)
    return {
        **_names(guardrail),
        **_version(guardrail, version),
        "version": version,
        "status": "READY",
    }


def list_guardrails(call: Call) -> Mapping[str, Any]:
    """ListGuardrails: the drafts of all, or all versions of one."""
    if call.get("guardrailIdentifier"):
        guardrail = _asked(call)
        found = [(guardrail, version) for version in guardrail["versions"]]
    else:
        found = [(guardrail, DRAFT) for guardrail in _kept(call).values()]
    token = call.get("nextToken", "0")
    if not token.isdecimal():
        raise invalid("The provided nextToken is invalid.")
    begin = int(token)
    end = begin + call.get("maxResults", _PAGE)
    return {
        "guardrails": [_summary(*each) for each in found[begin:end]],
        "nextToken": str(end) if end < len(found) else None,
    }


def delete(call: Call) -> Mapping[str, Any]:
    """DeleteGuardrail: the version that is given, or all of it."""
    guardrail = _asked(call)
    version = call.get("guardrailVersion")
    if version:
        _version(guardrail, version)
        del guardrail["versions"][version]
    else:
        del _kept(call)[guardrail["guardrailId"]]
    return {}


def find(call: Call, identifier: str, version: str) -> dict[str, Any]:
    """A version of a guardrail as a request applies it: policies, messages, `id`, `arn` and `version`.

    Raises ValidationException where there is none; the text is AWS's as users have logged it.
    """
    guardrail = _kept(call).get(identifier.rpartition("/")[2])
    if guardrail is None or version not in guardrail["versions"]:
        raise invalid("The guardrail identifier or version provided in the request does not exist.")
    names = {"id": guardrail["guardrailId"], "arn": guardrail["guardrailArn"], "version": version}
    return {**guardrail["versions"][version], **names}


def _kept(call: Call) -> dict[str, Any]:
    return records("guardrails", call.account_id, call.region)


def _asked(call: Call) -> dict[str, Any]:
    identifier = call.get("guardrailIdentifier")
    guardrail = _kept(call).get(identifier.rpartition("/")[2])
    if guardrail is None:
        # AWS's code; its text is UNCONFIRMED.
        raise not_found(f"The guardrail {identifier} does not exist.")
    return guardrail


def _version(guardrail: Mapping[str, Any], version: str) -> Mapping[str, Any]:
    found = guardrail["versions"].get(version)
    if found is None:
        raise not_found(f"The guardrail {guardrail['guardrailId']} has no version {version}.")
    return found


def _names(guardrail: Mapping[str, Any]) -> dict[str, str]:
    return {key: guardrail[key] for key in ("guardrailId", "guardrailArn")}


def _summary(guardrail: Mapping[str, Any], version: str) -> dict[str, Any]:
    settings = guardrail["versions"][version]
    shown = ("name", "description", "createdAt", "updatedAt")
    return {
        "id": guardrail["guardrailId"],
        "arn": guardrail["guardrailArn"],
        "version": version,
        "status": "READY",
        **{key: settings[key] for key in shown if key in settings},
    }


def _settings(call: Call) -> dict[str, Any]:
    """What a guardrail is made of, as GetGuardrail shows it. Raises ValidationException."""
    for policy in _MISSING:
        if call.get(f"{policy}PolicyConfig"):
            raise invalid(f"localcloud's guardrails have no {policy} policy (docs/localcloud.md)")
    settings = {key: call.get(key) for key in _FIELDS if call.get(key)}
    for policy in _POLICIES:
        given = call.get(f"{policy}PolicyConfig")
        if given:
            settings[f"{policy}Policy"] = {
                key.removesuffix("Config"): value for key, value in given.items()
            }
    if not any(f"{policy}Policy" in settings for policy in _POLICIES):
        # AWS's code and sense; its text is UNCONFIRMED.
        raise invalid("A guardrail must have at least one policy.")
    _check(settings)
    return settings


def _check(settings: Mapping[str, Any]) -> None:
    if settings.get("wordPolicy", {}).get("managedWordLists"):
        raise invalid("localcloud has no managed word list; give the words in wordsConfig")
    sensitive = settings.get("sensitiveInformationPolicy", {})
    for entity in sensitive.get("piiEntities", []):
        if entity["type"] not in pii_patterns.KNOWN:
            known = ", ".join(sorted(pii_patterns.KNOWN))
            raise invalid(
                f"localcloud finds sensitive information by its form, which {entity['type']} has not. "
                f"It knows {known}"
            )
    for regex in sensitive.get("regexes", []):
        try:
            re.compile(regex["pattern"])
        except re.error as error:
            raise invalid(f"The regex {regex['name']} is not valid: {error}") from None
    for grounding in settings.get("contextualGroundingPolicy", {}).get("filters", []):
        if grounding["threshold"] > 0.99:  # "Use contextual grounding check", Bedrock User Guide
            raise invalid("A contextual grounding threshold must be from 0 to 0.99.")


OPERATIONS = {
    ("bedrock", "CreateGuardrail"): create,
    ("bedrock", "UpdateGuardrail"): update,
    ("bedrock", "CreateGuardrailVersion"): create_version,
    ("bedrock", "GetGuardrail"): get,
    ("bedrock", "ListGuardrails"): list_guardrails,
    ("bedrock", "DeleteGuardrail"): delete,
}
