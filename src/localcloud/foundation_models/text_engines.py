"""Which engine answers as text."""

from .text_engine import TextEngine


def choose_text_engine() -> TextEngine:
    """The best engine that is here."""
    from .local_engine import LocalEngine

    return LocalEngine()
