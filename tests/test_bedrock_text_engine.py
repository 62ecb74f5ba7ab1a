"""Which engine computes the language model on this computer, and what is said where it can't."""

import importlib.util
import json
import urllib.error

import pytest

from bedrock import NOVA, runtime, said, turn
from language_models import cloud_with, page
from refusals import refusal

INSTALLED = [
    name
    for name, package in (("onnxruntime", "onnxruntime"), ("llama.cpp", "llama_cpp"))
    if importlib.util.find_spec(package)
]
PARIS = "The capital of France is"


def test_a_llama_cpp_that_fails_leaves_the_model_to_onnxruntime(caplog):
    with cloud_with("stand-in", STAND_IN_FAILS="1") as cloud:
        assert page(cloud, text=PARIS)["tokens"][0]["text"] == " Paris"
    (line,) = [each.getMessage() for each in caplog.records if "llama" in each.getMessage()]
    assert "llama-cpp-python is installed but can't be used, so that onnxruntime" in line
    assert "it can't load" in line


def test_a_llama_cpp_that_is_slower_here_is_not_used(caplog):
    with cloud_with("stand-in", STAND_IN_SECONDS="0.2") as cloud:
        assert page(cloud, text=PARIS)["tokens"][0]["text"] == " Paris"
    (line,) = [each.getMessage() for each in caplog.records if "llama" in each.getMessage()]
    assert line.endswith("so that onnxruntime computes the language model")


@pytest.mark.parametrize("name", INSTALLED)
def test_each_engine_is_the_same_model(name):
    with cloud_with("installed", LOCALCLOUD_TEXT_ENGINE=name) as cloud:
        first, second, third = page(cloud, text=PARIS, limit=3)["tokens"]
        assert [each["text"] for each in (first, second, third)] == [" Paris", " the", " London"]
        # 0.77 by the same weights in exact arithmetic; engines round a token's numbers to 8 bits.
        assert first["probability"] == pytest.approx(0.77, abs=0.06)
        client = runtime(cloud)
        answers = [
            client.converse(
                modelId=NOVA, messages=[turn("Tell me a long story about a lighthouse.")],
                inferenceConfig={"temperature": 0, "maxTokens": 20},
            )
            for _ in range(2)
        ]  # fmt: skip
        assert said(answers[0]) == said(answers[1])
        assert "lighthouse" in said(answers[0])


def test_a_variable_chooses_onnxruntime():
    with cloud_with("stand-in", LOCALCLOUD_TEXT_ENGINE="onnxruntime") as cloud:
        assert page(cloud, text=PARIS)["tokens"][0]["text"] == " Paris"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("llama.cpp", "LOCALCLOUD_TEXT_ENGINE is llama.cpp, which can't be used: "),
        ("gpu", "LOCALCLOUD_TEXT_ENGINE is 'gpu'; it can be llama.cpp or onnxruntime"),
    ],
)
def test_a_variable_that_names_what_is_not_there(name, told):
    with cloud_with("missing", LOCALCLOUD_TEXT_ENGINE=name) as cloud:
        status, code, message = refusal(
            runtime(cloud).converse, modelId=NOVA, messages=[turn("Where?")]
        )
        assert (status, code) == (503, "ServiceUnavailableException")
        assert message.startswith(told)
        with pytest.raises(urllib.error.HTTPError) as caught:
            page(cloud, text="Where?")
        with caught.value as error:
            assert error.code == 503
            assert json.load(error)["message"].startswith(told)
