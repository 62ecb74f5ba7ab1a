"""Odd requests to Bedrock: none is answered as if it were another, and none is a fault of the server's."""

import contextlib
import json
import urllib.error
import urllib.request

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from bedrock import HAIKU, NOVA, said, turn
from refusals import refusal

ASKED = [turn("What is the capital of France?")]
HALF_CHARACTER = "\ud83d"


@pytest.fixture(scope="module")
def client(local_cloud):
    # What boto3 would refuse itself reaches the server.
    return local_cloud.session().client(
        "bedrock-runtime",
        endpoint_url=local_cloud.endpoint_url,
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )


def tools(schema, *names, **more):
    """A toolConfig of tools with one schema."""
    made = [
        {"toolSpec": {"name": name, "inputSchema": {"json": schema}}} for name in names or ["look"]
    ]
    return {"toolConfig": {"tools": made, **more}}


def user(*blocks):
    return {"messages": [{"role": "user", "content": list(blocks)}]}


NOTE = {"document": {"name": "note", "format": "txt", "source": {"bytes": b"The word is heron."}}}
ANY = {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"messages": [*ASKED, turn("I think it is", "assistant")]},
         "The model that you are using requires the last turn in the conversation to be a user message. Add "
         "a user message to the conversation and try again."),
        (user(),
         "The content field in the Message object at messages.0 is empty. Add a ContentBlock object to the "
         "content field and try again."),
        (user({}), "The content block at messages.0.content.0 must have exactly one member, such as text"),
        (user({"text": "a", **NOTE}),
         "The content block at messages.0.content.0 must have exactly one member, such as text"),
        (user(NOTE), "A text block must be included when using documents."),
        (tools({"type": "array"}),
         "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: "
         "object."),
        (tools("anything"),
         "The format of the value at toolConfig.tools.0.toolSpec.inputSchema.json is invalid. Provide a json "
         "object for the field and try again."),
        (tools(ANY, "look", "look"), "toolConfig.tools has two tools of one name"),
        (tools(ANY, toolChoice={"tool": {"name": "hear"}}),
         "toolConfig.toolChoice names hear, which is none of toolConfig.tools"),
        ({"outputConfig": {}},
         "localcloud's language model writes free text alone: leave out outputConfig"),
        ({"additionalModelRequestFields": {"top_k": "many"}},
         "The model returned the following errors: top_k: Input should be a valid integer"),
        ({"modelId": f"arn:aws:bedrock:eu-west-1::foundation-model/{NOVA}"},
         "The provided model identifier is invalid."),
    ],
)  # fmt: skip
def test_converse_refuses(client, given, message):
    asked = {"modelId": NOVA, "messages": ASKED, **given}
    for operation in (client.converse, client.converse_stream):
        assert refusal(operation, **asked) == (400, "ValidationException", message)


def claude(**changes):
    turns = [{"role": "user", "content": "Hello"}]
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 2, "messages": turns}
    return HAIKU, body | changes


def nova(**changes):
    return NOVA, {"messages": ASKED} | changes


def malformed(problem):
    return f"Malformed input request: {problem}, please reformat your input and try again."


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (claude(stop_sequences="end"), "stop_sequences: Input should be a valid list"),
        (claude(stop_sequences=[1]), "stop_sequences.0: Input should be a valid string"),
        (claude(stop_sequences=[""]), "stop_sequences: each stop sequence must contain non-whitespace"),
        (claude(top_k=1.5), "top_k: Input should be a valid integer"),
        (claude(system=" "), "messages: text content blocks must contain non-whitespace text"),
        (claude(messages=[{"role": "user", "content": []}]),
         "messages.0: user messages must have non-empty content"),
        (claude(messages=[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]),
         "This model does not support assistant message prefill. The conversation must end with a user "
         "message."),
        (claude(thinking={"type": "enabled", "budget_tokens": 1024}),
         "localcloud's language model doesn't think before it answers: leave out thinking"),
        (claude(thinking="hard"),
         "localcloud's language model doesn't think before it answers: leave out thinking"),
        (claude(messages=[{"role": "user", "content": HALF_CHARACTER}]),
         "Malformed input request, please reformat your input and try again."),
        (nova(inferenceConfig={"stopSequences": ["a", 2]}),
         malformed("#/inferenceConfig/stopSequences/1: expected type: String, found: Integer")),
        (nova(inferenceConfig={"stopSequences": [""]}),
         malformed("#/inferenceConfig/stopSequences/0: expected minLength: 1, actual: 0")),
        (nova(messages=[{"role": "user", "content": []}]),
         malformed("#/messages/0/content: expected minimum item count: 1, found: 0")),
        (nova(toolConfig={"tools": []}),
         "localcloud calls tools through Converse alone; use its toolConfig"),
    ],
)  # fmt: skip
def test_invoke_model_refuses(client, asked, message):
    model, body = asked
    given = {"modelId": model, "body": json.dumps(body)}
    for operation in (client.invoke_model, client.invoke_model_with_response_stream):
        assert refusal(operation, **given) == (400, "ValidationException", message)


