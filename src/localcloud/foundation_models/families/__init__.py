"""One module for each family of models: its own request and answer bodies, as InvokeModel takes them.

A family that answers in text has `read(model, body)`, `answer(model, reply, text)` and `chunks(model,
reply)`; one that does not has `answer_at_once(model, body)`, which may block.
"""

from types import ModuleType

from . import anthropic_messages, local_image, nova, stability, titan_embeddings, titan_text

FAMILIES: dict[str, ModuleType] = {
    "anthropic": anthropic_messages,
    "nova": nova,
    "titan-text": titan_text,
    "titan-embeddings": titan_embeddings,
    "stability": stability,
    "local-image": local_image,
}
