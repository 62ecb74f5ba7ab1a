"""llama.cpp computes the language model: shown by a stand-in for the package, whose logits are known."""

import math
from concurrent.futures import ThreadPoolExecutor

import pytest

from bedrock import NOVA, changed, runtime, said, turn
from language_models import cloud_with, page

PLACES, FIRST = 90, 17  # of the stand-in


@pytest.fixture(scope="module")
def cloud():
    with cloud_with("stand-in") as cloud:
        yield cloud


@pytest.fixture(scope="module")
def client(cloud):
    return runtime(cloud)


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
