"""The picture model of this kit under a name of its own, which AWS has not: with the number of steps, the
guidance and the picture after each step, which no body on Bedrock takes or gives any more.
"""

from __future__ import annotations

import base64
import random
from typing import Any

from ..catalogue import Model
from ..errors import invalid
from .bodies import NUMBER, Field, check

STAND_IN = "the kit's picture model"
_BODY = {
    "prompt": Field(str, required=True),
    "negative_prompt": Field(str),
    "seed": Field(int, least=0, most=4_294_967_295),
    "steps": Field(int, least=1),
    "guidance": Field(NUMBER, least=0),
    "each_step": Field(bool),
}
_OPTIONS = ("negative_prompt", "steps", "guidance")


def answer_at_once(model: Model, body: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The pictures, PNG, and no tokens: the last one alone, or with `each_step` the noise and then the
    picture after each step. Raises ValidationException.
    """
    check(body, _BODY)
    # Loaded with the first picture.
    from ..image_model import draw, draw_each_step

    seed = body.get("seed", random.randint(0, 4_294_967_295))
    options = {name: body[name] for name in _OPTIONS if name in body}
    try:
        if body.get("each_step"):
            pictures = list(draw_each_step(body["prompt"], seed=seed, **options))
        else:
            pictures = [draw(body["prompt"], seed=seed, **options)]
    except ValueError as error:
        raise invalid(str(error)) from error
    return {"images": [base64.b64encode(each).decode() for each in pictures], "seed": seed}, 0
