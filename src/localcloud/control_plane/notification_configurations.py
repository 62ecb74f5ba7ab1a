"""S3's notification configurations: how they are read, and what S3 refuses in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any
from urllib.parse import unquote_plus
from xml.sax.saxutils import escape

import xmltodict
from moto.s3.exceptions import MalformedXML, S3ClientError

_SERVICES = {"CloudFunction": "lambda", "Queue": "sqs", "Topic": "sns"}
_ARN = r"arn:aws[a-z-]*:{service}:[a-z0-9-]+:\d{{12}}:.+"
SKIP = "SkipDestinationValidation"


class InvalidNotification(S3ClientError):
    """A refused configuration: 400 InvalidArgument, with the arguments that S3 adds to it."""

    def __init__(self, message: str, **arguments: str):
        super().__init__("InvalidArgument", message)
        self.arguments = arguments

    def to_xml(self) -> str:
        members = {"Code": self.code, "Message": self.message, **self.arguments}
        body = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in members.items())
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{body}</Error>'


def read_configuration(body: bytes | str) -> dict[str, Any]:
    """PutBucketNotificationConfiguration's body as the dict that moto's bucket takes; empty for an
    empty one.

    Raises MalformedXML, or InvalidNotification for an ARN of another service (facts E2).
    """
    root = xmltodict.parse(body).get("NotificationConfiguration") or {}
    configuration: dict[str, Any] = {}
    if "EventBridgeConfiguration" in root:
        configuration["EventBridgeConfiguration"] = {}
    for kind in _SERVICES:
        entries = _as_list(root.get(f"{kind}Configuration"))
        if entries:
            configuration[f"{kind}Configuration"] = [_read_entry(kind, e) for e in entries]
    return configuration


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _read_entry(kind: str, entry: dict[str, Any]) -> dict[str, Any]:
    events = _as_list(entry.get("Event"))
    if kind not in entry or not events:
        raise MalformedXML()
    read = {kind: entry[kind], "Event": events}
    if entry.get("Id"):
        read["Id"] = entry["Id"]
    s3_key = (entry.get("Filter") or {}).get("S3Key") or {}
    rules = _read_rules(_as_list(s3_key.get("FilterRule")))
    if rules:
        read["Filter"] = {"S3Key": {"FilterRule": rules}}
    return read


def _read_rules(rules: list[dict[str, Any]]) -> list[dict[str, str]]:
    read = [_read_rule(rule) for rule in rules]
    names = [rule["Name"] for rule in read]
    for name in set(names):
        if names.count(name) > 1:
            raise InvalidNotification(
                f"Cannot specify more than one {name.lower()} rule in a filter.",
                ArgumentName="FilterRule.Name",
                ArgumentValue=name.lower(),
            )
    return read


def _read_rule(rule: dict[str, Any]) -> dict[str, str]:
    # Names are taken in any case and given back capitalised.
    name = str(rule.get("Name")).capitalize()
    if name not in ("Prefix", "Suffix"):
        raise InvalidNotification(
            "filter rule name must be either prefix or suffix",
            ArgumentName="FilterRule.Name",
            ArgumentValue=str(rule.get("Name")),
        )
    return {"Name": name, "Value": rule.get("Value") or ""}


def check_configuration(
    configuration: dict[str, Any], problem: Callable[[str], str | None]
) -> None:
    """Refuse what S3 refuses: unreadable ARNs, overlapping filters, destinations that S3 may not
    reach. `problem(arn)` says what is wrong with a destination, None where it is good.

    `SkipDestinationValidation` in the configuration leaves out the last. Raises InvalidNotification
    (facts E2).
    """
    entries = [
        (kind, entry)
        for kind in _SERVICES
        for entry in configuration.get(f"{kind}Configuration", [])
    ]
    for kind, entry in entries:
        if not re.fullmatch(_ARN.format(service=_SERVICES[kind]), entry[kind]):
            raise InvalidNotification(
                "The ARN could not be parsed", ArgumentName=kind, ArgumentValue=entry[kind]
            )
    if any(_overlap(a, b) for (_, a), (_, b) in combinations(entries, 2)):
        raise InvalidNotification(
            "Configurations overlap. "
            "Configurations on the same bucket cannot share a common event type."
        )
    if configuration.get(SKIP):
        return
    refused = [(entry[kind], text) for kind, entry in entries if (text := problem(entry[kind]))]
    if refused:
        arguments = {}
        for number, (arn, text) in enumerate(refused, start=1):
            arguments[f"ArgumentName{number}"] = f"{arn}, null"
            arguments[f"ArgumentValue{number}"] = text
        raise InvalidNotification(
            "Unable to validate the following destination configurations", **arguments
        )


def _overlap(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Could one object's event match both? Prefixes and suffixes must both meet for that."""
    if not any(_same_event(x, y) for x in a["Event"] for y in b["Event"]):
        return False
    prefix_a, prefix_b = (filter_value(entry.get("Filter"), "Prefix") for entry in (a, b))
    suffix_a, suffix_b = (filter_value(entry.get("Filter"), "Suffix") for entry in (a, b))
    prefixes_meet = prefix_a.startswith(prefix_b) or prefix_b.startswith(prefix_a)
    return prefixes_meet and (suffix_a.endswith(suffix_b) or suffix_b.endswith(suffix_a))


def _same_event(a: str, b: str) -> bool:
    return a == b or any(
        wide.endswith(":*") and narrow.startswith(wide[:-1]) for wide, narrow in ((a, b), (b, a))
    )


def filter_value(filters: dict[str, Any] | None, name: str) -> str:
    """The filter's value as it is compared with keys: it is written URL-encoded, blanks as +."""
    rules: Iterator[str] = (
        rule["Value"]
        for rule in (filters or {}).get("S3Key", {}).get("FilterRule", [])
        if rule["Name"].capitalize() == name
    )
    return unquote_plus(next(rules, ""))
