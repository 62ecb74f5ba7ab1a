"""The kit's templates as text, whole or broken on purpose, and read as plain YAML."""

import re
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "cloudformation"
TEMPLATES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
# Of each template, what is made after all others.
_LAST = {
    "api": "AuthorizerPermission",
    "bedrock": "TextBucket",
    "classroom": "[Budget, LearnerRole]",
    "concurrency": "OrderEvents",
    "course": "[Api, Concurrency, Summariser]",
}
_BROKEN = """
  Broken:
    Type: AWS::Lambda::Permission
    DependsOn: {last}
    Properties:
      FunctionName: no-such-function
      Action: lambda:InvokeFunction
      Principal: s3.amazonaws.com

Outputs:"""


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


def text_of(name: str) -> str:
    """A template of the kit."""
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def broken(name: str) -> str:
    """A template of the kit with a resource `Broken`, which fails when all others have been made."""
    return re.sub(r"^Outputs:", _BROKEN.format(last=_LAST[name]), text_of(name), flags=re.M)
