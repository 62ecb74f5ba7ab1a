"""InvokeModel in each family's own body, whole and streamed; CountTokens; the model seen from inside."""

import json
import math
import urllib.error
import urllib.request

import numpy as np
import pytest

from bedrock import HAIKU, NOVA, changed, runtime
from people import Person
from refusals import refusal

EMBED = "amazon.titan-embed-text-v2:0"
TITAN = "amazon.titan-text-express-v1"
PICTURE = "stability.stable-image-core-v1:1"
QUESTION = "What is the capital of France?"
CLAUDE_BODY = {
    "anthropic_version": "bedrock-2023-05-31",
    "max_tokens": 20,
    "temperature": 0,
    "messages": [{"role": "user", "content": QUESTION}],
}
NOVA_BODY = {
    "messages": [{"role": "user", "content": [{"text": QUESTION}]}],
    "inferenceConfig": {"maxTokens": 20, "temperature": 0},
}


@pytest.fixture(scope="module")
def client(local_cloud):
    return runtime(local_cloud)


def invoke(client, model, body):
    answer = client.invoke_model(modelId=model, body=json.dumps(body))
    return json.loads(answer["body"].read()), answer


def stream(client, model, body):
    answer = client.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))
    assert answer["contentType"] == "application/json"
    return [json.loads(event["chunk"]["bytes"]) for event in answer["body"]]


def test_claude(client):
    answer, response = invoke(client, HAIKU, CLAUDE_BODY)
    assert response["contentType"] == "application/json"
    assert set(answer) == {
        "id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage",
    }  # fmt: skip
    assert (answer["type"], answer["role"], answer["stop_reason"]) == (
        "message", "assistant", "end_turn",
    )  # fmt: skip
    (block,) = answer["content"]
    assert block["type"] == "text" and "Paris" in block["text"]
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amzn-bedrock-input-token-count"] == str(answer["usage"]["input_tokens"])
    assert headers["x-amzn-bedrock-output-token-count"] == str(answer["usage"]["output_tokens"])
    assert headers["x-localcloud-answered-by"].startswith("SmolLM2-135M-Instruct ")

    chunks = stream(client, HAIKU, CLAUDE_BODY)
    kinds = [chunk["type"] for chunk in chunks]
    deltas = [chunk for chunk in chunks if chunk["type"] == "content_block_delta"]
    assert kinds == [
        "message_start", "content_block_start", *["content_block_delta"] * len(deltas),
        "content_block_stop", "message_delta", "message_stop",
    ]  # fmt: skip
    assert "".join(chunk["delta"]["text"] for chunk in deltas) == block["text"]
    metrics = chunks[-1]["amazon-bedrock-invocationMetrics"]
    assert metrics["outputTokenCount"] == answer["usage"]["output_tokens"]
    assert 0 < metrics["firstByteLatency"] <= metrics["invocationLatency"]


def test_claude_with_a_system_prompt_and_a_stop_sequence(client):
    body = {**CLAUDE_BODY, "system": "Answer in a sentence.", "stop_sequences": ["Paris"]}
    answer, _ = invoke(client, HAIKU, body)
    assert (answer["stop_reason"], answer["stop_sequence"]) == ("stop_sequence", "Paris")


def test_nova(client):
    answer, _ = invoke(client, NOVA, NOVA_BODY)
    text = answer["output"]["message"]["content"][0]["text"]
    assert "Paris" in text
    assert answer["stopReason"] == "end_turn"
    chunks = stream(client, NOVA, NOVA_BODY)
    assert chunks[0] == {"messageStart": {"role": "assistant"}}
    deltas = [chunk["contentBlockDelta"] for chunk in chunks if "contentBlockDelta" in chunk]
    assert "".join(delta["delta"]["text"] for delta in deltas) == text
    assert chunks[-1]["metadata"]["usage"] == answer["usage"]
    assert "amazon-bedrock-invocationMetrics" in chunks[-1]


def test_titan_text_answers_only_where_retired_models_may(client, local_cloud):
    body = {
        "inputText": QUESTION,
        "textGenerationConfig": {"maxTokenCount": 3, "temperature": 0},
    }
    given = {"modelId": TITAN, "body": json.dumps(body)}
    assert refusal(client.invoke_model, **given)[:2] == (404, "ResourceNotFoundException")
    with changed(local_cloud, bedrock_retired_models=1):
        answer, _ = invoke(client, TITAN, body)
        chunks = stream(client, TITAN, body)
    (result,) = answer["results"]
    assert (result["tokenCount"], result["completionReason"]) == (3, "LENGTH")
    assert "".join(chunk["outputText"] for chunk in chunks) == result["outputText"]
    assert chunks[-1]["totalOutputTextTokenCount"] == 3


