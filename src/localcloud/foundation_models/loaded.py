"""All that Bedrock and S3 Vectors load when they are first asked, loaded before anybody asks."""

import contextlib

from . import api, embeddings, language_model  # noqa: F401
from .text_engine import EngineUnavailable


def load() -> None:
    """Load the models, too. Processes that are forked from this one share their memory."""
    with contextlib.suppress(embeddings.EmbeddingModelMissing):
        embeddings.load()
    with contextlib.suppress(EngineUnavailable):
        language_model.loaded()
