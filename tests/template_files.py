"""CloudFormation's templates read as plain YAML, for tests that look into them."""

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """Reads !Ref and its like as plain values."""


_Loader.add_multi_constructor(
    "!",
    lambda loader, suffix, node: (
        loader.construct_sequence(node, deep=True)
        if isinstance(node, yaml.SequenceNode)
        else loader.construct_scalar(node)
    ),
)


def read(text: str) -> dict[str, Any]:
    """A template's sections."""
    return yaml.load(text, _Loader)  # noqa: S506
