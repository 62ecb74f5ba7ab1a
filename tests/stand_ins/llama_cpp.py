"""A stand-in for llama-cpp-python: the functions that the local cloud calls, over a model of known logits.

Three tokens can come next, with the logits 2, 1 and 0: the characters whose place among PLACES is the sum of
all tokens read, and the two after it. The weights are not read.
"""

import ctypes
import os
import time
from types import SimpleNamespace

import numpy as np

PLACES = 90
FIRST = 17  # the token of "!", which the next printable characters follow
VOCABULARY = 49152


def llama_backend_init():
    """Nothing to do."""


def llama_model_default_params():
    """The fields of a structure."""
    return SimpleNamespace()


llama_context_default_params = llama_model_default_params


def llama_model_load_from_file(path, wanted):
    """Something true, or None where the environment says so, as for a file that can't be read."""
    assert os.path.exists(path)
    return None if os.environ.get("STAND_IN_FAILS") else "model"


def llama_model_free(model):
    """Nothing to do."""


llama_free = llama_model_free


def llama_init_from_model(model, wanted):
    """A context: what has been read of one text, and how much can be."""
    return SimpleNamespace(tokens=[], capacity=wanted.n_ctx, at_once=wanted.n_batch)


def llama_batch_get_one(array, count):
    """The tokens."""
    return list(array)[:count]


def llama_decode(context, tokens):
    """0, or 1 where there is no room, as in llama.h."""
    if len(context.tokens) + len(tokens) > context.capacity or len(tokens) > context.at_once:
        return 1
    context.tokens += tokens
    until = time.thread_time() + float(os.environ.get("STAND_IN_SECONDS", 0))
    while time.thread_time() < until:
        pass
    return 0


def llama_get_logits_ith(context, number):
    """A pointer to the last token's logits."""
    assert number == -1
    context.logits = np.full(VOCABULARY, -1000, np.float32)
    for further in range(3):
        place = (sum(context.tokens) + further) % PLACES
        context.logits[FIRST + place] = 2 - further
    return context.logits.ctypes.data_as(ctypes.POINTER(ctypes.c_float))


def llama_state_seq_get_size(context, sequence):
    """Four bytes a token."""
    return 4 * len(context.tokens)


def llama_state_seq_get_data(context, data, size, sequence):
    """Copy the tokens out."""
    data[:] = b"".join(token.to_bytes(4, "little") for token in context.tokens)
    return size


def llama_state_seq_set_data(context, data, size, sequence):
    """Copy them in."""
    given = bytes(data)
    context.tokens = [int.from_bytes(given[i : i + 4], "little") for i in range(0, size, 4)]
    return size
