"""Settings that can be changed while the cloud runs: GET and PUT /_localcloud/settings."""

import json
from dataclasses import dataclass, fields
from typing import Any


class InvalidSetting(ValueError):
    """An unknown setting, or a value that it can't have; the text says which."""


@dataclass(frozen=True)
class _Setting:
    owner: Any
    attribute: str
    minimum: float
    whole: bool


class Settings:
    """Numbers by name, each an attribute of what it is a setting of."""

    def __init__(self):
        self._settings: dict[str, _Setting] = {}

    def add(
        self, name: str, owner: Any, attribute: str, minimum: float = 0, whole: bool = False
    ) -> None:
        """Offer an attribute, a number of at least `minimum`; `whole` allows no fraction."""
        self._settings[name] = _Setting(owner, attribute, minimum, whole)

    def add_fields(self, owner: Any, minimum: float, whole: bool = False) -> None:
        """Offer every field of a dataclass by its own name; its metadata may have another `minimum`."""
        for field in fields(owner):
            self.add(field.name, owner, field.name, field.metadata.get("minimum", minimum), whole)

    def values(self) -> dict[str, float]:
        """Every setting as it is now."""
        return {
            name: getattr(setting.owner, setting.attribute)
            for name, setting in self._settings.items()
        }

    def change(self, body: bytes) -> dict[str, float]:
        """Apply a JSON object of names and numbers, all or nothing, and return every setting.

        Raises InvalidSetting.
        """
        try:
            wanted = json.loads(body)
        except ValueError as error:
            raise InvalidSetting(f"the body must be a JSON object: {error}") from error
        if not isinstance(wanted, dict):
            raise InvalidSetting('the body must be a JSON object such as {"event_speed": 60}')
        for name, value in wanted.items():
            self._check(name, value)
        for name, value in wanted.items():
            setattr(self._settings[name].owner, self._settings[name].attribute, value)
        return self.values()

    def _check(self, name: str, value: Any) -> None:
        setting = self._settings.get(name)
        if setting is None:
            known = ", ".join(sorted(self._settings))
            raise InvalidSetting(f"there is no setting {name!r}; there are {known}")
        kinds = int if setting.whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or value < setting.minimum:
            kind = "a whole number" if setting.whole else "a number"
            raise InvalidSetting(f"{name} must be {kind} of at least {setting.minimum}")
