"""The small changes of a file: in Python what mutmut's operators make, in JSON a value left out or another.

mutmut itself runs the tests it finds against functions it rewrites in place; here a mutant is a submission,
deployed to a cloud. So only its operators are used, on the whole file.
"""

import copy
import difflib
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, WhitespaceInclusivePositionProvider
from mutmut.mutation.mutators import mutation_operators


@dataclass(frozen=True)
class SourceMutant:
    """A changed file. `before` and `after` are the lines that differ, without their indents."""

    text: str
    before: tuple[str, ...]
    after: tuple[str, ...]


class _Places(cst.CSTVisitor):
    """Collects (node, node to put in its place)."""

    def __init__(self):
        self.found: list[tuple[cst.CSTNode, cst.CSTNode]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        # What a type hint says changes nothing that runs.
        if isinstance(node, cst.Annotation):
            return False
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                self.found += [(node, changed) for changed in operator(node)]
        return True


def mutants(name: str, text: str) -> Iterator[SourceMutant]:
    """Yield the mutants of a file, each text once; none for files that are neither Python nor JSON."""
    if name.endswith(".py"):
        yield from _of_python(text)
    elif name.endswith(".json"):
        yield from _of_json(text)


def _of_python(text: str) -> Iterator[SourceMutant]:
    wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    module, positions = wrapper.module, wrapper.resolve(WhitespaceInclusivePositionProvider)
    starts = [0, *itertools.accumulate(map(len, text.splitlines(keepends=True)))]
    places = _Places()
    module.visit(places)
    known = {text}
    for node, changed in places.found:
        first, last = positions[node].start, positions[node].end
        start, end = starts[first.line - 1] + first.column, starts[last.line - 1] + last.column
        if text[start:end] == module.code_for_node(node):
            mutated = text[:start] + module.code_for_node(changed) + text[end:]
        else:  # it takes its indent from what stands around it; much slower
            mutated = module.deep_replace(node, changed).code
        if mutated in known or not _compiles(mutated):
            continue
        known.add(mutated)
        yield SourceMutant(mutated, *_changed_lines(text, mutated))


def _compiles(text: str) -> bool:
    try:
        compile(text, "mutant", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _of_json(text: str) -> Iterator[SourceMutant]:
    whole = json.loads(text)
    before = json.dumps(whole, indent=2, ensure_ascii=False)
    for path, value in _values(whole):
        # In a policy a star is what lets too much in.
        others = [f"XX{value}XX", "*"] if isinstance(value, str) else []
        if isinstance(value, int | float):
            others = [not value] if isinstance(value, bool) else [value + 1]
        for change in (None, *others):
            mutated = copy.deepcopy(whole)
            holder = mutated
            for step in path[:-1]:
                holder = holder[step]
            if change is None:
                del holder[path[-1]]
            else:
                holder[path[-1]] = change
            after = json.dumps(mutated, indent=2, ensure_ascii=False)
            yield SourceMutant(after, *_changed_lines(before, after))


def _values(
    value: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield (path, value) of everything within a value of JSON."""
    children: Any = value.items() if isinstance(value, dict) else ()
    if isinstance(value, list):
        children = enumerate(value)
    for key, child in children:
        yield (*path, key), child
        yield from _values(child, (*path, key))


def _changed_lines(text: str, mutated: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    lines = list(difflib.unified_diff(text.splitlines(), mutated.splitlines(), n=0))[3:]
    return tuple(
        tuple(line[1:].strip() for line in lines if line.startswith(mark)) for mark in ("-", "+")
    )
