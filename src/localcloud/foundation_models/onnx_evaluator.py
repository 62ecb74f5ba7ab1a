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

    def cache(self) -> OnnxCache:
        """See Evaluator."""
        return OnnxCache(self)


class OnnxCache:
    """See Cache. Keys and values take 46 KB a token."""

    def __init__(self, evaluator: OnnxEvaluator):
        self._evaluator = evaluator
        self._shape = evaluator.shape
        self._values: dict[str, onnxruntime.OrtValue] = {}
        self._capacity = 0
        self._length = 0

    def read(self, tokens: Sequence[int]) -> np.ndarray:
        """See Cache."""
        self._make_room(len(tokens))
        rows = self._evaluator.embeddings[np.asarray(tokens)]
        scale = rows["scale"].astype(np.float32)[..., None]
        vectors = (rows["weights"] * scale).reshape(1, len(tokens), self._shape.width)
        total = self._length + len(tokens)
        session = self._evaluator.session
        binding = session.io_binding()
        binding.bind_output("logits")
        self._bind(binding)
        binding.bind_cpu_input("embeddings", vectors)
        binding.bind_cpu_input("seqlens_k", np.array([total - 1], np.int32))
        binding.bind_cpu_input("total", np.array([total], np.int32))
        session.run_with_iobinding(binding)
        self._length = total
        return binding.get_outputs()[0].numpy()[0, 0]

    def _make_room(self, tokens: int) -> None:
        needed = self._length + tokens
        if needed <= self._capacity:
            return
        self._capacity = -(-needed // _GROWTH) * _GROWTH
        size = (1, self._shape.kv_heads, self._capacity, self._shape.head_size)
        for n in range(self._shape.layers):
            for part in ("key", "value"):
                name = f"{part}.{n}"
                grown = np.zeros(size, np.float32)
                if name in self._values:
                    grown[:, :, : self._length] = self._values[name].numpy()[:, :, : self._length]
                self._values[name] = onnxruntime.OrtValue.ortvalue_from_numpy(grown)

    def _bind(self, binding: onnxruntime.IOBinding) -> None:
        """Let a run write into the very memory that it reads."""
        for name, value in self._values.items():
            binding.bind_ortvalue_input(f"past_{name}", value)
            binding.bind_ortvalue_output(f"present_{name}", value)


def _session(file: GgufFile) -> onnxruntime.InferenceSession:
    graph, weights = language_graph.build(file)
    options = onnxruntime.SessionOptions()
    # Two threads are slower than one where the cores are shared.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(value) for value in weights.values()]
    options.add_external_initializers(list(weights), values)
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
