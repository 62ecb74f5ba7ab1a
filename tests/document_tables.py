"""Tables of docs/ that are written from a record, each between two marks of its own.

<!-- table: NAME --> stands before it, <!-- end: NAME --> behind; nothing else of the document is touched.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path


def rows(head: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    listed = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in listed)


def written(text: str, name: str, table: str) -> str:
    """The document's text with this table in the place of the one that it has.

    Raises ValueError where the marks are not there once each, in their order.
    """
    before, after = f"<!-- table: {name} -->", f"<!-- end: {name} -->"
    found = re.findall(f"{re.escape(before)}.*?{re.escape(after)}", text, re.DOTALL)
    if len(found) != 1 or text.count(before) != 1 or text.count(after) != 1:
        raise ValueError(f"{before} and {after} have to be there once each")
    return text.replace(found[0], f"{before}\n\n{table}\n\n{after}")


def write(document: Path, name: str, table: str) -> None:
    """Put the table into the document. Raises ValueError as `written` does, and changes nothing then."""
    text = document.read_text(encoding="utf-8")
    document.write_text(written(text, name, table), encoding="utf-8")
