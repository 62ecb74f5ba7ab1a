"""What agents do in a turn: functions that Lambda or the caller runs, knowledge bases, traces, sessions."""

import json

import pytest
from botocore.exceptions import EventStreamError

from agents import STATUS, Agent, answer_text, deploy_orders, order_agent
from deployment import wait_for
from knowledge import DOCUMENTS, KnowledgeBase
from localcloud.foundation_models.agent_sessions import Sessions
from people import refusal


@pytest.fixture(scope="module")
def orders(local_cloud):
    """A function that knows orders; its ARN."""
    return deploy_orders(local_cloud)


@pytest.fixture(scope="module")
def agent(local_cloud, orders):
    """An agent with the function as its action group."""
    return order_agent(local_cloud, orders)


def test_an_agent_calls_the_function_and_words_what_it_says(agent):
    events = agent.ask("Where is my order 4711-A?", enableTrace=True, session="calls")
    assert answer_text(events)
    parts = [
        (name, part)
        for event in events
        if "trace" in event
        for name, part in event["trace"]["trace"]["orchestrationTrace"].items()
    ]
    names = [name for name, _ in parts]
    assert names == ["rationale", "invocationInput", "observation", "observation"]
    asked = parts[1][1]["actionGroupInvocationInput"]
    assert asked["executionType"] == "LAMBDA"
    assert (asked["actionGroupName"], asked["function"]) == ("orders", "order_status")
    assert asked["parameters"] == [{"name": "orderId", "type": "string", "value": "4711-A"}]
    output = parts[2][1]["actionGroupInvocationOutput"]
    assert output["text"] == "Order 4711-A was sent on Monday."
    assert parts[3][1]["finalResponse"]["text"] == answer_text(events)
    assert len({part["traceId"] for _, part in parts}) == 1


def test_the_function_gets_the_event_of_the_user_guide(local_cloud, agent, orders):
    agent.ask(
        "Where is my order 99-B?", session="event",
        sessionState={"sessionAttributes": {"customer": "ada"}},
    )  # fmt: skip
    logs = local_cloud.client("logs")

    def seen():
        found = logs.filter_log_events(logGroupName="/aws/lambda/orders", filterPattern='"99-B"')
        return [json.loads(event["message"]) for event in found["events"]]

    (event,) = wait_for(seen)
    assert event["messageVersion"] == "1.0"
    assert event["agent"] == {
        "name": agent.name, "id": agent.id, "alias": "TSTALIASID", "version": "DRAFT",
    }  # fmt: skip
    assert event["inputText"] == "Where is my order 99-B?"
    assert event["sessionId"] == "event"
    assert (event["actionGroup"], event["function"]) == ("orders", "order_status")
    assert event["parameters"] == [{"name": "orderId", "type": "string", "value": "99-B"}]
    assert event["sessionAttributes"] == {"customer": "ada"}
    assert event["promptSessionAttributes"] == {}


def test_without_a_trace_none_is_sent(agent):
    events = agent.ask("Where is my order 4711-A?", session="quiet")
    assert [list(event) for event in events] == [["chunk"]]


def test_a_missing_parameter_is_asked_for(agent):
    assert "orderId" in answer_text(agent.ask("Where is my order?", session="asks"))
    events = agent.ask("It is 12-C", session="asks", enableTrace=True)
    assert "12-C" in str(events)
    assert "was sent on Monday" in str(events)


@pytest.mark.parametrize(
    ("order", "words"),
    [("0-CRASH", "the database is gone"), ("0-ODD", "error processing the Lambda response")],
)
def test_a_function_that_fails_ends_the_stream_with_an_exception(agent, order, words):
    with pytest.raises(EventStreamError) as caught:
        agent.ask(f"Where is my order {order}?", session=order)
    error = caught.value.response["Error"]
    assert error["Code"] == "dependencyFailedException"
    assert words in error["Message"]


def test_a_function_must_let_bedrock_in(local_cloud, orders):
    stranger = Agent(local_cloud).group({"lambda": orders}, functionSchema=STATUS)
    with pytest.raises(EventStreamError) as caught:
        stranger.ask("Where is my order 4711-A?")
    assert caught.value.response["Error"]["Code"] == "accessDeniedException"


def test_the_role_must_be_allowed_to_invoke_the_model(local_cloud, orders):
    poor = Agent(local_cloud, {"Action": "s3:GetObject", "Resource": "*"})
    poor.group({"lambda": orders}, functionSchema=STATUS)
    code, message, status = refusal(
        poor.runtime.invoke_agent, agentId=poor.id, agentAliasId="TSTALIASID", sessionId="poor",
        inputText="Hello",
    )  # fmt: skip
    assert (code, status) == ("AccessDeniedException", 403)
    assert "Check your request permissions" in message


