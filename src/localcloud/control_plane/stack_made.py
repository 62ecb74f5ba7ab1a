"""What a stack knows of a resource that this package makes for it, whichever way it is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.cloudformation.exceptions import UnformattedGetAttTemplateException


class Made:
    """A resource in a stack. Ref gives `id`; Fn::GetAtt what `attributes` says, else the id as well."""

    ATTRIBUTES: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = {}

    def __init__(self, id: str, attributes: Mapping[str, Any] | None = None):
        self.id, self.attributes = id, dict(attributes or {})

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.ATTRIBUTES

    def get_cfn_attribute(self, attribute_name: str) -> Any:
        """Raises what moto makes a ValidationError of, for an attribute that the type doesn't have."""
        if attribute_name not in self.ATTRIBUTES:
            raise UnformattedGetAttTemplateException
        return self.attributes.get(attribute_name, self.id)

    @property
    def physical_resource_id(self) -> str:
        return self.id
