"""Which route of an HTTP API, or method of a REST API, takes a request.

"Create routes for HTTP APIs", Routing API requests: the most specific match, in this order: the full
path and method, a greedy path variable, $default.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from .descriptions import Route, Stage
from .rest_descriptions import Method, RestStage

DEFAULT = "$default"
METHODS = ("ANY", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Match:
    """The route of a request, and its path variables, decoded."""

    route: Route | Method
    parameters: dict[str, str]


def split_key(key: str) -> tuple[str, tuple[str, ...]] | None:
    """A route key as method and path segments; None for one that isn't AWS's format."""
    if key == DEFAULT:
        return "ANY", ()
    method, _, path = key.partition(" ")
    if method not in METHODS or not path.startswith("/"):
        return None
    segments = tuple(path[1:].split("/")) if path != "/" else ()
    if any(_is_greedy(segment) for segment in segments[:-1]):
        return None
    return method, segments


def select_stage(
    stages: Mapping[str, Stage] | Mapping[str, RestStage], path: str, is_named: bool = False
) -> tuple[Stage | RestStage, str] | None:
    """The stage that a path names and the rest of the path, else $default and all of it; None
    without either. Where it `is_named`, $default is named like any other.
    """
    first, _, rest = path[1:].partition("/")
    name = unquote(first)
    if name in stages and (is_named or name != DEFAULT):
        return stages[name], f"/{rest}"
    return (stages[DEFAULT], path) if DEFAULT in stages and not is_named else None


def select_route(routes: Iterable[Route | Method], method: str, path: str) -> Match | None:
    """The route for a method and a percent-encoded path without its stage; None where there is none."""
    segments = path[1:].split("/") if path != "/" else []
    best: tuple[tuple, Match] | None = None
    for route in routes:
        if route.method not in (method, "ANY"):
            continue
        found = ((), {}) if route.key == DEFAULT else _match(route.segments, segments)
        if found is None:
            continue
        closeness, parameters = found
        # $default comes after all others; a method that is named before ANY.
        rank = (route.key != DEFAULT, closeness, route.method == method)
        if best is None or rank > best[0]:
            best = rank, Match(route, parameters)
    return best[1] if best else None


def _match(wanted: tuple[str, ...], asked: list[str]) -> tuple[tuple, dict[str, str]] | None:
    """How close each segment is (2 literal, 1 variable, 0 greedy), and the variables' values."""
    closeness: list[int] = []
    parameters: dict[str, str] = {}
    is_greedy = bool(wanted) and _is_greedy(wanted[-1])
    if len(asked) < len(wanted) or (len(asked) > len(wanted) and not is_greedy):
        return None
    for position, segment in enumerate(wanted):
        value = asked[position]
        if _is_greedy(segment):
            rest = unquote("/".join(asked[position:]))
            if not rest:
                return None
            closeness.append(0)
            parameters[segment[1:-2]] = rest
        elif segment.startswith("{") and segment.endswith("}"):
            if not value:
                return None
            closeness.append(1)
            parameters[segment[1:-1]] = unquote(value)
        elif segment == unquote(value):
            closeness.append(2)
        else:
            return None
    return (not is_greedy, tuple(closeness)), parameters


def _is_greedy(segment: str) -> bool:
    return segment.startswith("{") and segment.endswith("+}")