@pytest.mark.parametrize(
    ("model", "body", "message"),
    [
        (HAIKU, {"max_tokens": 5, "messages": []}, "anthropic_version: Field required"),
        (HAIKU, CLAUDE_BODY | {"stream": True}, "stream: Extra inputs are not permitted"),
        (HAIKU, CLAUDE_BODY | {"max_tokens": 64_001},
         "max_tokens: 64001 > 64000, which is the maximum allowed number of output tokens for "
         "claude-haiku-4-5-20251001"),
        (HAIKU, CLAUDE_BODY | {"top_p": 0.5},
         "`temperature` and `top_p` cannot both be specified for this model. Please use only one."),
        ("us.anthropic.claude-sonnet-5", CLAUDE_BODY, "`temperature` is deprecated for this model."),
        (HAIKU, CLAUDE_BODY | {"messages": []}, "messages: at least one message is required"),
        (NOVA, {**NOVA_BODY, "temperature": 1},
         "Malformed input request: #: extraneous key [temperature] is not permitted, please reformat your "
         "input and try again."),
        (NOVA, {**NOVA_BODY, "inferenceConfig": {"topP": "1"}},
         "Malformed input request: #/inferenceConfig/topP: expected type: Number, found: String, please "
         "reformat your input and try again."),
        (NOVA, {"inferenceConfig": {}},
         "Malformed input request: #: required key [messages] not found, please reformat your input and "
         "try again."),
        (NOVA, [], "Malformed input request: #: expected type: JSONObject, found: JSONArray, please "
         "reformat your input and try again."),
        (EMBED, {"inputText": "a", "dimensions": 384},
         "Malformed input request: #/dimensions: 384 is not a valid enum value, please reformat your input "
         "and try again."),
    ],
)  # fmt: skip
def test_malformed_bodies(client, model, body, message):
    given = {"modelId": model, "body": json.dumps(body)}
    assert refusal(client.invoke_model, **given) == (400, "ValidationException", message)


def test_a_body_that_is_no_json(client):
    assert refusal(client.invoke_model, modelId=NOVA, body=b"{") == (
        400, "ValidationException",
        "Malformed input request, please reformat your input and try again.",
    )  # fmt: skip


def test_embeddings_in_every_size_keep_what_is_near(client):
    def vectors(dimensions):
        texts = ("A cat sleeps on the sofa.", "The kitten is napping.", "Interest rates rise.")
        found = []
        for text in texts:
            answer, _ = invoke(client, EMBED, {"inputText": text, "dimensions": dimensions})
            assert len(answer["embedding"]) == dimensions
            assert answer["embeddingsByType"] == {"float": answer["embedding"]}
            assert math.isclose(np.linalg.norm(answer["embedding"]), 1, abs_tol=1e-4)
            found.append(answer["embedding"])
        return np.array(found)

    for dimensions in (1024, 512, 256):
        near, far = (vectors(dimensions) @ vectors(dimensions).T)[0, 1:]
        assert near > far + 0.2
    answer, _ = invoke(client, EMBED, {"inputText": "one two", "embeddingTypes": ["binary"]})
    assert "embedding" not in answer
    assert set(answer["embeddingsByType"]["binary"]) == {0, 1}
    assert answer["inputTextTokenCount"] == 2
    given = {"modelId": EMBED, "body": json.dumps({"inputText": "a"})}
    assert refusal(client.invoke_model_with_response_stream, **given)[:2] == (
        400, "ValidationException",
    )  # fmt: skip


def test_the_end_of_a_long_text_counts(client):
    def vector(text):
        return np.array(invoke(client, EMBED, {"inputText": text})[0]["embedding"])

    much, question = "A cold start is slow. " * 60, vector("Who keeps bees on the roof?")
    end = "Amina keeps bees on the roof. " * 10
    assert question @ vector(much + end) > question @ vector(much) + 0.1


