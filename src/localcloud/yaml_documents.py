"""YAML, and JSON with it, as plain data that can be followed to its end.

PyYAML reads a document that holds itself, one that a few aliases make endlessly large, and one nested as
deep as there are brackets; whoever walks through these finds no end.
"""

from typing import Any

import yaml
from yaml.composer import ComposerError

_MAX_DEPTH = 100
_MAX_NODES = 1_000_000
_TOO_DEEP = f"it is nested more than {_MAX_DEPTH} levels deep"


class DocumentLoader(yaml.SafeLoader):
    """YAML's own types, in a tree of bounded depth and size."""

    def __init__(self, stream: str):
        super().__init__(stream)
        self._open: list[str | None] = []  # the anchors of the nodes around the next one
        self._nodes = 0
        self._sizes: dict[str, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node with all that is in it. Raises ComposerError where there is no end to it."""
        event = self.peek_event()
        is_alias = self.check_event(yaml.AliasEvent)
        before = self._nodes
        self._nodes += self._sizes.get(event.anchor, 0) if is_alias else 1
        if is_alias and event.anchor in self._open:
            self._refuse(event, f"the alias {event.anchor!r} stands within what it is an alias of")
        if self._nodes > _MAX_NODES:
            self._refuse(event, f"its aliases make it larger than {_MAX_NODES:,} values")
        if len(self._open) >= _MAX_DEPTH:
            self._refuse(event, _TOO_DEEP)
        self._open.append(event.anchor)
        node = super().compose_node(parent, index)
        self._open.pop()
        if event.anchor and not is_alias:
            self._sizes[event.anchor] = self._nodes - before
        return node

    def compose_scalar_node(self, anchor: str | None) -> yaml.ScalarNode:
        """A text, with the halves joined in which JSON escapes characters beyond U+FFFF."""
        node = super().compose_scalar_node(anchor)
        try:
            node.value = node.value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            problem = "it has half a character"
            raise ComposerError(None, None, problem, node.start_mark) from None
        return node

    def fetch_flow_collection_start(self, token: type[yaml.Token]) -> None:
        """Read a bracket. A thousand of them are read ahead, in a time that grows with the square."""
        if self.flow_level >= _MAX_DEPTH:
            raise ComposerError(None, None, _TOO_DEEP, self.get_mark())
        super().fetch_flow_collection_start(token)

    def _refuse(self, event: yaml.Event, problem: str) -> None:
        raise ComposerError(None, None, problem, event.start_mark)


def load(text: str) -> Any:
    """What a text says. Raises yaml.YAMLError for one that is neither YAML nor JSON, or has no end."""
    try:
        return yaml.load(text, DocumentLoader)
    except ValueError as error:  # of a date or a number that there isn't
        raise yaml.YAMLError(str(error)) from None
