"""Agents ("Agents Classic" since July 2026, facts H5): what an agent is made of, and its versions.

AWS takes no new customers for them; here they work for who reads older code.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..control_plane.foundation_model_records import records
from .calls import Call
from .errors import BedrockError, invalid, not_found
from .knowledge_bases import new_id
from .pages import summaries
from .roles import check_assumable

DRAFT, TEST_ALIAS = "DRAFT", "TSTALIASID"
_KIND = "agents"
_SETTABLE = (
    "agentName", "instruction", "foundationModel", "description", "idleSessionTTLInSeconds",
    "agentResourceRoleArn", "orchestrationType", "customerEncryptionKeyArn",
)  # fmt: skip
_NOT_DONE = (
    "customOrchestration", "guardrailConfiguration", "memoryConfiguration",
    "promptOverrideConfiguration",
)  # fmt: skip
_KEPT = ("actionGroups", "knowledgeBases", "versions", "aliases", "tags")


def create(call: Call) -> Mapping[str, Any]:
    """CreateAgent: a draft that has to be prepared."""
    if any(each["agentName"] == call.get("agentName") for each in _agents(call).values()):
        raise _conflict(f"An agent with name {call.get('agentName')} already exists.")
    agent_id = new_id()
    now = datetime.now(UTC)
    agent = {
        "idleSessionTTLInSeconds": 600,
        "orchestrationType": "DEFAULT",
        **_settings(call),
        "agentId": agent_id,
        "agentArn": f"arn:aws:bedrock:{call.region}:{call.account_id}:agent/{agent_id}",
        "agentVersion": DRAFT,
        "agentStatus": "NOT_PREPARED",
        "createdAt": now,
        "updatedAt": now,
        "tags": dict(call.get("tags", {})),
        "actionGroups": {},
        "knowledgeBases": {},
        "versions": {},
        "aliases": {},
    }
    if not agent.get("agentResourceRoleArn"):
        raise invalid("localcloud needs the agentResourceRoleArn of an agent")
    check_assumable(call, agent["agentResourceRoleArn"], agent["agentArn"], "Bedrock Agents")
    _agents(call)[agent_id] = agent
    return {"agent": {**_shown(agent), "agentStatus": "CREATING"}}


def get(call: Call) -> Mapping[str, Any]:
    """GetAgent."""
    return {"agent": _shown(asked_agent(call))}


def list_agents(call: Call) -> Mapping[str, Any]:
    """ListAgents."""
    agents = _agents(call)
    names = ("agentId", "agentName", "agentStatus", "description", "updatedAt")
    return summaries(call, agents, "agentSummaries", names)


def update(call: Call) -> Mapping[str, Any]:
    """UpdateAgent."""
    agent, settings = asked_agent(call), _settings(call)
    check_assumable(call, settings["agentResourceRoleArn"], agent["agentArn"], "Bedrock Agents")
    agent.update(settings)
    changed(agent)
    return {"agent": {**_shown(agent), "agentStatus": "UPDATING"}}


def delete(call: Call) -> Mapping[str, Any]:
    """DeleteAgent, with all that belongs to it."""
    agent = asked_agent(call)
    if agent["aliases"] and not call.get("skipResourceInUseCheck"):  # UNCONFIRMED
        raise _conflict(f"Agent {agent['agentId']} has aliases; delete them first")
    del _agents(call)[agent["agentId"]]
    return {"agentId": agent["agentId"], "agentStatus": "DELETING"}


def prepare(call: Call) -> Mapping[str, Any]:
    """PrepareAgent: what TSTALIASID invokes from now on."""
    agent = asked_agent(call)
    if not agent.get("instruction") or not agent.get("foundationModel"):  # UNCONFIRMED
        raise invalid("An agent needs an instruction and a foundationModel to be prepared")
    now = datetime.now(UTC)
    agent["versions"][DRAFT] = _frozen(agent)
    agent.update(agentStatus="PREPARED", preparedAt=now)
    ids = {"agentId": agent["agentId"], "agentVersion": DRAFT}
    return {**ids, "agentStatus": "PREPARING", "preparedAt": now}


def new_version(agent: dict[str, Any]) -> str:
    """Number the prepared draft, as CreateAgentAlias does; the version never changes."""
    if DRAFT not in agent["versions"] or agent["agentStatus"] != "PREPARED":  # UNCONFIRMED
        raise invalid(f"Agent {agent['agentId']} must be prepared first: call PrepareAgent")
    number = str(1 + sum(version != DRAFT for version in agent["versions"]))
    agent["versions"][number] = copy.deepcopy(agent["versions"][DRAFT])
    return number


def invoked_version(call: Call, agent_id: str, alias_id: str) -> tuple[dict, str, dict]:
    """An agent by an alias: the agent, the version's number, and what it was when it was prepared."""
    agent = find_agent(call, agent_id)
    if alias_id == TEST_ALIAS:
        version = DRAFT
    elif alias_id in agent["aliases"]:
        version = agent["aliases"][alias_id]["routingConfiguration"][0]["agentVersion"]
    else:  # UNCONFIRMED
        raise not_found(f"Agent alias {alias_id} of agent {agent_id} does not exist")
    if version not in agent["versions"]:  # UNCONFIRMED
        raise invalid(f"Agent {agent_id} is not prepared: call PrepareAgent first")
    return agent, version, agent["versions"][version]


def asked_agent(call: Call) -> dict[str, Any]:
    """The agent that a request names."""
    return find_agent(call, call.get("agentId"))


def find_agent(call: Call, agent_id: str) -> dict[str, Any]:
    """An agent by id. Raises ResourceNotFoundException."""
    agent = _agents(call).get(agent_id)
    if agent is None:  # UNCONFIRMED
        raise not_found(f"Agent with id {agent_id} does not exist")
    return agent


def changed(agent: dict[str, Any]) -> None:
    """A draft that has changed is to be prepared again."""
    agent.update(agentStatus="NOT_PREPARED", updatedAt=datetime.now(UTC))


def _frozen(agent: Mapping[str, Any]) -> dict[str, Any]:
    names = ("instruction", "foundationModel", "agentResourceRoleArn", "idleSessionTTLInSeconds")
    kept = {name: agent[name] for name in (*names, "actionGroups", "knowledgeBases")}
    return copy.deepcopy(kept)


def _agents(call: Call) -> dict[str, Any]:
    return records(_KIND, call.account_id, call.region)


def _settings(call: Call) -> dict[str, Any]:
    if call.get("agentCollaboration", "DISABLED") != "DISABLED":
        raise invalid("localcloud has no agentCollaboration")
    for name in _NOT_DONE:
        if call.get(name):
            raise invalid(f"localcloud has no {name} of agents")
    return {name: call.get(name) for name in _SETTABLE if call.get(name) is not None}


def _shown(agent: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in agent.items() if name not in _KEPT}


def _conflict(message: str) -> BedrockError:
    return BedrockError("ConflictException", message)


OPERATIONS = {
    ("bedrock-agent", "CreateAgent"): create,
    ("bedrock-agent", "GetAgent"): get,
    ("bedrock-agent", "ListAgents"): list_agents,
    ("bedrock-agent", "UpdateAgent"): update,
    ("bedrock-agent", "DeleteAgent"): delete,
    ("bedrock-agent", "PrepareAgent"): prepare,
}
