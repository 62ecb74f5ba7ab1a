"""Pictures by InvokeModel: Stability's body, and the kit's own with steps and guidance."""

import base64
import io
import json

import pytest
from PIL import Image

from bedrock import runtime
from refusals import refusal

STABLE = "stability.stable-image-core-v1:1"
OURS = "localcloud.image-model-v1:0"
PROMPT = "a red circle on a blue background"


@pytest.fixture(scope="module")
def draw(local_cloud):
    client = runtime(local_cloud, "us-west-2")

    def draw(model, **body):
        answer = client.invoke_model(modelId=model, body=json.dumps({"prompt": PROMPT, **body}))
        return json.loads(answer["body"].read()), answer["ResponseMetadata"]["HTTPHeaders"]

    draw.client = client
    return draw


def opened(image):
    return Image.open(io.BytesIO(base64.b64decode(image)))


def test_stabilitys_body(draw):
    answer, headers = draw(STABLE, seed=7)
    assert answer["seeds"] == [7] and answer["finish_reasons"] == [None]
    (image,) = answer["images"]
    picture = opened(image)
    assert picture.format == "PNG" and picture.width == picture.height
    assert headers["x-localcloud-answered-by"] == (
        f"a small picture model on this computer, not {STABLE}"
    )
    assert draw(STABLE, seed=7)[0]["images"] == [image]
    assert draw(STABLE, seed=8)[0]["images"] != [image]
    wide, _ = draw(STABLE, seed=7, aspect_ratio="16:9", output_format="jpeg")
    picture = opened(wide["images"][0])
    assert picture.format == "JPEG" and picture.width > picture.height
    body = json.dumps({"prompt": PROMPT, "output_format": "gif"})
    assert refusal(draw.client.invoke_model, modelId=STABLE, body=body)[1] == "ValidationException"


def test_the_kits_own_model_takes_steps_and_shows_them(draw):
    answer, headers = draw(OURS, seed=3, steps=4, guidance=2, each_step=True)
    assert headers["x-localcloud-answered-by"] == "the kit's picture model on this computer"
    assert answer["seed"] == 3
    assert len(answer["images"]) == 5
    assert len(set(answer["images"])) == 5
    last, _ = draw(OURS, seed=3, steps=4, guidance=2)
    other, _ = draw(OURS, seed=3, steps=4, guidance=6)
    assert last["images"] != other["images"]
    body = json.dumps({"prompt": PROMPT, "steps": 10_000})
    assert refusal(draw.client.invoke_model, modelId=OURS, body=body)[:2] == (
        400, "ValidationException",
    )  # fmt: skip
