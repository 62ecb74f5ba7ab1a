"""Custom domain names: which mapping of a name takes a request.

"Map API stages to a custom domain name for REST APIs", "API mappings for HTTP APIs": the longest key that
the path begins with, in whole parts; the mapping without a key takes what is left.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote


@dataclass(frozen=True)
class Mapping:
    """What a custom domain name has under a key, such as v1 or orders/v2, empty for all the rest. Without
    a stage, the path names it after the key.
    """

    key: str
    api_id: str
    stage: str


@dataclass(frozen=True)
class Mapped:
    """A request as its mapping sends it on: `path` begins with the stage, `base_path` is what the key was
    in it, with a slash before it.
    """

    api_id: str
    path: str
    base_path: str


NOWHERE = Mapped("", "/", "")  # a name without a mapping for the path


def follow(mappings: Iterable[Mapping], path: str) -> Mapped | None:
    """Where a percent-encoded path goes; None where no mapping takes it."""
    parts = path[1:].split("/")
    best: tuple[int, Mapping] | None = None
    for mapping in mappings:
        key = mapping.key.split("/") if mapping.key else []
        asked = [unquote(part) for part in parts[: len(key)]]
        if asked == key and (best is None or len(key) > best[0]):
            best = len(key), mapping
    if best is None:
        return None
    taken, mapping = best
    rest = "/" + "/".join(parts[taken:])
    if mapping.stage:
        rest = f"/{mapping.stage}{rest}"
    return Mapped(mapping.api_id, rest, f"/{mapping.key}" if mapping.key else "")
