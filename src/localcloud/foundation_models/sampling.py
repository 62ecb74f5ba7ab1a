"""Choosing the next token from a model's logits."""

from __future__ import annotations

import numpy as np


def distribution(
    logits: np.ndarray, temperature: float, top_p: float = 1.0, top_k: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The tokens that can come next and their probabilities, the likeliest first.

    Temperature divides the logits (0: the likeliest token alone); then the top_k likeliest stay, and of these
    the fewest whose probabilities sum up to top_p. What stays is made to sum up to one.
    """
    if temperature <= 0:
        return np.array([int(logits.argmax())]), np.ones(1)
    tokens = np.argsort(-logits)[: top_k or None]
    scaled = logits[tokens].astype(np.float64) / temperature
    probabilities = np.exp(scaled - scaled[0])
    probabilities /= probabilities.sum()
    if top_p < 1:
        kept = int(np.searchsorted(np.cumsum(probabilities), top_p)) + 1
        tokens, probabilities = tokens[:kept], probabilities[:kept]
        probabilities = probabilities / probabilities.sum()
    return tokens, probabilities


def choose(
    logits: np.ndarray, temperature: float, top_p: float, top_k: int, random: np.random.Generator
) -> int:
    """One token at random by that distribution."""
    tokens, probabilities = distribution(logits, temperature, top_p, top_k)
    if len(tokens) == 1:
        return int(tokens[0])
    drawn = np.searchsorted(np.cumsum(probabilities), random.random(), side="right")
    return int(tokens[min(int(drawn), len(tokens) - 1)])
