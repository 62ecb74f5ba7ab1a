"""The small changes of a Python file that mutmut's operators make, each with the lines that it changes.

mutmut itself runs the tests it finds against functions it rewrites in place; here a mutant is a submission,
deployed to a cloud. So only its operators are used, on the whole file.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst
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


def mutants(text: str) -> Iterator[SourceMutant]:
    """Yield the mutants of a Python file's text that compile, each text once."""
    module = cst.parse_module(text)
    places = _Places()
    module.visit(places)
    known = {text}
    for node, changed in places.found:
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


def _changed_lines(text: str, mutated: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    lines = list(difflib.unified_diff(text.splitlines(), mutated.splitlines(), n=0))[3:]
    return tuple(
        tuple(line[1:].strip() for line in lines if line.startswith(mark)) for mark in ("-", "+")
    )
