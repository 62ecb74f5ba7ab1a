"""The models that exist, by models.toml, and which of them a request names."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from typing import Any

from .calls import Call
from .errors import BedrockError, invalid

# Facts H2, and users' logs of 2026, where the days are 30 or 15.
_LEGACY = (
    "Access denied. This Model is marked by provider as Legacy and you have not been actively using "
    "the model in the last 30 days. Please upgrade to an active model on Amazon Bedrock"
)
_ENDED = (
    "This model version has reached the end of its life. Please refer to the AWS documentation for "
    "more details."
)
_UNKNOWN = "The provided model identifier is invalid."
_NEEDS_PROFILE = (
    "Invocation of model ID {} with on-demand throughput isn\N{RIGHT SINGLE QUOTATION MARK}t "
    "supported. Retry your request with the ID or ARN of an inference profile that contains this model."
)
_GEOGRAPHIES = {"us": ("us-",), "eu": ("eu-",), "apac": ("ap-",), "global": ("",)}


@dataclass(frozen=True)
class Model:
    """A foundation model; the fields are those of models.toml."""

    id: str
    name: str
    provider: str
    family: str
    status: str
    source: str
    checked: date
    sampling: str = "both"
    launched: date | None = None
    legacy: date | None = None
    extended_access: date | None = None
    end_of_life: date | None = None
    input: tuple[str, ...] = ("TEXT",)
    output: tuple[str, ...] = ("TEXT",)
    streams: bool = True
    on_demand: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    context: int | None = None
    max_output: int | None = None
    price_in: float | None = None
    price_out: float | None = None
    price_image: float | None = None
    burndown: int = 1
    listed: bool = True

    @property
    def is_text(self) -> bool:
        """Whether it answers in text, so that Converse takes it."""
        return "TEXT" in self.output

    def profiles_in(self, region: str) -> list[str]:
        """The ids of its inference profiles that a region has."""
        return [
            f"{profile}.{self.id}"
            for profile in self.profiles
            if region.startswith(_GEOGRAPHIES[profile])
        ]

    def is_in(self, region: str) -> bool:
        """Whether a region has it, by itself or by an inference profile."""
        return region in self.on_demand or bool(self.profiles_in(region))


@functools.cache
def models() -> Mapping[str, Model]:
    """All models by id."""
    data = tomllib.loads(files(__package__).joinpath("models.toml").read_text())
    found = (
        Model(checked=data["checked"], **{key: _frozen(value) for key, value in entry.items()})
        for entry in data["model"]
    )
    return {model.id: model for model in found}


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def identified(model_id: str, region: str) -> tuple[Model, bool]:
    """The model that an id, a profile's id or an ARN of either names in a region, and whether by a profile.
    An ARN names the region itself.

    Raises ValidationException where there is none.
    """
    kind, _, name = model_id.rpartition("/")
    by_arn = model_id.startswith(f"arn:aws:bedrock:{region}:")
    if kind and not by_arn:
        raise invalid(_UNKNOWN)
    model = models().get(name)
    if model and model.is_in(region) and (not by_arn or kind.endswith(":foundation-model")):
        return model, False
    model = models().get(name.partition(".")[2])
    if (
        model
        and name in model.profiles_in(region)
        and (not by_arn or kind.endswith("inference-profile"))
    ):
        return model, True
    raise invalid(_UNKNOWN)


def invoked(call: Call) -> Model:
    """The model that a request invokes by its modelId. Raises the error of one that can't be: unknown, ended,
    legacy (a new account has never used it), or without on-demand throughput.
    """
    region, retired_too = call.region, call.resources.quotas.limits.bedrock_retired_models
    model, by_profile = identified(call.get("modelId"), region)
    if model.status == "EOL" and not retired_too:
        raise BedrockError("ResourceNotFoundException", _ENDED)
    if not by_profile and region not in model.on_demand:
        raise invalid(_NEEDS_PROFILE.format(model.id))
    if model.status == "LEGACY" and not retired_too:
        raise BedrockError("ResourceNotFoundException", _LEGACY)
    return model