def test_control_returns_to_the_caller_and_the_results_are_worded(local_cloud):
    agent = Agent(local_cloud).group({"customControl": "RETURN_CONTROL"}, functionSchema=STATUS)
    (event,) = agent.ask("Where is my order 4711-A?")
    told = event["returnControl"]
    (invocation,) = told["invocationInputs"]
    asked = invocation["functionInvocationInput"]
    assert (asked["actionGroup"], asked["function"]) == ("orders", "order_status")
    assert asked["parameters"] == [{"name": "orderId", "type": "string", "value": "4711-A"}]
    result = {
        "functionResult": {
            "actionGroup": "orders",
            "function": "order_status",
            "responseBody": {"TEXT": {"body": "The order was lost."}},
        }
    }
    state = {
        "invocationId": told["invocationId"],
        "returnControlInvocationResults": [result],
    }
    events = agent.ask(sessionState=state, enableTrace=True)
    assert "The order was lost." in str([event for event in events if "trace" in event])
    assert answer_text(events)
    with pytest.raises(EventStreamError) as caught:  # a second time
        agent.ask(sessionState=state)
    assert caught.value.response["Error"]["Code"] == "validationException"


PETS = """
openapi: 3.0.0
paths:
  /pets/{petId}/weight:
    put:
      operationId: weighPet
      description: Note the weight of a pet.
      parameters:
        - {name: petId, in: path, required: true, schema: {type: string}}
      requestBody:
        content:
          application/json:
            schema: {$ref: '#/components/schemas/Weight'}
components:
  schemas:
    Weight:
      type: object
      required: [grams]
      properties:
        grams: {type: integer, description: the weight in grams}
"""


@pytest.mark.parametrize("place", ["payload", "s3"])
def test_an_api_schema_gives_paths_methods_and_bodies(local_cloud, place):
    agent = Agent(local_cloud, {"Action": ["bedrock:InvokeModel", "s3:GetObject"], "Resource": "*"})
    schema = {"payload": PETS}
    if place == "s3":
        s3 = local_cloud.client("s3")
        s3.create_bucket(Bucket="schemas")
        s3.put_object(Bucket="schemas", Key="pets.yaml", Body=PETS.encode())
        schema = {"s3": {"s3BucketName": "schemas", "s3ObjectKey": "pets.yaml"}}
    agent.group({"customControl": "RETURN_CONTROL"}, apiSchema=schema)
    (event,) = agent.ask("Note that the pet rex-1 weighs 4200 grams")
    asked = event["returnControl"]["invocationInputs"][0]["apiInvocationInput"]
    assert (asked["apiPath"], asked["httpMethod"]) == ("/pets/{petId}/weight", "PUT")
    assert asked["parameters"] == [{"name": "petId", "type": "string", "value": "rex-1"}]
    assert asked["requestBody"]["content"]["application/json"]["properties"] == [
        {"name": "grams", "type": "integer", "value": "4200"}
    ]


def test_a_knowledge_base_answers_with_citations(local_cloud):
    base = KnowledgeBase(local_cloud, DOCUMENTS)
    base.ingest()
    agent = Agent(local_cloud)
    agent.agents.associate_agent_knowledge_base(
        agentId=agent.id, agentVersion="DRAFT", knowledgeBaseId=base.id, description="facts"
    )
    agent.prepare()
    (event,) = agent.ask("How long does a cat sleep in a day?")
    assert "twelve to sixteen hours" in answer_text([event])
    (citation, *_) = event["chunk"]["attribution"]["citations"]
    assert citation["retrievedReferences"][0]["location"]["s3Location"]["uri"].endswith("cats.html")
    elsewhere = {"equals": {"key": "course", "value": "none of these"}}
    search = {"vectorSearchConfiguration": {"filter": elsewhere}}
    settings = {"knowledgeBaseId": base.id, "retrievalConfiguration": search}
    (event,) = agent.ask(
        "How long does a cat sleep in a day?", session="filtered",
        sessionState={"knowledgeBaseConfigurations": [settings]},
    )  # fmt: skip
    assert "Sorry" in answer_text([event])
    history = {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}
    _, message, status = refusal(
        agent.runtime.invoke_agent, agentId=agent.id, agentAliasId="TSTALIASID", sessionId="new",
        inputText="Hello", sessionState={"conversationHistory": history},
    )  # fmt: skip
    assert (status, message) == (400, "localcloud has no conversationHistory in sessionState")


def test_a_session_can_be_ended(agent):
    agent.ask("Where is my order?", session="ends")
    assert "terminated" in answer_text(agent.ask("Goodbye", session="ends", endSession=True))


def test_a_session_that_was_idle_for_too_long_begins_anew():
    sessions, made = Sessions(), {"agentArn": "arn"}
    session = sessions.open(made, "session", 60)
    session.add("user", "My order is 7-A.")
    assert sessions.open(made, "session", 60) is session
    assert sessions.open(made, "session", -1).messages == []
