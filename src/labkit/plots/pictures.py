"""How a picture comes into a cell's output: a PNG, its words, and where scripts run a page in its place."""

import base64
import html
import io
import json
from pathlib import Path
from typing import Any

from IPython.display import Image, display


def png(drawn: Any) -> bytes:
    """The PNG of a figure of matplotlib's."""
    buffer = io.BytesIO()
    drawn.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    return buffer.getvalue()


def show(picture: bytes, words: str, page: str | None = None) -> None:
    """Show a PNG with its words, and in an open notebook the page of the same, if there is one."""
    data, metadata = Image(picture, alt=words)._repr_mimebundle_()
    data |= {"text/plain": words} | ({"text/html": page} if page else {})
    display(data, metadata=metadata, raw=True)


def page_beside(name: str, picture: bytes, words: str, script: Path, data: Any) -> str:
    """HTML of the picture, in whose place the script, a function of (figure, data), draws the data.

    Where scripts don't run, the picture is all there is. Nothing is fetched.
    """
    source = base64.b64encode(picture).decode()
    drawn = json.dumps(data).replace("<", "\\u003c")
    # JupyterLab would take the arrows for its own while a button has the focus.
    return (
        f'<figure id="{name}" style="margin: 0" data-lm-suppress-shortcuts="true">'
        f'<img src="data:image/png;base64,{source}" alt="{html.escape(words)}"></figure>\n'
        f"<script>({script.read_text(encoding='utf-8').strip()})"
        f'(document.getElementById("{name}"), {drawn})</script>'
    )
