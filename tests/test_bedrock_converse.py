"""Converse and ConverseStream: a real language model answers, by each model's rules."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import EventStreamError

from bedrock import HAIKU, NOVA, change, changed, runtime, said, turn
from deployment import deploy, invoke
from refusals import refusal

STORY = [turn("Tell me a long story about a lighthouse.")]
FRANCE = [turn("What is the capital of France?")]


@pytest.fixture(scope="module")
def client(local_cloud):
    return runtime(local_cloud)


def ask(client, messages=FRANCE, model=NOVA, **config):
    return client.converse(
        modelId=model, messages=messages, inferenceConfig={"temperature": 0, **config}
    )


def test_an_answer_with_its_counts(client):
    answer = ask(client)
    assert "Paris" in said(answer)
    assert answer["stopReason"] == "end_turn"
    usage = answer["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    assert 5 <= usage["outputTokens"] <= 20
    assert answer["metrics"]["latencyMs"] > 0
    # It says twice that it is not Nova.
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    told = f"SmolLM2-135M-Instruct on this computer, not {NOVA}"
    assert headers["x-localcloud-answered-by"] == told
    assert answer["additionalModelResponseFields"] == {"localcloud_answered_by": told}


def test_input_is_counted_exactly(client):
    def count(text):
        return ask(client, [turn(text)], maxTokens=1)["usage"]["inputTokens"]

    assert count("one two three four") - count("one two three") == 1
    system = client.converse(
        modelId=NOVA,
        system=[{"text": "Answer."}],
        messages=FRANCE,
        inferenceConfig={"maxTokens": 1},
    )
    assert system["usage"]["inputTokens"] < ask(client, maxTokens=1)["usage"]["inputTokens"]


def test_greedy_answers_repeat_and_hot_ones_differ(client):
    assert said(ask(client, STORY, maxTokens=25)) == said(ask(client, STORY, maxTokens=25))
    hot = {said(ask(client, STORY, maxTokens=12, temperature=1)) for _ in range(4)}
    assert len(hot) > 1


def test_a_seed_repeats_the_sequence_of_answers(client, local_cloud):
    def three():
        change(local_cloud, bedrock_seed=7)
        return [said(ask(client, STORY, maxTokens=8, temperature=1)) for _ in range(3)]

    with changed(local_cloud, bedrock_seed=7):
        first, second = three(), three()
    assert first == second
    assert len(set(first)) > 1


def test_top_p_and_top_k_cut_the_tail(client):
    greedy = said(ask(client, STORY, maxTokens=12))
    narrow = ask(client, STORY, maxTokens=12, temperature=1, topP=0.000001)
    assert said(narrow) == greedy
    one = client.converse(
        modelId=NOVA,
        messages=STORY,
        inferenceConfig={"temperature": 1, "maxTokens": 12},
        additionalModelRequestFields={"inferenceConfig": {"topK": 1}},
    )
    assert said(one) == greedy


def test_stop_reasons(client):
    cut = ask(client, STORY, maxTokens=5)
    assert (cut["stopReason"], cut["usage"]["outputTokens"]) == ("max_tokens", 5)
    stopped = ask(client, FRANCE, stopSequences=["Paris"])
    assert stopped["stopReason"] == "stop_sequence"
    whole = said(ask(client))
    assert said(stopped) == whole[: whole.index("Paris")]


def test_a_stream_has_the_same_answer_in_order(client):
    stream = client.converse_stream(
        modelId=NOVA, messages=FRANCE, inferenceConfig={"temperature": 0}
    )
    events = list(stream["stream"])
    kinds = [next(iter(event)) for event in events]
    deltas = [event for event in events if "contentBlockDelta" in event]
    assert kinds[0] == "messageStart"
    assert kinds[1:-3] == ["contentBlockDelta"] * len(deltas)
    assert kinds[-3:] == ["contentBlockStop", "messageStop", "metadata"]
    texts = [event["contentBlockDelta"]["delta"]["text"] for event in deltas]
    whole = ask(client)
    assert "".join(texts) == said(whole)
    assert len(texts) > 3
    assert events[-2]["messageStop"]["stopReason"] == "end_turn"
    assert events[-1]["metadata"]["usage"] == whole["usage"]
    assert "SmolLM2" in stream["ResponseMetadata"]["HTTPHeaders"]["x-localcloud-answered-by"]


@pytest.fixture
def long_stream(client):
    """Begins streams that have much to say; gives each and the events that are still to come."""
    streams = []

    def begin():
        streams.append(_long_stream(client))
        return streams[-1]

    yield begin
    for stream, _ in streams:
        stream.close()


def _long_stream(client):
    stream = client.converse_stream(
        modelId=NOVA, messages=STORY, inferenceConfig={"maxTokens": 3000, "temperature": 1}
    )["stream"]
    events = iter(stream)
    assert "messageStart" in next(events)
    assert "contentBlockDelta" in next(events)
    return stream, events


def test_tokens_come_while_the_answer_grows_and_an_error_can_end_it(
    client, local_cloud, long_stream
):
    _, events = long_stream()
    # The answer is not ready: what is set now ends it.
    with (
        changed(local_cloud, bedrock_break_answer_after=1),
        pytest.raises(EventStreamError) as caught,
    ):
        list(events)
    assert caught.value.response["Error"]["Code"] == "modelStreamErrorException"
    with changed(local_cloud, bedrock_break_answer_after=3):
        status, code, _ = refusal(client.converse, modelId=NOVA, messages=STORY)
    assert (status, code) == (424, "ModelErrorException")


def test_a_short_question_is_answered_before_a_long_one_that_came_first(
    client, local_cloud, long_stream
):
    _, events = long_stream()
    assert "Paris" in said(ask(client))
    deploy(local_cloud, "meanwhile", "def handler(event, context): return 'here'\n")
    assert invoke(local_cloud, "meanwhile")[0] == "here"
    with changed(local_cloud, bedrock_break_answer_after=1), pytest.raises(EventStreamError):
        list(events)


def test_who_leaves_makes_room_for_others(client, long_stream):
    # Eight answers at most are in the making: these would take minutes.
    for stream, _ in [long_stream() for _ in range(8)]:
        stream.close()
    assert "Paris" in said(ask(client))


def test_many_at_once_get_their_own_answers(client):
    numbers = range(4)

    def echo(number):
        return said(ask(client, [turn(f"Repeat the number {number}{number}.")], maxTokens=12))

    with ThreadPoolExecutor(len(numbers)) as pool:
        answers = list(pool.map(echo, numbers))
    assert answers == [echo(number) for number in numbers]


ONE_TURN = {"messages": FRANCE}


@pytest.mark.parametrize(
    ("model", "parameters", "status", "code", "message"),
    [
        ("amazon.nova-nano-v1:0", {}, 400, "ValidationException",
         "The provided model identifier is invalid."),
        ("eu.amazon.nova-micro-v1:0", {}, 400, "ValidationException",
         "The provided model identifier is invalid."),
        (HAIKU.removeprefix("us."), {}, 400, "ValidationException",
         "Invocation of model ID anthropic.claude-haiku-4-5-20251001-v1:0 with on-demand throughput "
         "isn’t supported. Retry your request with the ID or ARN of an inference profile that contains "
         "this model."),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", {}, 404, "ResourceNotFoundException",
         "Access denied. This Model is marked by provider as Legacy and you have not been actively using "
         "the model in the last 30 days. Please upgrade to an active model on Amazon Bedrock"),
        ("anthropic.claude-3-haiku-20240307-v1:0", {}, 404, "ResourceNotFoundException",
         "This model version has reached the end of its life. Please refer to the AWS documentation for "
         "more details."),
        (HAIKU, {"inferenceConfig": {"temperature": 0.5, "topP": 0.5}}, 400, "ValidationException",
         "The model returned the following errors: `temperature` and `top_p` cannot both be specified for "
         "this model. Please use only one."),
        ("us.anthropic.claude-haiku-5-5", {"inferenceConfig": {"temperature": 0.5}}, 400,
         "ValidationException",
         "The model returned the following errors: `temperature` is deprecated for this model."),
        (NOVA, {"inferenceConfig": {"maxTokens": 20_000}}, 400, "ValidationException",
         "The maximum tokens you requested exceeds the model limit of 10000. Try again with a maximum "
         "tokens value that is lower than 10000."),
        (NOVA, {"inferenceConfig": {"temperature": 1.5}}, 400, "ValidationException",
         "1 validation error detected: Value '1.5' at 'inferenceConfig.temperature' failed to satisfy "
         "constraint: Member must have value less than or equal to 1"),
        (NOVA, {"messages": []}, 400, "ValidationException",
         "A conversation must start with a user message. Try again with a conversation that starts with a "
         "user message."),
        (NOVA, {"messages": [turn("a"), turn("b")]}, 400, "ValidationException",
         "A conversation must alternate between user and assistant roles. Make sure the conversation "
         "alternates between user and assistant roles and try again."),
        (NOVA, {"messages": [turn(" ")]}, 400, "ValidationException",
         "The text field in the ContentBlock object at messages.0.content.0 is blank. Add text to the text "
         "field, and try again."),
        (NOVA, {"messages": [turn("word " * 5000)]}, 400, "ValidationException",
         "Input is too long for requested model."),
    ],
)  # fmt: skip
def test_refusals(client, model, parameters, status, code, message):
    for operation in (client.converse, client.converse_stream):
        given = {**ONE_TURN, **parameters}
        assert refusal(operation, modelId=model, **given) == (status, code, message)


def test_a_temperature_of_one_is_let_through(client):
    answer = ask(client, model="us.anthropic.claude-haiku-5-5", temperature=1, maxTokens=2)
    assert answer["usage"]["outputTokens"] == 2


def test_what_the_model_cannot_read_is_said(client):
    picture = {"image": {"format": "png", "source": {"bytes": b"x"}}}
    message = {"role": "user", "content": [{"text": "What is this?"}, picture]}
    status, code, text = refusal(client.converse, modelId=NOVA, messages=[message])
    assert (status, code) == (400, "ValidationException")
    assert text == (
        "localcloud's language model reads text alone; it can't read the image block at "
        "messages.0.content.1"
    )
    note = {"name": "note", "format": "txt", "source": {"bytes": b"The code word is heron."}}
    message["content"][1] = {"document": note}
    assert ask(client, [message], maxTokens=3)["usage"]["outputTokens"] == 3


TOO_MANY_REQUESTS = (
    429, "ThrottlingException", "Too many requests, please wait before trying again.",
)  # fmt: skip


def test_request_quota_of_each_model_and_region(client, local_cloud):
    lite = "us.amazon.nova-lite-v1:0"  # which no other test has used
    west = runtime(local_cloud, "us-west-2")
    with changed(local_cloud, bedrock_requests_per_minute=1):
        assert refusal(client.converse, modelId=NOVA, messages=FRANCE) == TOO_MANY_REQUESTS
        for each in (client, west):
            assert ask(each, model=lite, maxTokens=1)["usage"]["outputTokens"] == 1
            assert refusal(each.converse, modelId=lite, messages=FRANCE) == TOO_MANY_REQUESTS


@pytest.mark.parametrize(
    ("model", "burndown"),  # which no other test has used
    [("us.anthropic.claude-sonnet-4-6", 5), ("amazon.nova-pro-v1:0", 1)],
)
def test_token_quota_reserves_max_tokens_and_burns_output(client, local_cloud, model, burndown):
    def try_with(maximum):
        return ask(client, model=model, maxTokens=maximum)["usage"]

    with changed(local_cloud, bedrock_tokens_per_minute=400):
        assert refusal(try_with, maximum=400)[1:] == (
            "ThrottlingException", "Too many tokens, please wait before trying again.",
        )  # fmt: skip
        usage = try_with(10)
        used = usage["inputTokens"] + burndown * usage["outputTokens"]
        # What is left is just enough once, input included; a token more is too many.
        left = 400 - used - usage["inputTokens"]
        assert refusal(try_with, maximum=left + 1)[0] == 429
        assert try_with(left)["outputTokens"] > 0


TOOLS = {
    "tools": [
        {
            "toolSpec": {
                "name": "resize_picture",
                "description": "Makes a picture smaller. Takes the picture's key and a width in pixels.",
                "inputSchema": {
                    "json": {
                        "type": "object",
                        "properties": {"key": {"type": "string"}, "width": {"type": "integer"}},
                        "required": ["key", "width"],
                    }
                },
            }
        }
    ]
}


def test_a_tool_is_called_and_its_result_put_in_words(client):
    messages = [turn("Please make the picture cat.jpg 200 pixels wide.")]
    answer = client.converse(modelId=NOVA, messages=messages, toolConfig=TOOLS)
    assert answer["stopReason"] == "tool_use"
    message = answer["output"]["message"]
    use = message["content"][-1]["toolUse"]
    assert (use["name"], use["input"]) == ("resize_picture", {"key": "cat.jpg", "width": 200})
    assert "router" in answer["additionalModelResponseFields"]["localcloud_answered_by"]

    stream = client.converse_stream(modelId=NOVA, messages=messages, toolConfig=TOOLS)["stream"]
    events = list(stream)
    deltas = [
        event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event
    ]
    assert json.loads(deltas[-1]["toolUse"]["input"]) == use["input"]
    assert events[-2]["messageStop"]["stopReason"] == "tool_use"

    result = {"toolUseId": use["toolUseId"], "content": [{"json": {"width": 200, "height": 150}}]}
    messages += [message, {"role": "user", "content": [{"toolResult": result}]}]
    last = client.converse(
        modelId=NOVA, messages=messages, toolConfig=TOOLS, inferenceConfig={"maxTokens": 20}
    )
    assert last["stopReason"] in ("end_turn", "max_tokens")
    assert said(last)
    assert refusal(client.converse, modelId=NOVA, messages=messages)[2] == (
        "The toolConfig field must be defined when using toolUse and toolResult content blocks."
    )
    messages[-1] = turn("And?")
    assert refusal(client.converse, modelId=NOVA, messages=messages, toolConfig=TOOLS)[2] == (
        "Expected toolResult blocks at messages.2.content for the following Ids: "
        f"{use['toolUseId']}"
    )
