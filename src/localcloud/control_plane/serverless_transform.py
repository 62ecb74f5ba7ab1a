"""AWS::Serverless-2016-10-31: a template of AWS SAM made into one of CloudFormation, by AWS's own translator.

Loaded only for a template that has a transform. "Transform reference" in the CloudFormation User Guide; what
a failure says: its wording as seen with AWS's CLI (issues of aws/serverless-application-model).
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from moto.cloudformation.exceptions import ValidationError

from .stack_templates import parse_template

SERVERLESS = "AWS::Serverless-2016-10-31"
_translating = threading.Lock()  # the translator keeps the region in a class


class ExpandedTemplate(str):
    """A processed template, which knows the one that was submitted."""

    original: str


class TransformFailed(ValidationError):
    """A transform could make nothing of a template."""


def original(template: str) -> str:
    """A template as it was submitted."""
    return getattr(template, "original", template)


def transforms(template: Mapping[str, Any]) -> list[str]:
    """The names of a parsed template's transforms."""
    given = template.get("Transform") or []
    return [given] if isinstance(given, str) else list(given)


def expanded(template: str, parameters: Mapping[str, Any], region: str) -> str:
    """A template, processed where it has a transform, with the values of its parameters.

    Raises ValidationError for a malformed template, TransformFailed where the transform refuses it.
    """
    submitted = original(template)
    if "Transform" not in submitted:
        return submitted
    given = tuple(sorted((name, str(value)) for name, value in parameters.items()))
    return _expanded(submitted, given, region)


@functools.lru_cache(maxsize=32)
def _expanded(template: str, parameters: tuple[tuple[str, str], ...], region: str) -> str:
    parsed = parse_template(template)
    if any("Fn::Transform" in each for each in _nodes(parsed)):
        raise ValidationError(message="localcloud doesn't have Fn::Transform")
    names = transforms(parsed)
    if not names:
        return template
    unknown = [name for name in names if name != SERVERLESS]
    if unknown:
        raise ValidationError(
            message=f"localcloud doesn't have the transform {', '.join(map(str, unknown))}: "
            f"it has {SERVERLESS} alone"
        )
    _refuse_repository(parsed)
    made = ExpandedTemplate(json.dumps(_translate(parsed, dict(parameters), region), default=str))
    made.original = template
    return made


def _nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
    for each in node.values() if isinstance(node, Mapping) else node:
        if isinstance(each, Mapping | list):
            yield from _nodes(each)


def _refuse_repository(template: Mapping[str, Any]) -> None:
    for name, resource in template["Resources"].items():
        location = (resource.get("Properties") or {}).get("Location")
        if resource["Type"] == "AWS::Serverless::Application" and not isinstance(location, str):
            raise _failed(
                f"Resource with id [{name}] is invalid. localcloud has no Serverless Application "
                "Repository: give Location the address of a template"
            )


def _failed(reason: str) -> TransformFailed:
    return TransformFailed(message=f"Transform {SERVERLESS} failed with: {reason}")


def _translate(template: dict[str, Any], parameters: dict[str, str], region: str) -> dict[str, Any]:
    import boto3
    from samtranslator.model.exceptions import ExceptionWithMessage, InvalidDocumentException
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.translator import Translator
    from samtranslator.utils.py27hash_fix import (
        to_py27_compatible_template,
        undo_mark_unicode_str_in_template,
    )

    with _translating:
        try:
            # The ids of deployments are hashes, made as AWS makes them.
            to_py27_compatible_template(template, parameters)
            session = boto3.Session(region_name=region)
            translator = Translator(None, Parser(), boto_session=session)
            made = translator.translate(
                template,
                parameter_values=parameters,
                passthrough_metadata=True,
                get_managed_policy_map=dict,  # beside AWS's policies, which it knows: none
            )
            translator.metrics.publish()  # to nobody; it warns of metrics that aren't
            return undo_mark_unicode_str_in_template(made)
        except InvalidDocumentException as error:
            causes = " ".join(cause.message for cause in error.causes)
            raise _failed(f"{error.message} {causes}") from error
        except ExceptionWithMessage as error:
            raise _failed(error.message) from error
