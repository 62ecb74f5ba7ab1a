"""Agents: action groups done by Lambda functions or by the caller, knowledge bases, traces, versions."""

import contextlib
import json
import uuid

import pytest
from botocore.exceptions import EventStreamError

from deployment import deploy, wait_for
from knowledge import ANSWERS_WITH, DOCUMENTS, KnowledgeBase, client, service_role
from localcloud.foundation_models.agent_sessions import Sessions
from people import Person, refusal

INSTRUCTION = "You help the customers of a small shop with their orders and answer kindly."
ORDERS = """
import json

def handler(event, context):
    print(json.dumps(event))
    given = {each["name"]: each["value"] for each in event["parameters"]}
    if given.get("orderId") == "0-CRASH":
        raise RuntimeError("the database is gone")
    text = f"Order {given['orderId']} was sent on Monday."
    if given["orderId"] == "0-ODD":
        return {"hello": "world"}
    return {
        "messageVersion": "1.0",
        "response": {
            "actionGroup": event["actionGroup"],
            "function": event["function"],
            "functionResponse": {"responseBody": {"TEXT": {"body": text}}},
        },
        "sessionAttributes": {"seen": json.dumps(event)},
    }
"""
STATUS = {
    "functions": [
        {
            "name": "order_status",
            "description": "Look up the status of an order by its number.",
            "parameters": {
                "orderId": {"type": "string", "description": "the order's number", "required": True}
            },
        }
    ]
}


class Agent:
    """An agent that is being made."""

    def __init__(self, cloud, *statements):
        self.cloud = cloud
        self.agents = client(cloud, "bedrock-agent")
        self.runtime = client(cloud, "bedrock-agent-runtime")
        self.name = f"agent-{uuid.uuid4().hex[:12]}"
        allowed = statements or ({"Action": "bedrock:InvokeModel", "Resource": "*"},)
        self.role = service_role(cloud, self.name, *allowed)
        made = self.agents.create_agent(
            agentName=self.name,
            agentResourceRoleArn=self.role,
            foundationModel=ANSWERS_WITH.rpartition("/")[2],
            instruction=INSTRUCTION,
        )["agent"]
        self.id, self.arn = made["agentId"], made["agentArn"]

    def group(self, executor, **schema):
        """Add an action group and prepare the agent."""
        self.agents.create_agent_action_group(
            agentId=self.id, agentVersion="DRAFT", actionGroupName="orders",
            actionGroupExecutor=executor, **schema,
        )  # fmt: skip
        self.prepare()
        return self

    def prepare(self):
        """PrepareAgent."""
        self.agents.prepare_agent(agentId=self.id)

    def ask(self, text=None, alias="TSTALIASID", session="session", **more):
        """The events of one turn."""
        given = {"inputText": text} if text else {}
        answer = self.runtime.invoke_agent(
            agentId=self.id, agentAliasId=alias, sessionId=session, **given, **more
        )
        headers = answer["ResponseMetadata"]["HTTPHeaders"]
        assert headers["x-localcloud-answered-by"].startswith("a router that picks actions")
        with contextlib.closing(answer["completion"]) as events:
            return list(events)


def texts(events):
    return "".join(event["chunk"]["bytes"].decode() for event in events if "chunk" in event)


def allow_bedrock(cloud, name, agent):
    cloud.client("lambda").add_permission(
        FunctionName=name, StatementId=f"bedrock-{agent.id}", Action="lambda:InvokeFunction",
        Principal="bedrock.amazonaws.com", SourceArn=agent.arn,
    )  # fmt: skip


@pytest.fixture(scope="module")
def orders(local_cloud):
    """A function that knows orders; its ARN."""
    arn = deploy(local_cloud, "orders", ORDERS)["FunctionArn"]
    local_cloud.client("lambda").get_waiter("function_active_v2").wait(FunctionName="orders")
    return arn


@pytest.fixture(scope="module")
def agent(local_cloud, orders):
    """An agent with the function as its action group."""
    made = Agent(local_cloud).group({"lambda": orders}, functionSchema=STATUS)
    allow_bedrock(local_cloud, "orders", made)
    return made