def test_a_picture_model_is_in_one_region_and_takes_no_steps(client, local_cloud):
    given = {"modelId": PICTURE, "body": json.dumps({"prompt": "a red circle", "steps": 30})}
    assert refusal(client.invoke_model, **given)[2] == "The provided model identifier is invalid."
    assert refusal(runtime(local_cloud, "us-west-2").invoke_model, **given)[2] == (
        "Malformed input request: #: extraneous key [steps] is not permitted, please reformat your input "
        "and try again."
    )


def test_tokens_are_counted_before_they_are_paid_for(client):
    messages = [{"role": "user", "content": [{"text": QUESTION}]}]
    by_converse = client.count_tokens(modelId=HAIKU, input={"converse": {"messages": messages}})
    body = json.dumps(CLAUDE_BODY).encode()
    by_body = client.count_tokens(modelId=HAIKU, input={"invokeModel": {"body": body}})
    answer, _ = invoke(client, HAIKU, CLAUDE_BODY)
    assert by_converse["inputTokens"] == by_body["inputTokens"] == answer["usage"]["input_tokens"]


def test_permissions_name_the_model(client, local_cloud):
    arn = f"arn:aws:bedrock:us-east-1::foundation-model/{NOVA}"
    person = Person(
        local_cloud, "asker", {"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": arn}
    )
    theirs = person.client("bedrock-runtime")
    assert theirs.converse(
        modelId=NOVA,
        messages=[{"role": "user", "content": [{"text": QUESTION}]}],
        inferenceConfig={"maxTokens": 1},
    )["usage"]
    invoke(theirs, NOVA, NOVA_BODY)
    given = {"modelId": "amazon.nova-lite-v1:0", "body": json.dumps(NOVA_BODY)}
    status, code, message = refusal(theirs.invoke_model, **given)
    assert (status, code) == (403, "AccessDeniedException")
    assert "bedrock:InvokeModel on resource: " + arn.replace("micro", "lite") in message
    # A stream is another action.
    given = {"modelId": NOVA, "body": json.dumps(NOVA_BODY)}
    assert (
        "bedrock:InvokeModelWithResponseStream"
        in refusal(theirs.invoke_model_with_response_stream, **given)[2]
    )


def page(cloud, name, **asked):
    request = urllib.request.Request(
        f"{cloud.endpoint_url}/_localcloud/language-model/{name}", json.dumps(asked).encode()
    )
    with urllib.request.urlopen(request, timeout=100) as answer:
        return json.load(answer)


def test_the_tokens_of_a_text(local_cloud):
    text = "Größe 42: unbelievable"
    tokens = page(local_cloud, "tokens", text=text)["tokens"]
    assert "".join(token["text"] for token in tokens) == text
    assert [token["text"] for token in tokens if token["text"].isdigit()] == ["4", "2"]


def test_what_comes_next_under_temperature_and_top_p(local_cloud):
    def likely(**options):
        asked = {"text": "The capital of France is", "limit": 1000, **options}
        answer = page(local_cloud, "distribution", **asked)
        tokens = answer["tokens"]
        shares = [token["probability"] for token in tokens]
        assert shares == sorted(shares, reverse=True)
        assert math.isclose(sum(shares) + answer["remaining"], 1, abs_tol=1e-9)
        return tokens

    cool, warm, hot = (likely(temperature=value)[0] for value in (0.2, 1, 2))
    assert cool["text"] == warm["text"] == " Paris"
    assert cool["probability"] > 0.99 > warm["probability"] > 0.5 > hot["probability"]
    # Temperature is an exponent: the ratio of two tokens at 2 is the root of that at 1.
    first, second = likely(temperature=1)[:2]
    ratio = first["probability"] / second["probability"]
    first, second = likely(temperature=2)[:2]
    assert math.isclose(ratio**0.5, first["probability"] / second["probability"], rel_tol=1e-6)
    assert len(likely(top_p=0.5)) == 1
    assert len(likely(top_k=5)) == 5


@pytest.mark.parametrize(
    ("name", "asked"), [("tokens", {}), ("distribution", {"text": "a", "temperature": -1})]
)
def test_a_page_that_is_asked_wrongly(local_cloud, name, asked):
    with pytest.raises(urllib.error.HTTPError) as caught:
        page(local_cloud, name, **asked)
    with caught.value as error:
        assert error.code == 400
        assert "must be" in json.load(error)["message"]
