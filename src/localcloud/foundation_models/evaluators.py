"""What computes the language model on this computer, and the choice of it."""

from __future__ import annotations

import importlib.util
import logging
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .gguf_file import GgufFile
from .text_engine import EngineUnavailable

NAMES = ("llama.cpp", "onnxruntime")
_READ, _TRIED = 32, 8  # tokens
# Where two are about as fast, the choice should be the same each time: their answers differ in words.
_CLEARLY = 1.2
_log = logging.getLogger(__name__)


class Cache(Protocol):
    """A text that is being read or written."""

    def read(self, tokens: Sequence[int]) -> np.ndarray:
        """Read tokens after those read before; the logits of what comes next, float32 (vocabulary,)."""

    def state(self) -> Any:
        """What has been read, for other caches to begin with. It stays as it is when this one reads on."""


class Evaluator(Protocol):
    """Computes the model. Of equal tokens, read in equal parts, it gives equal logits."""

    name: str

    def cache(self, state: Any = None) -> Cache:
        """One that has read nothing, or what another's state tells. Caches know nothing of one another."""


def choose_evaluator(weights: Path, file: GgufFile) -> Evaluator:
    """The one that LOCALCLOUD_TEXT_ENGINE names; else llama.cpp where it is installed, works and is clearly
    faster on this computer, and ONNX Runtime elsewhere. `file` is what `weights` holds. Raises
    EngineUnavailable where the one named can't be used.
    """
    named = os.environ.get("LOCALCLOUD_TEXT_ENGINE")
    if named and named not in NAMES:
        raise EngineUnavailable(
            f"LOCALCLOUD_TEXT_ENGINE is {named!r}; it can be {' or '.join(NAMES)}, or unset"
        )
    llama = None
    if named == "llama.cpp" or (not named and importlib.util.find_spec("llama_cpp")):
        try:
            from .llama_evaluator import LlamaEvaluator

            llama = LlamaEvaluator(weights, len(file.settings["tokenizer.ggml.tokens"]))
        except Exception as error:  # compiled who knows where, it may raise anything
            if named:
                raise EngineUnavailable(
                    f"LOCALCLOUD_TEXT_ENGINE is llama.cpp, which can't be used: {error}. Install the "
                    "package llama-cpp-python anew, or unset the variable"
                ) from error
            _log.warning(
                "llama-cpp-python is installed but can't be used, so that onnxruntime computes the "
                "language model: %s", error,
            )  # fmt: skip
    if llama and named:
        return llama
    from .onnx_evaluator import OnnxEvaluator

    ours = OnnxEvaluator(file)
    if not llama:
        return ours
    its_time, our_time = _seconds(llama), _seconds(ours)
    chosen = llama if its_time * _CLEARLY < our_time else ours
    _log.warning(
        "llama-cpp-python is installed: a token takes it %.1f ms here and onnxruntime %.1f ms, so that %s "
        "computes the language model", 1000 * its_time, 1000 * our_time, chosen.name,
    )  # fmt: skip
    return chosen


def _seconds(evaluator: Evaluator) -> float:
    """Processor time of one token: the least of several, which other work on the machine hardly changes."""
    cache = evaluator.cache()
    cache.read(range(_READ))
    least = math.inf
    for token in range(_TRIED):
        begun = time.thread_time()
        cache.read([token])
        least = min(least, time.thread_time() - begun)
    return least
