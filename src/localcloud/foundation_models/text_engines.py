"""Which engine answers as text."""

import os

from .text_engine import TextEngine


def choose_text_engine() -> TextEngine:
    """The server that LOCALCLOUD_TEXT_ENDPOINT names, else the model on this computer."""
    endpoint = os.environ.get("LOCALCLOUD_TEXT_ENDPOINT")
    if endpoint:
        from .openai_engine import OpenAiEngine

        return OpenAiEngine(endpoint, os.environ.get("LOCALCLOUD_TEXT_MODEL", "default"))
    from .local_engine import LocalEngine

    return LocalEngine()