def test_an_agent_calls_the_function_and_words_what_it_says(agent):
    events = agent.ask("Where is my order 4711-A?", enableTrace=True, session="calls")
    assert texts(events)
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
    assert parts[3][1]["finalResponse"]["text"] == texts(events)
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
    assert "orderId" in texts(agent.ask("Where is my order?", session="asks"))
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
    assert texts(events)
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
    assert "twelve to sixteen hours" in texts([event])
    (citation, *_) = event["chunk"]["attribution"]["citations"]
    assert citation["retrievedReferences"][0]["location"]["s3Location"]["uri"].endswith("cats.html")
    elsewhere = {"equals": {"key": "course", "value": "none of these"}}
    search = {"vectorSearchConfiguration": {"filter": elsewhere}}
    settings = {"knowledgeBaseId": base.id, "retrievalConfiguration": search}
    (event,) = agent.ask(
        "How long does a cat sleep in a day?", session="filtered",
        sessionState={"knowledgeBaseConfigurations": [settings]},
    )  # fmt: skip
    assert "Sorry" in texts([event])
    history = {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}
    _, message, status = refusal(
        agent.runtime.invoke_agent, agentId=agent.id, agentAliasId="TSTALIASID", sessionId="new",
        inputText="Hello", sessionState={"conversationHistory": history},
    )  # fmt: skip
    assert (status, message) == (400, "localcloud has no conversationHistory in sessionState")


def test_an_alias_keeps_its_version_while_the_draft_changes(agent):
    made = agent.agents.create_agent_alias(agentId=agent.id, agentAliasName="live")["agentAlias"]
    alias = made["agentAliasId"]
    assert made["routingConfiguration"] == [{"agentVersion": "1"}]
    (group,) = agent.agents.list_agent_action_groups(agentId=agent.id, agentVersion="DRAFT")[
        "actionGroupSummaries"
    ]
    agent.agents.update_agent_action_group(
        agentId=agent.id, agentVersion="DRAFT", actionGroupId=group["actionGroupId"],
        actionGroupName="orders", actionGroupExecutor={"customControl": "RETURN_CONTROL"},
        functionSchema=STATUS,
    )  # fmt: skip
    assert agent.agents.get_agent(agentId=agent.id)["agent"]["agentStatus"] == "NOT_PREPARED"
    agent.prepare()
    for version, executor in ("1", "lambda"), ("DRAFT", "customControl"):
        shown = agent.agents.get_agent_action_group(
            agentId=agent.id, agentVersion=version, actionGroupId=group["actionGroupId"]
        )["agentActionGroup"]
        assert list(shown["actionGroupExecutor"]) == [executor]
        assert shown["agentVersion"] == version
    code, _, status = refusal(
        agent.agents.list_agent_action_groups, agentId=agent.id, agentVersion="8"
    )
    assert (code, status) == ("ResourceNotFoundException", 404)
    assert "returnControl" in agent.ask("Where is my order 1-A?", session="draft")[0]
    events = agent.ask("Where is my order 1-A?", alias=alias, session="live", enableTrace=True)
    assert "was sent on Monday" in str(events)
    assert events[0]["trace"]["agentVersion"] == "1"
    agent.agents.update_agent_alias(
        agentId=agent.id, agentAliasId=alias, agentAliasName="kept",
        routingConfiguration=[{"agentVersion": "DRAFT"}],
    )  # fmt: skip
    shown = agent.agents.get_agent_alias(agentId=agent.id, agentAliasId=alias)["agentAlias"]
    assert (shown["agentAliasName"], shown["agentAliasId"]) == ("kept", alias)
    assert "returnControl" in agent.ask("Where is my order 1-A?", alias=alias, session="moved")[0]
    unknown = [{"agentVersion": "7"}]
    code, message, _ = refusal(
        agent.agents.update_agent_alias, agentId=agent.id, agentAliasId=alias,
        agentAliasName="kept", routingConfiguration=unknown,
    )  # fmt: skip
    assert (code, message) == ("ValidationException", "The agent has no version 7")


