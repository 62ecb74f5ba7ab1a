"""The router that chooses a tool for a request and reads its parameters out of the text."""

import pytest

from localcloud.foundation_models.tool_router import choose_tool


def tool(name, description, required=(), **properties):
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return {"toolSpec": {"name": name, "description": description, "inputSchema": {"json": schema}}}


TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
TOOLS = [
    tool(
        "resize_image", "Makes a smaller copy of an image in a bucket.", ["key", "width"],
        bucket=TEXT, key={"type": "string", "description": "the name of the image"},
        width={"type": "integer", "description": "in pixels"}, height=WHOLE,
        format={"type": "string", "enum": ["JPEG", "PNG", "WEBP"]}, crop={"type": "boolean"},
    ),
    tool(
        "get_weather", "Get the current weather in a given location", ["location"],
        location={"type": "string", "description": "The city"},
        unit={"type": "string", "enum": ["celsius", "fahrenheit"], "default": "celsius"},
    ),
    tool("orderStatus", "Look up the status of an order by its number.", ["orderId"], orderId=TEXT),
    tool("search_notes", "Searches the course notes for an answer.", ["question"], question=TEXT),
]  # fmt: skip


def said(*texts):
    """A conversation that begins with the user."""
    roles = ("user", "assistant")
    return [{"role": roles[n % 2], "content": [{"text": text}]} for n, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("request_text", "name", "given"),
    [
        (
            "Make a thumbnail of cat.jpg that is 200 pixels wide",
            "resize_image", {"key": "cat.jpg", "width": 200},
        ),
        (
            "Please resize photos/dog.png in the bucket my-photos to 300x200 as WEBP without crop",
            "resize_image",
            {
                "bucket": "my-photos", "key": "photos/dog.png", "width": 300, "height": 200,
                "format": "WEBP", "crop": False,
            },
        ),
        (
            "Shrink the image 'my cat.png' to a height of 50 and a width of 70 pixels, crop it",
            "resize_image", {"key": "my cat.png", "width": 70, "height": 50, "crop": True},
        ),
        (
            "What is the weather like in San Francisco?",
            "get_weather", {"location": "San Francisco", "unit": "celsius"},
        ),
        (
            "Is it raining in Paris? In fahrenheit please",
            "get_weather", {"location": "Paris", "unit": "fahrenheit"},
        ),
        ("Where is my order 4711-A?", "orderStatus", {"orderId": "4711-A"}),
        (
            "What do the notes say about cold starts?",
            "search_notes", {"question": "What do the notes say about cold starts?"},
        ),
    ],
)  # fmt: skip
def test_a_request_finds_its_tool_and_its_parameters(request_text, name, given):
    chosen = choose_tool(said(request_text), TOOLS)
    assert (chosen.name, chosen.input) == (name, given)


@pytest.mark.parametrize(
    "request_text",
    ["Hello, how are you?", "Tell me a joke", "Write a poem about the sea", "Thank you very much!"],
)
def test_small_talk_calls_no_tool(request_text):
    assert choose_tool(said(request_text), TOOLS) is None


def test_what_is_missing_is_asked_for_and_the_answer_completes_the_call():
    asked = choose_tool(said("Shrink the picture"), TOOLS)
    assert asked.name is None
    assert asked.words == "To call resize_image I need: key, width."
    chosen = choose_tool(said("Shrink the picture", asked.words, "cat.jpg, width 50"), TOOLS)
    assert (chosen.name, chosen.input) == ("resize_image", {"key": "cat.jpg", "width": 50})


def test_a_result_calls_no_further_tool():
    result = {"toolResult": {"toolUseId": "t", "content": [{"json": {"status": "sent"}}]}}
    messages = said("Where is my order 4711-A?", "I look.") + [
        {"role": "user", "content": [result]}
    ]
    assert choose_tool(messages, TOOLS) is None


def test_a_tool_can_be_forced():
    chosen = choose_tool(said("Hello 77-B"), TOOLS, {"tool": {"name": "orderStatus"}})
    assert (chosen.name, chosen.input) == ("orderStatus", {"orderId": "77-B"})
    assert choose_tool(said("Hello"), TOOLS, {"any": {}}).name is not None


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "number"}, "set it to 2.5", 2.5),
        ({"type": "integer"}, "set it to 2,500", 2500),
        ({"type": "integer"}, "set it to 2.5", None),
        ({"type": "string", "pattern": "^[A-Z]{3}-\\d+$"}, "the ticket ABC-123, please", "ABC-123"),
        ({"type": "array", "items": {"type": "integer"}}, "for 1, 2 and 3", [1, 2, 3]),
        (
            {"type": "array", "items": {"enum": ["red", "green", "blue"]}},
            "in green and red", ["red", "green"],
        ),
        ({"const": "v1"}, "anything", "v1"),
        ({"type": "boolean"}, "anything", None),
    ],
    ids=str,
)  # fmt: skip
def test_values_have_the_types_of_the_schema(schema, text, value):
    tools = [tool("set_value", "Sets it.", value=schema)]
    given = choose_tool(said(text), tools, {"any": {}}).input
    assert given == ({} if value is None else {"value": value})
