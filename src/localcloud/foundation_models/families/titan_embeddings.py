"""Titan Text Embeddings V2's body ("Amazon Titan Embeddings Text" in the Bedrock User Guide)."""

from __future__ import annotations

from typing import Any

from .. import embeddings
from ..catalogue import Model
from ..errors import invalid
from .bodies import Field, check, malformed

STAND_IN = "all-MiniLM-L6-v2"
_BODY = {
    "inputText": Field(str, required=True),
    "dimensions": Field(int),
    "normalize": Field(bool),
    "embeddingTypes": Field(list),
}
_DIMENSIONS = (1024, 512, 256)
_TYPES = ("float", "binary")
_MAX_CHARACTERS = 50_000


def answer_at_once(model: Model, body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The body of an answer, and the tokens of the input. Raises ValidationException.

    The vectors are always of length 1: MiniLM's have no other.
    """
    check(body, _BODY)
    text, dimensions = body["inputText"], body.get("dimensions", 1024)
    if not text:
        raise malformed("#/inputText: expected minLength: 1, actual: 0")
    if len(text) > _MAX_CHARACTERS:
        raise malformed(f"#/inputText: expected maxLength: {_MAX_CHARACTERS}, actual: {len(text)}")
    if dimensions not in _DIMENSIONS:
        raise malformed(f"#/dimensions: {dimensions} is not a valid enum value")
    kinds = body.get("embeddingTypes", ["float"])
    for place, kind in enumerate(kinds):
        if kind not in _TYPES:
            raise malformed(f"#/embeddingTypes/{place}: {kind} is not a valid enum value")
    tokens = embeddings.count_tokens(text)
    if model.context and tokens > model.context:
        raise invalid(f"400 Bad Request: Too many input tokens. Max input tokens: {model.context}, "
                      f"request input token count: {tokens}")  # fmt: skip
    (vector,) = embeddings.resized(embeddings.embed([text]), dimensions)
    floats = [float(value) for value in vector]
    by_type = {"float": floats, "binary": [int(value > 0) for value in vector]}
    found: dict[str, Any] = {"inputTextTokenCount": tokens}
    if "float" in kinds:
        found = {"embedding": floats, **found}
    return {**found, "embeddingsByType": {kind: by_type[kind] for kind in kinds}}, tokens
