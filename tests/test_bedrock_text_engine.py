"""What computes the language model on this computer: llama.cpp where installed, onnxruntime, and the choice.

A stand-in for llama_cpp shows the seam where the package is not installed: its logits are known.
"""

import importlib.util
import json
import math
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from bedrock import NOVA, changed, runtime, said, turn
from localcloud import LocalCloud
from refusals import refusal

STAND_INS = Path(__file__).parent / "stand_ins"
PLACES, FIRST = 90, 17  # of the stand-in
INSTALLED = [
    name
    for name, package in (("onnxruntime", "onnxruntime"), ("llama.cpp", "llama_cpp"))
    if importlib.util.find_spec(package)
]


@contextmanager
def cloud_with(package, **environment):
    """A cloud with these variables, where llama_cpp is the stand-in, missing, or as installed."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LOCALCLOUD_TEXT_ENGINE", "LOCALCLOUD_TEXT_ENDPOINT"):
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        if package == "stand-in":
            patch.syspath_prepend(STAND_INS)
            patch.delitem(sys.modules, "llama_cpp", raising=False)
        elif package == "missing":
            patch.setitem(sys.modules, "llama_cpp", None)
        with LocalCloud(port=0) as cloud:
            yield cloud
        patch.delitem(sys.modules, "llama_cpp", raising=False)


@pytest.fixture(scope="module")
def cloud():
    with cloud_with("stand-in") as cloud:
        yield cloud


@pytest.fixture(scope="module")
def client(cloud):
    return runtime(cloud)


def page(cloud, name="distribution", **asked):
    request = urllib.request.Request(
        f"{cloud.endpoint_url}/_localcloud/language-model/{name}", json.dumps(asked).encode()
    )
    with urllib.request.urlopen(request, timeout=100) as answer:
        return json.load(answer)


def ask(client, text, **config):
    return client.converse(
        modelId=NOVA, messages=[turn(text)], inferenceConfig={"temperature": 0, **config}
    )


def written(cloud, text, count):
    """What the stand-in must write to a prompt: its first character, then by the sum of all tokens."""
    (first,) = page(cloud, prompt=text, temperature=0)["tokens"]
    place, characters = ord(first["text"]) - ord("!"), ""
    for _ in range(count):
        characters += chr(ord("!") + place)
        place = (place + FIRST + place) % PLACES
    return characters


def test_an_installed_llama_cpp_gives_the_logits(cloud):
    text = "lighthouse 7"
    read = [token["id"] for token in page(cloud, "tokens", text=text)["tokens"]]
    places = [(sum(read) + further) % PLACES for further in range(3)]

    def likely(**options):
        tokens = page(cloud, text=text, **options)["tokens"]
        return [(token["id"] - FIRST, token["probability"]) for token in tokens[:3]]

    def shares(*logits):
        weights = [math.exp(logit) for logit in logits]
        return [weight / sum(weights) for weight in weights]

    for options, logits in (
        ({"temperature": 1}, (2, 1, 0)),
        ({"temperature": 2}, (1, 0.5, 0)),
        ({"temperature": 1, "top_k": 2}, (2, 1)),
        ({"temperature": 1, "top_p": 0.7}, (2, 1)),
    ):
        found = likely(**options)
        assert [place for place, _ in found] == places[: len(logits)]
        expected = shares(*logits)
        assert [share for _, share in found] == pytest.approx(expected, rel=1e-6)


def test_its_answers_are_counted_and_marked_as_ever(cloud, client):
    answer = ask(client, "Where?", maxTokens=30)
    assert said(answer) == written(cloud, "Where?", 30)
    assert (answer["stopReason"], answer["usage"]["outputTokens"]) == ("max_tokens", 30)
    counted = client.count_tokens(modelId=NOVA, input={"converse": {"messages": [turn("Where?")]}})[
        "inputTokens"
    ]
    assert answer["usage"]["inputTokens"] == counted
    told = answer["ResponseMetadata"]["HTTPHeaders"]["x-localcloud-answered-by"]
    assert told == f"SmolLM2-135M-Instruct on this computer, not {NOVA}"


def test_a_stop_sequence_ends_its_answer(cloud, client):
    whole = written(cloud, "Where?", 30)
    answer = ask(client, "Where?", stopSequences=[whole[10:13]])
    assert (said(answer), answer["stopReason"]) == (whole[:10], "stop_sequence")
    assert answer["usage"]["outputTokens"] == 13


def test_its_stream_comes_token_by_token(cloud, client):
    stream = client.converse_stream(
        modelId=NOVA, messages=[turn("Where?")],
        inferenceConfig={"temperature": 0, "maxTokens": 12},
    )["stream"]  # fmt: skip
    pieces = [
        event["contentBlockDelta"]["delta"]["text"]
        for event in stream
        if "contentBlockDelta" in event
    ]
    assert [piece for piece in pieces if piece] == list(written(cloud, "Where?", 12))


def test_a_seed_repeats_what_was_drawn_from_its_logits(cloud, client):
    def drawn():
        with changed(cloud, bedrock_seed=4):
            return said(ask(client, "Where?", maxTokens=40, temperature=1))

    first = drawn()
    assert first == drawn()
    assert first != written(cloud, "Where?", 40)


def test_callers_in_turn_have_texts_of_their_own(cloud, client):
    questions = [f"Question {number}?" for number in range(6)]
    with ThreadPoolExecutor(len(questions)) as pool:
        answers = list(pool.map(lambda text: said(ask(client, text, maxTokens=60)), questions))
    assert answers == [written(cloud, text, 60) for text in questions]
    assert len(set(answers)) > 1


def test_a_text_that_outgrows_its_room(cloud, client):
    # A cache begins with room for 512 tokens: one text grows while it is read, the other while it is written.
    for text, count in (("word " * 1500, 20), ("word " * 450, 100)):
        answer = ask(client, text, maxTokens=count)
        assert said(answer) == written(cloud, text, count)


def test_a_llama_cpp_that_fails_leaves_the_model_to_onnxruntime(caplog):
    with cloud_with("stand-in", STAND_IN_FAILS="1") as cloud:
        assert page(cloud, text="The capital of France is")["tokens"][0]["text"] == " Paris"
    (line,) = [each.getMessage() for each in caplog.records if "llama" in each.getMessage()]
    assert "llama-cpp-python is installed but can't be used, so that onnxruntime" in line
    assert "it can't load" in line


@pytest.mark.parametrize("name", INSTALLED)
def test_each_engine_is_the_same_model(name):
    with cloud_with("installed", LOCALCLOUD_TEXT_ENGINE=name) as cloud:
        first = page(cloud, text="The capital of France is")["tokens"][0]
        assert first["text"] == " Paris"
        assert first["probability"] == pytest.approx(0.715, abs=0.05)
        answer = ask(runtime(cloud), "What is the capital of France?", maxTokens=20)
        assert said(answer) == "The capital of France is Paris."


def test_a_variable_chooses_onnxruntime():
    with cloud_with("stand-in", LOCALCLOUD_TEXT_ENGINE="onnxruntime") as cloud:
        assert page(cloud, text="The capital of France is")["tokens"][0]["text"] == " Paris"


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
