"""Where a text's sentences begin and end: what chunking keeps whole and a citation quotes."""

import re

# A blank line, a heading, a list item and a table's row each end what stood before them.
_BLOCK = re.compile(r"\n(?=[ \t]*(?:\n|#{1,6} |[-*+] |\d+[.)] |\||>|```))|(?<=\|)\n")
_HEADING = re.compile(r"^[ \t]*#{1,6} [^\n]*\n", re.MULTILINE)
_END = re.compile(r"(?<=[.!?])[\"'”’)\]`*_]*\s+(?=[\"'“‘(\[`*_]*[A-Z0-9])")
# After these a full stop ends nothing.
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|cf|Dr|Mr|Ms|Mrs|St|No|Fig|approx)\.|\b[A-Z]\.)\s*$"
)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """The sentences as (start, end) in characters, without the blanks around them; headings, list
    items and a table's rows count as sentences.
    """
    edges = {0, len(text)}
    edges |= {found.end() for found in _BLOCK.finditer(text)}
    edges |= {found.end() for found in _HEADING.finditer(text)}
    for found in _END.finditer(text):
        if not _ABBREVIATION.search(text, max(0, found.start() - 12), found.end()):
            edges.add(found.end())
    ordered = sorted(edges)
    spans = []
    for start, end in zip(ordered, ordered[1:], strict=False):
        part = text[start:end]
        if part.strip():
            spans.append((start + len(part) - len(part.lstrip()), start + len(part.rstrip())))
    return spans