def test_half_a_character_is_no_text(client):
    status, code, message = refusal(
        client.converse, modelId=NOVA, messages=[turn(f"Hello {HALF_CHARACTER}")]
    )
    assert (status, code) == (400, "SerializationException")
    assert message.startswith("The request body is not JSON in UTF-8: ")


@pytest.mark.parametrize(
    ("stop", "text"),
    [("pita", "The ca"), ("l of Fr", "The capita"), ("The", ""), ("Lyon", None)],
    ids=["in a token", "over three", "the first", "never"],
)
def test_a_stop_sequence_cuts_wherever_tokens_end(client, stop, text):
    def ask(**config):
        asked = {"maxTokens": 20, "temperature": 0, **config}
        return {"modelId": NOVA, "messages": ASKED, "inferenceConfig": asked}

    whole = said(client.converse(**ask()))
    answer = client.converse(**ask(stopSequences=[stop]))
    assert said(answer) == (whole if text is None else text)
    assert answer["stopReason"] == ("end_turn" if text is None else "stop_sequence")
    events = list(client.converse_stream(**ask(stopSequences=[stop]))["stream"])
    pieces = [e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e]
    assert "".join(pieces) == said(answer)


def test_characters_of_several_tokens_come_whole(client):
    asked = {"modelId": NOVA, "messages": [turn("Repeat: 👋🏽 Grüße, 日本")]}
    config = {"maxTokens": 16, "temperature": 0}
    whole = said(client.converse(**asked, inferenceConfig=config))
    events = client.converse_stream(**asked, inferenceConfig=config)["stream"]
    pieces = [e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e]
    assert "".join(pieces) == whole
    assert not any("\N{REPLACEMENT CHARACTER}" in piece for piece in pieces[:-1])


@pytest.mark.parametrize("key", ["ABSKQmVkcm9ja0FQSUtleS0x", "bedrock-api-key-YmVkcm9jaw=="])
def test_an_api_key_is_refused_in_words(local_cloud, key):
    request = urllib.request.Request(
        f"{local_cloud.endpoint_url}/model/{NOVA}/converse",
        json.dumps({"messages": ASKED}).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    with caught.value as error:
        assert error.code == 403
        assert "localcloud takes no API keys of Bedrock" in json.load(error)["Message"]


@pytest.mark.parametrize(
    ("service", "call", "given"),
    [
        ("bedrock", "list_foundation_models", {}),
        ("bedrock-runtime", "count_tokens", {
            "modelId": "amazon.nova-lite-v1:0",
            "input": {"converse": {"messages": [{"role": "user", "content": [{"text": "a"}]}]}},
        }),
        ("bedrock-agent", "list_agents", {}),
        ("bedrock-agent-runtime", "retrieve", {
            "knowledgeBaseId": "ABCDEFGHIJ", "retrievalQuery": {"text": "a"},
        }),
    ],
)  # fmt: skip
def test_a_client_of_the_cloud_leaves_an_api_key_alone(
    local_cloud, monkeypatch, service, call, given
):
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-c2VjcmV0")
    headers = []
    for config in (None, Config(signature_version=UNSIGNED)):
        client = local_cloud.client(service, config=config)
        client.meta.events.register(
            "before-send", lambda request, **_: headers.append(request.headers)
        )
        with contextlib.suppress(ClientError):
            getattr(client, call)(**given)
    assert b"AWS4-HMAC-SHA256 Credential=test/" in headers[0]["Authorization"]
    assert "Authorization" not in headers[-1]
