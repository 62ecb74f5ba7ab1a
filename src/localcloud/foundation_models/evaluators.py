"""What computes the language model on this computer, and the choice of it."""

from __future__ import annotations

import importlib.util
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from .gguf_file import GgufFile
from .text_engine import EngineUnavailable

NAMES = ("llama.cpp", "onnxruntime")
_log = logging.getLogger(__name__)


class Cache(Protocol):
    """A text that is being read or written."""

    def read(self, tokens: Sequence[int]) -> np.ndarray:
        """Read tokens after those read before; the logits of what comes next, float32 (vocabulary,)."""


class Evaluator(Protocol):
    """Computes the model. Of equal tokens, read in equal parts, it gives equal logits."""

    name: str

    def cache(self) -> Cache:
        """One that has read nothing. Caches know nothing of one another."""


def choose_evaluator(weights: Path, file: GgufFile) -> Evaluator:
    """The one that LOCALCLOUD_TEXT_ENGINE names, else llama.cpp where it is installed and works, else ONNX
    Runtime. `file` is what `weights` holds. Raises EngineUnavailable where the one named can't be used.
    """
    named = os.environ.get("LOCALCLOUD_TEXT_ENGINE")
    if named and named not in NAMES:
        raise EngineUnavailable(
            f"LOCALCLOUD_TEXT_ENGINE is {named!r}; it can be {' or '.join(NAMES)}, or unset"
        )
    if named == "llama.cpp" or (not named and importlib.util.find_spec("llama_cpp")):
        try:
            from .llama_evaluator import LlamaEvaluator

            return LlamaEvaluator(weights, len(file.settings["tokenizer.ggml.tokens"]))
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
    from .onnx_evaluator import OnnxEvaluator

    return OnnxEvaluator(file)
