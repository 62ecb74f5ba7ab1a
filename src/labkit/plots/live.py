"""The timeline as HTML that can be zoomed and moved, for notebooks that are open and trusted."""

import secrets
from collections.abc import Sequence
from pathlib import Path

from . import COLOURS
from .pictures import page_beside
from .timeline import WORDS, Span, describe, row_labels, row_of

_SCRIPT = Path(__file__).with_suffix(".js")


def page(spans: Sequence[Span], title: str, picture: bytes) -> str:
    """HTML of the timeline; `picture` is a PNG of the same. Raises ValueError where there are no spans."""
    zero = min(span.start for span in spans)
    drawn = {
        "title": title, "rows": row_labels(spans),
        "spans": [
            {
                "row": row_of(span, spans), "kind": span.kind, "failed": span.failed,
                "start": (span.start - zero) * 1000, "end": (span.end - zero) * 1000,
            }
            for span in spans
        ],
        "words": describe(spans), "colours": COLOURS, "names": WORDS,
    }  # fmt: skip
    name = f"labkit-timeline-{secrets.token_hex(6)}"
    return page_beside(name, picture, drawn["words"], _SCRIPT, drawn)
