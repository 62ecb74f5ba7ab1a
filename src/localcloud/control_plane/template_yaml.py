"""CloudFormation's YAML, read without a way to Python.

moto reads templates by PyYAML's Loader, to which a tag such as !!python/object/apply:os.system is a call: a
template, and so what somebody hands in, could run anything in this process.
"""

import json
from types import SimpleNamespace
from typing import Any

import yaml
from moto.cloudformation import models, responses
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.utils import yaml_tag_constructor
from yaml.composer import ComposerError
from yaml.parser import ParserError
from yaml.reader import ReaderError
from yaml.scanner import ScannerError

from ..yaml_documents import DocumentLoader

_UNSUPPORTED = "Template format error: unsupported structure"
_NO_ALIASES = "Template error: YAML aliases are not allowed in CloudFormation templates"


class TemplateLoader(DocumentLoader):
    """YAML's own types, and CloudFormation's short forms, such as !Ref."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node. Raises ValidationError for an alias, in AWS's words (issue 1 of
        github.com/seeebiii/aws-cloudformation-templates).
        """
        if self.check_event(yaml.AliasEvent):
            raise ValidationError(message=_NO_ALIASES)
        return super().compose_node(parent, index)


def _short_form(loader: TemplateLoader, name: str, node: yaml.Node) -> Any:
    return yaml_tag_constructor(loader, f"!{name}", node)


TemplateLoader.add_multi_constructor("!", _short_form)


def load(text: str, Loader: Any = None) -> Any:  # noqa: N803 (as moto calls yaml.load)
    """What a template says, YAML or JSON, short forms written out. Raises ValidationError."""
    try:
        return yaml.load(text, TemplateLoader)
    except (ParserError, ScannerError):
        return _load_json(text)
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        raise _not_well_formed(line, column, f"the character {error.character:#x}") from None
    except ComposerError as error:
        raise ValidationError(message=f"{_UNSUPPORTED}: {error.problem}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise _not_well_formed(mark.line + 1, mark.column + 1, error.problem) from None
    except ValueError as error:  # of a date or a number that there isn't
        raise ValidationError(message=f"Template format error: {error}") from None


def _load_json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _not_well_formed(error.lineno, error.colno) from None
    except RecursionError:
        raise ValidationError(message=f"{_UNSUPPORTED}: it is nested too deeply") from None


def _not_well_formed(line: int, column: int, why: str | None = None) -> ValidationError:
    text = f"Template format error: YAML not well-formed. (line {line}, column {column})"
    return ValidationError(message=f"{text}: {why}" if why else text)


# What moto's two modules use of yaml; before each template they add a constructor of all tags to the loaders.
models.yaml = responses.yaml = SimpleNamespace(
    load=load, Loader=TemplateLoader, add_multi_constructor=lambda *_: None
)
