"""`%tokens TEXT` and `%next_token TEXT`: how the local language model cuts a text, and what it expects next.

Bedrock shows neither of any model, so both are of the local cloud alone.
"""

import html
import json
import os
import secrets
import urllib.request
from pathlib import Path
from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class
from IPython.display import display

from .. import target
from . import COLOURS
from .pictures import page_beside, png, show

_SCRIPT = Path(__file__).with_name("next_token.js")
# Light enough for dark letters, dark enough to be told from a white page; neighbours differ.
_TINTS = ("#cfe5f5", "#fbe0b8", "#d5ecd0", "#f0d3e6")
_TEMPERATURES = (0.2, 0.7, 1.0)
_BARS = 8
_MOST = 1000  # what the page of the local cloud gives at most
_NOT_HERE = "Bedrock shows this of no model. The local cloud does, of its own: lab start."


@magics_class
class LanguageMagics(Magics):
    """What `%load_ext labkit` adds for lessons about language models."""

    @line_magic("tokens")
    def show_tokens(self, line: str) -> None:
        """`%tokens TEXT`: the text cut into tokens, each in a colour."""
        if _is_here(line, "%tokens The ferry leaves at nine."):
            tokens = [token["text"] for token in _ask("tokens", text=line)["tokens"]]
            words = f"{'|'.join(tokens)}\n{len(tokens)} tokens, {len(line)} characters"
            display({"text/plain": words, "text/html": tokens_page(tokens, line)}, raw=True)

    @line_magic("next_token")
    def show_next_token(self, line: str) -> None:
        """`%next_token TEXT`: what comes after the text, and how likely, at several temperatures."""
        if not _is_here(line, "%next_token The ferry leaves at"):
            return
        found = {
            temperature: _ask("distribution", text=line, temperature=temperature, limit=_BARS)
            for temperature in _TEMPERATURES
        }
        words = describe(line, found)
        picture = png(figure(line, found))
        whole = _ask("distribution", text=line, limit=_MOST)
        show(picture, words, next_token_page(line, words, whole, picture))


def tokens_page(tokens: list[str], text: str) -> str:
    """HTML of a text's tokens."""
    parts = "".join(
        f'<span style="background: {_TINTS[number % len(_TINTS)]}; color: #222; padding: 2px 0; '
        f'margin-right: 1px; border-radius: 3px; white-space: pre">{html.escape(token)}</span>'
        for number, token in enumerate(tokens)
    )
    count = f"{len(tokens)} tokens, {len(text)} characters"
    return f'<p style="font: 15px/1.9 monospace; margin: 0">{parts}</p><p style="margin: 0">{count}</p>'


def describe(text: str, found: dict[float, dict[str, Any]]) -> str:
    """The distributions (temperature -> the page's answer) in words."""
    lines = [f"What comes after: {text}"]
    for temperature, answer in found.items():
        likely = ", ".join(
            f"{token['text']!r} {token['probability']:.2f}" for token in answer["tokens"][:4]
        )
        lines.append(f"temperature {temperature:g}: {likely}")
    return "\n".join(lines)


def figure(text: str, found: dict[float, dict[str, Any]]) -> Any:
    """Bars of the likeliest tokens, a chart for each temperature."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(9, 2.9), layout="constrained")
    charts = drawn.subplots(1, len(found), sharex=True)
    for axes, (temperature, answer) in zip(charts, found.items(), strict=True):
        names = [repr(token["text"]) for token in answer["tokens"]]
        sizes = [token["probability"] for token in answer["tokens"]]
        axes.barh(range(len(sizes)), sizes, color=COLOURS["invoke"])
        for place, size in enumerate(sizes):
            axes.annotate(f"{size:.2f}", (size, place), (4, -3), textcoords="offset points")
        axes.set_yticks(range(len(names)), names)
        axes.set(title=f"temperature {temperature:g}", xlabel="probability", xlim=(0, 1.18))
        axes.invert_yaxis()
    drawn.suptitle(f"{text} …")
    return drawn


def next_token_page(text: str, words: str, answer: dict[str, Any], picture: bytes) -> str:
    """HTML with two sliders over the page's answer at temperature 1; `picture` is a PNG of the same."""
    drawn = {
        "text": text, "words": words, "colour": COLOURS["invoke"], "bars": _BARS + 2,
        "tokens": [[token["text"], token["probability"]] for token in answer["tokens"]],
        "remaining": answer["remaining"],
    }  # fmt: skip
    name = f"labkit-next-token-{secrets.token_hex(6)}"
    return page_beside(name, picture, words, _SCRIPT, drawn)


def _is_here(line: str, example: str) -> bool:
    if not line.strip():
        print(f"Write a text behind it: {example}")
    elif target.name() != "local":
        print(_NOT_HERE)
    else:
        return True
    return False


def _ask(page: str, **asked: Any) -> dict[str, Any]:
    address = f"{os.environ['AWS_ENDPOINT_URL']}/_localcloud/language-model/{page}"
    request = urllib.request.Request(address, json.dumps(asked).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
