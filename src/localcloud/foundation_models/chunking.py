"""How a knowledge base cuts documents into chunks: the strategies of Bedrock (facts H4).

Tokens are those of the embedding model here; on AWS they are another model's, so that a chunk's end
may fall elsewhere.
"""

import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .embeddings import embed, token_spans
from .sentences import sentence_spans

# "Default chunking" in "How content chunking works for knowledge bases".
_DEFAULT_TOKENS = 300


@dataclass(frozen=True)
class Chunk:
    """A part of a document: `text` is what stands from `start` to `end`, in characters. `parent` is
    the larger chunk that Retrieve returns in place of this one.
    """

    text: str
    start: int
    end: int
    parent: "Chunk | None" = None


class InvalidChunking(ValueError):
    """A chunking configuration that the service refuses; the text says why."""


def check_chunking(configuration: Mapping[str, Any]) -> None:
    """Refuse what the API's model lets pass: a strategy without its configuration, or with
    another's. The texts are UNCONFIRMED. Raises InvalidChunking.
    """
    strategy = configuration["chunkingStrategy"]
    needed = _CONFIGURATIONS.get(strategy)
    if needed and needed not in configuration:
        raise InvalidChunking(f"{needed} is required for the chunking strategy {strategy}")
    for name in _CONFIGURATIONS.values():
        if name in configuration and name != needed:
            raise InvalidChunking(f"{name} can't be given with the chunking strategy {strategy}")
    if strategy == "HIERARCHICAL":
        _check_levels(configuration["hierarchicalChunkingConfiguration"])


def _check_levels(settings: Mapping[str, Any]) -> None:
    parent, child = (level["maxTokens"] for level in settings["levelConfigurations"])
    if child >= parent:
        raise InvalidChunking("The maxTokens of the second level must be less than of the first")
    if settings["overlapTokens"] >= child:
        raise InvalidChunking("overlapTokens must be less than the maxTokens of the second level")


_CONFIGURATIONS = {
    "FIXED_SIZE": "fixedSizeChunkingConfiguration",
    "HIERARCHICAL": "hierarchicalChunkingConfiguration",
    "SEMANTIC": "semanticChunkingConfiguration",
}


def cut(text: str, configuration: Mapping[str, Any] | None = None) -> list[Chunk]:
    """Cut a document by a checked configuration; by Bedrock's default where there is none."""
    if not text.strip():
        return []
    if configuration is None:
        return _by_sentences(text, sentence_spans(text), _DEFAULT_TOKENS)
    strategy = configuration["chunkingStrategy"]
    return _STRATEGIES[strategy](text, configuration.get(_CONFIGURATIONS.get(strategy, ""), {}))


def _whole(text: str, settings: Mapping[str, Any]) -> list[Chunk]:
    return [Chunk(text, 0, len(text))]


def _fixed(text: str, settings: Mapping[str, Any]) -> list[Chunk]:
    size = settings["maxTokens"]
    overlap = size * settings["overlapPercentage"] // 100
    return _windows(text, size, overlap)


def _hierarchical(text: str, settings: Mapping[str, Any]) -> list[Chunk]:
    parent_size, child_size = (level["maxTokens"] for level in settings["levelConfigurations"])
    overlap = settings["overlapTokens"]
    children = []
    for parent in _windows(text, parent_size, overlap):
        for child in _windows(parent.text, child_size, overlap):
            start, end = parent.start + child.start, parent.start + child.end
            children.append(Chunk(child.text, start, end, parent))
    return children


def _semantic(text: str, settings: Mapping[str, Any]) -> list[Chunk]:
    """A chunk ends where a sentence is less like the next than most are, or where it is full."""
    sentences = sentence_spans(text)
    if len(sentences) < 2:
        return _by_sentences(text, sentences, settings["maxTokens"])
    around = settings["bufferSize"]
    last = len(sentences) - 1
    surroundings = [
        text[sentences[max(0, n - around)][0] : sentences[min(last, n + around)][1]]
        for n in range(len(sentences))
    ]
    vectors = embed(surroundings)
    distances = 1 - np.sum(vectors[:-1] * vectors[1:], axis=1)
    threshold = np.percentile(distances, settings["breakpointPercentileThreshold"])
    chunks, first = [], 0
    for n, distance in enumerate(distances):
        if distance > threshold:
            chunks += _by_sentences(text, sentences[first : n + 1], settings["maxTokens"])
            first = n + 1
    return chunks + _by_sentences(text, sentences[first:], settings["maxTokens"])


_STRATEGIES: dict[str, Callable[[str, Mapping[str, Any]], list[Chunk]]] = {
    "NONE": _whole,
    "FIXED_SIZE": _fixed,
    "HIERARCHICAL": _hierarchical,
    "SEMANTIC": _semantic,
}


def _windows(text: str, size: int, overlap: int) -> list[Chunk]:
    """Windows of at most `size` tokens, of which each begins `overlap` tokens before the last one's end,
    or at the sentence there. A window ends with a sentence where one ends in its second half, else
    between words. A text of fewer tokens is one window.
    """
    tokens = token_spans(text)
    starts = [start for start, _ in tokens]
    # A token that follows another without a blank continues its word.
    words = [n for n in range(len(tokens)) if n == 0 or tokens[n - 1][1] < tokens[n][0]]
    sentences = [bisect.bisect_left(starts, start) for start, _ in sentence_spans(text)]
    chunks, first = [], 0
    while first < len(tokens):
        end = len(tokens)
        if end - first > size:
            end = _last(sentences, first + size) or 0
            if end <= first + size // 2:
                end = _last(words, first + size) or 0
            if end <= first:  # a word of more tokens than a window has
                end = first + size
        chunks.append(_chunk(text, tokens[first][0], tokens[end - 1][1]))
        if end == len(tokens):
            break
        back = _last(words, end - overlap) or 0
        first = back if back > first else end
    return chunks


def _last(edges: Sequence[int], limit: int) -> int | None:
    """The last of some sorted edges that is not beyond a limit."""
    place = bisect.bisect_right(edges, limit)
    return edges[place - 1] if place else None


def _by_sentences(text: str, sentences: Sequence[tuple[int, int]], size: int) -> list[Chunk]:
    """As many whole sentences as go into `size` tokens; only a longer sentence is cut."""
    if not sentences:
        return []
    starts = [start for start, _ in token_spans(text)]

    def tokens_in(start: int, end: int) -> int:
        return bisect.bisect_left(starts, end) - bisect.bisect_left(starts, start)

    chunks: list[Chunk] = []
    first, end = sentences[0]
    for start, stop in sentences[1:]:
        if tokens_in(first, stop) > size:
            chunks += _pieces(text, first, end, size)
            first = start
        end = stop
    return chunks + _pieces(text, first, end, size)


def _pieces(text: str, start: int, end: int, size: int) -> list[Chunk]:
    pieces = _windows(text[start:end], size, 0)  # more than one where a sentence is too long
    if len(pieces) == 1:
        return [_chunk(text, start, end)]
    return [_chunk(text, start + piece.start, start + piece.end) for piece in pieces]


def _chunk(text: str, start: int, end: int) -> Chunk:
    return Chunk(text[start:end], start, end)
