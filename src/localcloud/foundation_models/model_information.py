"""ListFoundationModels, GetFoundationModel, ListInferenceProfiles and GetInferenceProfile, by models.toml."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from .calls import Call
from .catalogue import Model, models
from .errors import invalid, not_found

# Where an inference profile sends requests: some of each geography's regions (facts H1; UNCONFIRMED for
# each model). `global` profiles name no region.
_TARGETS = {
    "us": ("us-east-1", "us-east-2", "us-west-2"),
    "eu": ("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3"),
    "apac": ("ap-northeast-1", "ap-southeast-1", "ap-southeast-2"),
    "global": ("",),
}
_NAMES = {"us": "US", "eu": "EU", "apac": "APAC", "global": "Global"}


def list_models(call: Call) -> Mapping[str, Any]:
    """ListFoundationModels: those that a region has and that have not ended."""
    provider = call.get("byProvider", "").lower()
    kind = call.get("byInferenceType")
    found = [
        _details(model, call.region)
        for model in _present(call.region)
        if provider in ("", model.provider.lower())
        and call.get("byOutputModality") in (None, *model.output)
        and not call.get("byCustomizationType")
        and (kind is None or (kind == "ON_DEMAND" and call.region in model.on_demand))
    ]
    return {"modelSummaries": found}


def get_model(call: Call) -> Mapping[str, Any]:
    """GetFoundationModel, with its lifecycle."""
    name = call.get("modelIdentifier")
    for model in _present(call.region):
        if name in (model.id, _arn(model, call.region)):
            return {"modelDetails": _details(model, call.region)}
    # AWS's code; its text is UNCONFIRMED.
    raise not_found(f"Could not find a foundation model with the identifier {name}.")


def list_profiles(call: Call) -> Mapping[str, Any]:
    """ListInferenceProfiles: those of the system; application inference profiles can't be made here."""
    if call.get("typeEquals") == "APPLICATION":
        return {"inferenceProfileSummaries": []}
    found = [_profile(call, *each) for each in _profiles(call.region)]
    begin = _page_start(call.get("nextToken"), len(found))
    end = begin + call.get("maxResults", 1000)
    return {
        "inferenceProfileSummaries": found[begin:end],
        "nextToken": str(end) if end < len(found) else None,
    }


def get_profile(call: Call) -> Mapping[str, Any]:
    """GetInferenceProfile, by id or ARN."""
    name = call.get("inferenceProfileIdentifier").rpartition("/")[2]
    for model, profile in _profiles(call.region):
        if profile == name:
            return _profile(call, model, profile)
    # AWS's code; its text is UNCONFIRMED.
    raise not_found(f"Could not find an inference profile with the identifier {name}.")


def _page_start(token: str | None, count: int) -> int:
    if token is None:
        return 0
    if not token.isdecimal() or int(token) >= count:
        raise invalid("The provided nextToken is invalid.")
    return int(token)


def _present(region: str) -> list[Model]:
    return [
        model
        for model in models().values()
        if model.listed and model.status != "EOL" and model.is_in(region)
    ]


def _profiles(region: str) -> list[tuple[Model, str]]:
    return [(model, name) for model in _present(region) for name in model.profiles_in(region)]


def _arn(model: Model, region: str) -> str:
    return f"arn:aws:bedrock:{region}::foundation-model/{model.id}"


def _details(model: Model, region: str) -> dict[str, Any]:
    return {
        "modelArn": _arn(model, region),
        "modelId": model.id,
        "modelName": model.name,
        "providerName": model.provider,
        "inputModalities": list(model.input),
        "outputModalities": list(model.output),
        "responseStreamingSupported": model.streams,
        "customizationsSupported": [],
        "inferenceTypesSupported": (["ON_DEMAND"] if region in model.on_demand else [])
        + (["INFERENCE_PROFILE"] if model.profiles_in(region) else []),
        "modelLifecycle": {
            "status": model.status,
            "startOfLifeTime": _midnight(model.launched),
            "legacyTime": _midnight(model.legacy),
            "publicExtendedAccessTime": _midnight(model.extended_access),
            "endOfLifeTime": _midnight(model.end_of_life),
        },
    }


def _profile(call: Call, model: Model, profile: str) -> dict[str, Any]:
    geography = profile.partition(".")[0]
    account = f"arn:aws:bedrock:{call.region}:{call.account_id}"
    return {
        "inferenceProfileName": f"{_NAMES[geography]} {model.name}",
        "description": f"Routes requests to {model.name}.",
        "inferenceProfileArn": f"{account}:inference-profile/{profile}",
        "models": [
            {"modelArn": f"arn:aws:bedrock:{region}::foundation-model/{model.id}"}
            for region in _TARGETS[geography]
        ],
        "inferenceProfileId": profile,
        "status": "ACTIVE",
        "type": "SYSTEM_DEFINED",
    }


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None


OPERATIONS = {
    ("bedrock", "ListFoundationModels"): list_models,
    ("bedrock", "GetFoundationModel"): get_model,
    ("bedrock", "ListInferenceProfiles"): list_profiles,
    ("bedrock", "GetInferenceProfile"): get_profile,
}
