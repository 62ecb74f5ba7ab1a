"""Agents as resources: drafts, versions and aliases, and what can be taken away or isn't there."""

import pytest

from agents import INSTRUCTION, STATUS, Agent, deploy_orders, order_agent
from knowledge import ANSWERS_WITH, KnowledgeBase
from people import Person, refusal


@pytest.fixture(scope="module")
def agent(local_cloud):
    """An agent with a function as its action group."""
    return order_agent(local_cloud, deploy_orders(local_cloud))


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