def test_who_may_prepare_needs_no_other_permission(local_cloud, agent):
    person = Person(
        local_cloud, "preparer", {"Action": "bedrock:PrepareAgent", "Resource": agent.arn}
    )
    prepared = person.client("bedrock-agent").prepare_agent(agentId=agent.id)
    assert prepared["agentStatus"] == "PREPARING"


def test_a_session_can_be_ended(agent):
    agent.ask("Where is my order?", session="ends")
    assert "terminated" in texts(agent.ask("Goodbye", session="ends", endSession=True))


def test_what_an_agent_has_can_be_taken_away(local_cloud):
    agent = Agent(local_cloud).group({"customControl": "RETURN_CONTROL"}, functionSchema=STATUS)
    agents, draft = agent.agents, {"agentId": agent.id, "agentVersion": "DRAFT"}
    base = KnowledgeBase(local_cloud, {})
    agents.associate_agent_knowledge_base(**draft, knowledgeBaseId=base.id, description="facts")
    bases = agents.list_agent_knowledge_bases(**draft)["agentKnowledgeBaseSummaries"]
    assert [each["knowledgeBaseId"] for each in bases] == [base.id]
    agents.disassociate_agent_knowledge_base(**draft, knowledgeBaseId=base.id)
    assert agents.list_agent_knowledge_bases(**draft)["agentKnowledgeBaseSummaries"] == []
    (group,) = agents.list_agent_action_groups(**draft)["actionGroupSummaries"]
    agents.delete_agent_action_group(**draft, actionGroupId=group["actionGroupId"])
    assert agents.list_agent_action_groups(**draft)["actionGroupSummaries"] == []

    agents.update_agent(
        agentId=agent.id, agentName=f"{agent.name}-2", agentResourceRoleArn=agent.role,
        foundationModel=ANSWERS_WITH, instruction=INSTRUCTION,
    )  # fmt: skip
    shown = agents.get_agent(agentId=agent.id)["agent"]
    assert (shown["agentName"], shown["agentStatus"]) == (f"{agent.name}-2", "NOT_PREPARED")
    agent.prepare()
    made = agents.create_agent_alias(agentId=agent.id, agentAliasName="live")["agentAlias"]
    alias = {"agentId": agent.id, "agentAliasId": made["agentAliasId"]}
    listed = agents.list_agent_aliases(agentId=agent.id)["agentAliasSummaries"]
    assert [each["agentAliasId"] for each in listed] == [alias["agentAliasId"]]
    assert refusal(agents.delete_agent, agentId=agent.id)[0] == "ConflictException"
    agents.delete_agent_alias(**alias)
    assert refusal(agents.get_agent_alias, **alias)[2] == 404
    agents.delete_agent(agentId=agent.id)


def test_a_session_that_was_idle_for_too_long_begins_anew():
    sessions, made = Sessions(), {"agentArn": "arn"}
    session = sessions.open(made, "session", 60)
    session.add("user", "My order is 7-A.")
    assert sessions.open(made, "session", 60) is session
    assert sessions.open(made, "session", -1).messages == []


def test_what_is_not_prepared_or_not_there_is_refused(local_cloud):
    agent = Agent(local_cloud)
    code, message, _ = refusal(
        agent.runtime.invoke_agent, agentId=agent.id, agentAliasId="TSTALIASID", sessionId="new",
        inputText="Hello",
    )  # fmt: skip
    assert code == "ValidationException"
    assert "PrepareAgent" in message
    assert refusal(agent.agents.get_agent, agentId="ABCDEFGHIJ")[2] == 404
    code, message, _ = refusal(
        agent.agents.create_agent_action_group, agentId=agent.id, agentVersion="DRAFT",
        actionGroupName="none", actionGroupExecutor={"customControl": "RETURN_CONTROL"},
    )  # fmt: skip
    assert "functionSchema or an apiSchema" in message
    agent.agents.delete_agent(agentId=agent.id)
    names = [each["agentName"] for each in agent.agents.list_agents()["agentSummaries"]]
    assert agent.name not in names
