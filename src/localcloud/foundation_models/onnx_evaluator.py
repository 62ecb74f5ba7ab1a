"""The language model evaluated by ONNX Runtime: what answers where nothing faster is installed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnxruntime

from . import language_graph
from .gguf_file import GgufFile

_GROWTH = 256  # tokens by which a cache grows


class OnnxEvaluator:
    """See Evaluator."""

    name = "onnxruntime"

    def __init__(self, file: GgufFile):
        self.embeddings = file.eight_bits("token_embd.weight")
        self.shape = language_graph.Shape.read(file)
        self.session = _session(file)

    def cache(self, state: dict[str, np.ndarray] | None = None) -> OnnxCache:
        """See Evaluator."""
        return OnnxCache(self, state or self._nothing())

    def _nothing(self) -> dict[str, np.ndarray]:
        empty = np.zeros((1, self.shape.kv_heads, 0, self.shape.head_size), np.float32)
        layers = range(self.shape.layers)
        return {f"{part}.{n}": empty for n in layers for part in ("key", "value")}


class OnnxCache:
    """See Cache. Keys and values take 46 KB a token."""

    def __init__(self, evaluator: OnnxEvaluator, state: dict[str, np.ndarray]):
        self._evaluator = evaluator
        self._values = dict(state)  # (1, kv heads, capacity, head size) each
        self._length = self._capacity = next(iter(state.values())).shape[2]

    def read(self, tokens: Sequence[int]) -> np.ndarray:
        """See Cache."""
        self._make_room(len(tokens))
        rows = self._evaluator.embeddings[np.asarray(tokens)]
        scale = rows["scale"].astype(np.float32)[..., None]
        vectors = (rows["weights"] * scale).reshape(1, len(tokens), -1)
        total = self._length + len(tokens)
        self._binding.bind_cpu_input("embeddings", vectors)
        self._binding.bind_cpu_input("seqlens_k", np.array([total - 1], np.int32))
        self._binding.bind_cpu_input("total", np.array([total], np.int32))
        self._evaluator.session.run_with_iobinding(self._binding)
        self._length = total
        return self._logits[0, 0].copy()

    def state(self) -> dict[str, np.ndarray]:
        """See Cache."""
        return {name: value[:, :, : self._length].copy() for name, value in self._values.items()}

    def _make_room(self, tokens: int) -> None:
        needed = self._length + tokens
        if needed <= self._capacity:
            return
        self._capacity = -(-needed // _GROWTH) * _GROWTH
        for name, value in self._values.items():
            _, heads, _, size = value.shape
            self._values[name] = np.zeros((1, heads, self._capacity, size), np.float32)
            self._values[name][:, :, : self._length] = value[:, :, : self._length]
        self._bind()

    def _bind(self) -> None:
        """Let runs write into the very memory that they read; doing so for each costs half a millisecond."""
        self._binding = self._evaluator.session.io_binding()
        for name, value in self._values.items():
            bound = onnxruntime.OrtValue.ortvalue_from_numpy(value)  # no copy
            self._binding.bind_ortvalue_input(f"past_{name}", bound)
            self._binding.bind_ortvalue_output(f"present_{name}", bound)
        self._logits = np.empty((1, 1, len(self._evaluator.embeddings)), np.float32)
        bound = onnxruntime.OrtValue.ortvalue_from_numpy(self._logits)
        self._binding.bind_ortvalue_output("logits", bound)


def _session(file: GgufFile) -> onnxruntime.InferenceSession:
    graph, weights = language_graph.build(file)
    options = onnxruntime.SessionOptions()
    # Two threads are slower than one where the cores are shared.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in weights.values()]
    options.add_external_initializers(list(weights), values)
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
