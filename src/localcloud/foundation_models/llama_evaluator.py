"""The language model evaluated by llama.cpp, where the package llama-cpp-python is installed.

It gives logits and nothing else: its tokenizer and its samplers are not used, so that an answer depends on
it by the last digits of logits alone. The functions are those of llama.cpp's include/llama.h.
"""

from __future__ import annotations

import ctypes
import logging
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .text_engine import EngineFailed

_SMALLEST = 512  # tokens that a cache can hold at first; it doubles
_AT_ONCE = 64  # tokens that are evaluated together
_SEQUENCE = 0


class LlamaEvaluator:
    """See Evaluator. Raises what importing llama_cpp raises, and RuntimeError for weights it can't use."""

    name = "llama.cpp"

    def __init__(self, weights: Path, vocabulary: int):
        import llama_cpp

        logging.getLogger("llama-cpp-python").setLevel(logging.ERROR)
        self.api = llama_cpp
        self.vocabulary = vocabulary
        llama_cpp.llama_backend_init()
        wanted = llama_cpp.llama_model_default_params()
        wanted.n_gpu_layers = 0
        self.model = llama_cpp.llama_model_load_from_file(str(weights).encode(), wanted)
        if not self.model:
            raise RuntimeError(f"it can't load {weights}")
        _free_with(self, llama_cpp.llama_model_free, self.model)
        if not np.isfinite(self.cache().read([0])).all():
            raise RuntimeError("its logits are no numbers")

    def cache(self, state: _State | None = None) -> LlamaCache:
        """See Evaluator."""
        return LlamaCache(self, state or _State(0))


@dataclass(frozen=True)
class _State:
    length: int  # tokens
    data: ctypes.Array | None = None  # as llama.cpp tells it


class LlamaCache:
    """See Cache. A context of its own for each text, because in a shared one the place of a text, and with it
    the last digits of its logits, would depend on the others. Keys and values take 23 KB a token.
    """

    def __init__(self, evaluator: LlamaEvaluator, state: _State):
        self._evaluator = evaluator
        self._length = state.length
        self._capacity = _SMALLEST
        self._renew(state)

    def read(self, tokens: Sequence[int]) -> np.ndarray:
        """See Cache. Raises EngineFailed."""
        self._make_room(len(tokens))
        for start in range(0, len(tokens), _AT_ONCE):
            self._context.decode(tokens[start : start + _AT_ONCE])
        self._length += len(tokens)
        return self._context.logits()

    def state(self) -> _State:
        """See Cache."""
        return _State(self._length, self._context.data() if self._length else None)

    def _make_room(self, tokens: int) -> None:
        if self._length + tokens > self._capacity:
            self._renew(self.state(), tokens)

    def _renew(self, state: _State, tokens: int = 0) -> None:
        """A context with room for as many tokens more than the state has, which knows the state."""
        while self._capacity < state.length + tokens:
            self._capacity *= 2
        self._context = _Context(self._evaluator, self._capacity)
        if state.data:
            self._context.know(state.data)


class _Context:
    def __init__(self, evaluator: LlamaEvaluator, capacity: int):
        self._evaluator, self._api = evaluator, evaluator.api
        wanted = self._api.llama_context_default_params()
        wanted.n_ctx = capacity
        wanted.n_batch = wanted.n_ubatch = _AT_ONCE
        # Two threads are slower than one where the cores are shared.
        wanted.n_threads = wanted.n_threads_batch = 1
        wanted.offload_kqv = wanted.op_offload = False
        wanted.no_perf = True
        self._context = self._api.llama_init_from_model(evaluator.model, wanted)
        if not self._context:
            raise EngineFailed(f"llama.cpp can't make room for {capacity} tokens")
        _free_with(self, self._api.llama_free, self._context)

    def decode(self, tokens: Sequence[int]) -> None:
        array = (ctypes.c_int32 * len(tokens))(*tokens)
        failed = self._api.llama_decode(
            self._context, self._api.llama_batch_get_one(array, len(tokens))
        )
        if failed:
            raise EngineFailed(f"llama_decode returned {failed}")

    def logits(self) -> np.ndarray:
        found = self._api.llama_get_logits_ith(self._context, -1)
        return np.ctypeslib.as_array(found, (self._evaluator.vocabulary,)).copy()

    def data(self) -> ctypes.Array:
        """What it has read."""
        size = self._api.llama_state_seq_get_size(self._context, _SEQUENCE)
        data = (ctypes.c_uint8 * size)()
        self._api.llama_state_seq_get_data(self._context, data, size, _SEQUENCE)
        return data

    def know(self, data: ctypes.Array) -> None:
        """Have read what another one has."""
        if not self._api.llama_state_seq_set_data(self._context, data, len(data), _SEQUENCE):
            raise EngineFailed("llama.cpp can't copy what it has read")


def _free_with(owner: object, free, pointer) -> None:
    """Free when the owner goes, but not at the process's end, when its thread may still compute."""
    weakref.finalize(owner, free, pointer).atexit = False
