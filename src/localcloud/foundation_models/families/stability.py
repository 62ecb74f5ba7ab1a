"""Stable Image's and SD3.5's body ("Stability AI models" in the Bedrock User Guide). None takes a number
of steps or a guidance scale.
"""

from __future__ import annotations

import base64
import random
from typing import Any

from ..catalogue import Model
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
_FORMATS = ("png", "jpeg", "webp")
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
    file_format = body.get("output_format", "png")
    if file_format not in _FORMATS:
        raise malformed(f"#/output_format: {file_format} is not a valid enum value")
    seed = body.get("seed") or random.randint(1, 4_294_967_295)
    # Loaded with the first picture.
    from ..image_model import draw

    picture = draw(
        prompt,
        negative_prompt=body.get("negative_prompt", ""),
        seed=seed,
        aspect_ratio=body.get("aspect_ratio", "1:1"),
        output_format=file_format,
    )
    encoded = base64.b64encode(picture).decode()
    return {"seeds": [seed], "finish_reasons": [None], "images": [encoded]}, 0
