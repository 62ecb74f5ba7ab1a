"""The text of a knowledge base's documents, and the metadata files beside them.

Formats and limits: "Prerequisites for your Amazon Bedrock knowledge base data".
"""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import PurePosixPath
from typing import Any

MAX_BYTES = 50 * 1024 * 1024
METADATA_SUFFIX = ".metadata.json"
_METADATA_BYTES = 10 * 1024
# Bedrock reads these too.
_UNREAD = (".pdf", ".doc", ".docx", ".xls", ".xlsx")


class Unreadable(ValueError):
    """A document that can't be ingested; the text says why."""


def extract(key: str, content: bytes) -> str:
    """A document's text, by the ending of its key. Raises Unreadable."""
    ending = PurePosixPath(key).suffix.lower()
    if ending in _UNREAD:
        raise Unreadable(f"localcloud does not read {ending} files; upload the text as .txt or .md")
    reader = _READERS.get(ending)
    if reader is None:
        raise Unreadable("its file format is not supported")
    if len(content) > MAX_BYTES:
        raise Unreadable("it is larger than 50 MB")
    try:
        text = reader(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable("it is not text in UTF-8") from None
    if not text.strip():
        raise Unreadable("it holds no text")
    return text


def read_metadata(content: bytes) -> dict[str, Any]:
    """The attributes in a metadata file: strings, numbers, booleans and lists of strings by name, plain or
    with their type. Raises Unreadable.
    """
    if len(content) > _METADATA_BYTES:
        raise Unreadable("its metadata file is larger than 10 KB")
    try:
        attributes = json.loads(content)["metadataAttributes"]
        return {name: _attribute(value) for name, value in attributes.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unreadable(
            'its metadata file is not {"metadataAttributes": {"NAME": VALUE, …}}'
        ) from None


def _attribute(value: Any) -> Any:
    if isinstance(value, dict):  # {"value": {"type": "STRING", "stringValue": "…"}, …}
        typed = dict(value["value"])
        kind = typed.pop("type")
        (value,) = typed.values()
        if kind == "NUMBER":
            return float(value)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    if not isinstance(value, str | int | float):
        raise ValueError(value)
    return value


class _Text(HTMLParser):
    """The text that a page shows, a line for each block."""

    _HIDDEN = ("script", "style", "head", "template", "noscript")
    _INLINE = ("a", "abbr", "b", "code", "em", "i", "kbd", "mark", "q", "s", "small", "span",
               "strong", "sub", "sup", "u", "var")  # fmt: skip

    def __init__(self):
        super().__init__()
        self._hidden = 0
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._hidden += tag in self._HIDDEN
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in self._HIDDEN
        self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)

    def _break(self, tag: str) -> None:
        if tag not in self._INLINE:
            self.parts.append("\n")


def _html(page: str) -> str:
    parser = _Text()
    parser.feed(page)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.parts).splitlines())
    return "\n\n".join(line for line in lines if line)


_READERS: dict[str, Callable[[str], str]] = {
    ".txt": str,
    ".md": str,
    ".csv": str,
    ".html": _html,
    ".htm": _html,
}
