"""The language model seen from inside, for lessons: POST /_localcloud/language-model/tokens and
/_localcloud/language-model/distribution. Bedrock shows neither.
"""

import json
from typing import Any

from .text_engine import EngineUnavailable, TextEngine

PREFIX = "/_localcloud/language-model/"
_MOST = 1000  # tokens of a distribution


async def answer(
    text: TextEngine, method: str, path: str, body: bytes
) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body, in JSON.

    tokens: {"text": …} gives {"model", "tokens": [{"id", "text"}]}.
    distribution: {"text" or "prompt": …, "temperature", "top_p", "top_k", "limit"} gives {"model",
    "tokens": [{"id", "text", "probability"}], "remaining"}: what comes after a text, or at the beginning
    of the answer to a prompt, the likeliest first, as answers are sampled from it; `remaining` is the
    probability of those beyond the limit.
    """
    page = {"tokens": _tokens, "distribution": _distribution}.get(path.removeprefix(PREFIX))
    if page is None:
        return _json(404, {"message": f"there is no page {path}"})
    if method != "POST":
        return _json(405, {"message": f"{method} is not answered here"})
    if not hasattr(text, "ask"):
        return _json(400, {"message": f"{text.name} does not show its tokens"})
    try:
        asked = json.loads(body or b"{}")
        if not isinstance(asked, dict):
            raise ValueError("the body must be a JSON object")
        return _json(200, {"model": text.name, **await page(text, asked)})
    except ValueError as error:
        return _json(400, {"message": str(error)})
    except EngineUnavailable as error:
        return _json(503, {"message": str(error)})


async def _tokens(text: Any, asked: dict) -> dict:
    written = _text(asked, "text")

    def split(model) -> list[dict]:
        tokens, spans = model.tokenize(written), model.spans(written)
        return [
            {"id": token, "text": written[begin:end]}
            for token, (begin, end) in zip(tokens, spans, strict=True)
        ]

    return {"tokens": await text.ask(split)}


async def _distribution(text: Any, asked: dict) -> dict:
    from . import sampling

    temperature = _number(asked, "temperature", 1.0, 0, 10)
    top_p = _number(asked, "top_p", 1.0, 0, 1)
    top_k = int(_number(asked, "top_k", 0, 0, 500))
    limit = int(_number(asked, "limit", 20, 1, _MOST))
    key = "prompt" if "prompt" in asked else "text"
    written = _text(asked, key)

    def look(model) -> dict:
        read = model.prompt([("user", written)]) if key == "prompt" else model.tokenize(written)
        logits = model.evaluator.cache().read(read)
        tokens, probabilities = sampling.distribution(logits, temperature, top_p, top_k)
        return {
            "tokens": [
                {"id": int(token), "text": model.text([token]), "probability": float(probability)}
                for token, probability in zip(tokens[:limit], probabilities[:limit], strict=True)
            ],
            "remaining": float(probabilities[limit:].sum()),
        }

    return await text.ask(look)


def _text(asked: dict, key: str) -> str:
    value = asked.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{key} must be a text that is not empty")
    if len(value) > 8000:
        raise ValueError(f"{key} may have 8,000 characters")
    return value


def _number(asked: dict, key: str, default: float, least: float, most: float) -> float:
    value = asked.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{key} must be a number from {least} to {most}")
    return value


def _json(status: int, body: object) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    return status, [(b"content-type", b"application/json")], json.dumps(body).encode()
