"""Stable Image's and SD3.5's body ("Stability AI models" in the Bedrock User Guide). None takes a number
of steps or a guidance scale.
"""

from __future__ import annotations

import base64
import importlib
import importlib.util
import random
from typing import Any

from ..catalogue import Model
from ..errors import BedrockError
from .bodies import Field, check, malformed

STAND_IN = "a small picture model"
_BODY = {
    "prompt": Field(str, required=True),
    "negative_prompt": Field(str),
    "seed": Field(int, least=0, most=4_294_967_295),
    "aspect_ratio": Field(str),
    "mode": Field(str),
    "output_format": Field(str),
}
_RATIOS = ("16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21")
_MAX_PROMPT = 10_000


def answer_at_once(model: Model, body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The body of an answer, and no tokens. Raises ValidationException."""
    check(body, _BODY)
    prompt = body["prompt"]
    if not 1 <= len(prompt) <= _MAX_PROMPT:
        raise malformed(f"#/prompt: expected a length of 1 to {_MAX_PROMPT}, actual: {len(prompt)}")
    if body.get("aspect_ratio", "1:1") not in _RATIOS:
        raise malformed(f"#/aspect_ratio: {body['aspect_ratio']} is not a valid enum value")
    if body.get("mode", "text-to-image") != "text-to-image":
        raise malformed("#/mode: localcloud draws from text alone; use text-to-image")
    if body.get("output_format", "png") != "png":
        raise malformed("#/output_format: localcloud draws png alone")
    seed = body.get("seed") or random.randint(1, 4_294_967_295)
    png = _draw(prompt, body.get("negative_prompt", ""), seed)
    picture = base64.b64encode(png).decode()
    return {"seeds": [seed], "finish_reasons": [None], "images": [picture]}, 0


def _draw(prompt: str, negative_prompt: str, seed: int) -> bytes:
    name = f"{__package__.rpartition('.')[0]}.image_model"
    if importlib.util.find_spec(name) is None:
        raise BedrockError("ServiceUnavailableException", "localcloud has no picture model yet")
    return importlib.import_module(name).draw(prompt, negative_prompt, seed)
