"""What belongs to an agent: action groups, knowledge bases and aliases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .agent_actions import read_actions
from .agents import DRAFT, asked_agent, changed, new_version
from .calls import Call
from .errors import BedrockError, invalid, not_found
from .knowledge_bases import find_base, new_id
from .pages import AGENTS_PAGE, page, summaries

_GROUP = (
    "actionGroupName", "description", "actionGroupExecutor", "apiSchema", "functionSchema",
    "actionGroupState",
)  # fmt: skip


def create_group(call: Call) -> Mapping[str, Any]:
    """CreateAgentActionGroup: functions or an API, done by a Lambda function or by the caller."""
    agent, name = asked_agent(call), call.get("actionGroupName")
    if any(group["actionGroupName"] == name for group in agent["actionGroups"].values()):
        raise BedrockError("ConflictException", f"Action group {name} already exists.")
    now = datetime.now(UTC)
    group = {
        "actionGroupState": "ENABLED",
        **_group_settings(call),
        "agentId": agent["agentId"],
        "agentVersion": DRAFT,
        "actionGroupId": new_id(),
        "createdAt": now,
        "updatedAt": now,
    }
    _check_group(call, agent, group)
    agent["actionGroups"][group["actionGroupId"]] = group
    changed(agent)
    return {"agentActionGroup": group}


def get_group(call: Call) -> Mapping[str, Any]:
    """GetAgentActionGroup."""
    return {"agentActionGroup": {**_group(call), "agentVersion": call.get("agentVersion")}}


def list_groups(call: Call) -> Mapping[str, Any]:
    """ListAgentActionGroups."""
    groups = _version(call)["actionGroups"]
    names = ("actionGroupId", "actionGroupName", "actionGroupState", "description", "updatedAt")
    return summaries(call, groups, "actionGroupSummaries", names)


def update_group(call: Call) -> Mapping[str, Any]:
    """UpdateAgentActionGroup."""
    agent, group = asked_agent(call), _group(call)
    made_anew = {**group, **_group_settings(call)}
    _check_group(call, agent, made_anew)
    group.update(made_anew, updatedAt=datetime.now(UTC))
    changed(agent)
    return {"agentActionGroup": group}


def delete_group(call: Call) -> Mapping[str, Any]:
    """DeleteAgentActionGroup."""
    agent, group = asked_agent(call), _group(call)
    del agent["actionGroups"][group["actionGroupId"]]
    changed(agent)
    return {}


def associate(call: Call) -> Mapping[str, Any]:
    """AssociateAgentKnowledgeBase."""
    agent, now = asked_agent(call), datetime.now(UTC)
    base = find_base(call, call.get("knowledgeBaseId"))
    associated = {
        "agentId": agent["agentId"],
        "agentVersion": DRAFT,
        "knowledgeBaseId": base["knowledgeBaseId"],
        "description": call.get("description"),
        "knowledgeBaseState": call.get("knowledgeBaseState", "ENABLED"),
        "createdAt": now,
        "updatedAt": now,
    }
    agent["knowledgeBases"][base["knowledgeBaseId"]] = associated
    changed(agent)
    return {"agentKnowledgeBase": associated}


def disassociate(call: Call) -> Mapping[str, Any]:
    """DisassociateAgentKnowledgeBase."""
    agent = asked_agent(call)
    if agent["knowledgeBases"].pop(call.get("knowledgeBaseId"), None) is None:
        raise not_found(f"Knowledge base {call.get('knowledgeBaseId')} is not the agent's")
    changed(agent)
    return {}


def list_associated(call: Call) -> Mapping[str, Any]:
    """ListAgentKnowledgeBases."""
    bases = _version(call)["knowledgeBases"]
    names = ("knowledgeBaseId", "description", "knowledgeBaseState", "updatedAt")
    return summaries(call, bases, "agentKnowledgeBaseSummaries", names)


def create_alias(call: Call) -> Mapping[str, Any]:
    """CreateAgentAlias: of a version, or of a new one made of the prepared draft."""
    agent, now, alias_id = asked_agent(call), datetime.now(UTC), new_id()
    routing = _routing(call, agent)
    place = f"{call.region}:{call.account_id}"
    alias = {
        "tags": dict(call.get("tags", {})),
        "agentId": agent["agentId"],
        "agentAliasId": alias_id,
        "agentAliasName": call.get("agentAliasName"),
        "agentAliasArn": f"arn:aws:bedrock:{place}:agent-alias/{agent['agentId']}/{alias_id}",
        "description": call.get("description"),
        "routingConfiguration": routing or [{"agentVersion": new_version(agent)}],
        "createdAt": now,
        "updatedAt": now,
        "agentAliasStatus": "PREPARED",
    }
    agent["aliases"][alias_id] = alias
    return {"agentAlias": {**_shown_alias(alias), "agentAliasStatus": "CREATING"}}


def get_alias(call: Call) -> Mapping[str, Any]:
    """GetAgentAlias."""
    return {"agentAlias": _shown_alias(_alias(call))}


def list_aliases(call: Call) -> Mapping[str, Any]:
    """ListAgentAliases."""
    aliases = asked_agent(call)["aliases"]
    found, token = page(sorted(aliases), call.get("maxResults", AGENTS_PAGE), call.get("nextToken"))
    shown = [_shown_alias(aliases[each], "agentId", "agentAliasArn") for each in found]
    return {"agentAliasSummaries": shown, "nextToken": token}


def update_alias(call: Call) -> Mapping[str, Any]:
    """UpdateAgentAlias: another name, or another version. That it keeps its version where the request names
    none is UNCONFIRMED.
    """
    if "aliasInvocationState" in call.parameters:
        raise invalid("localcloud has no aliasInvocationState: an alias always takes invocations")
    agent, alias = asked_agent(call), _alias(call)
    alias.update(
        agentAliasName=call.get("agentAliasName"),
        description=call.get("description"),
        routingConfiguration=_routing(call, agent) or alias["routingConfiguration"],
        updatedAt=datetime.now(UTC),
    )
    return {"agentAlias": {**_shown_alias(alias), "agentAliasStatus": "UPDATING"}}


def delete_alias(call: Call) -> Mapping[str, Any]:
    """DeleteAgentAlias; its version stays."""
    agent, alias = asked_agent(call), _alias(call)
    del agent["aliases"][alias["agentAliasId"]]
    ids = {name: alias[name] for name in ("agentId", "agentAliasId")}
    return {**ids, "agentAliasStatus": "DELETING"}


def _group_settings(call: Call) -> dict[str, Any]:
    if call.get("parentActionGroupSignature"):
        raise invalid("localcloud has no parentActionGroupSignature")
    return {name: call.get(name) for name in _GROUP if call.get(name) is not None}


def _check_group(call: Call, agent: Mapping[str, Any], group: Mapping[str, Any]) -> None:
    if not group.get("actionGroupExecutor"):
        raise invalid("localcloud needs the actionGroupExecutor of an action group")
    read_actions(call, agent["agentResourceRoleArn"], group)


def _version(call: Call) -> dict[str, Any]:
    """What the agent is in the version that a request names: the draft as it is now, or what was frozen."""
    agent, version = asked_agent(call), call.get("agentVersion")
    if version == DRAFT:
        return agent
    if version not in agent["versions"]:
        raise not_found(f"Agent {agent['agentId']} has no version {version}")
    return agent["versions"][version]


def _group(call: Call) -> dict[str, Any]:
    group = _version(call)["actionGroups"].get(call.get("actionGroupId"))
    if group is None:
        raise not_found(f"Action group with id {call.get('actionGroupId')} does not exist")
    return group


def _alias(call: Call) -> dict[str, Any]:
    alias = asked_agent(call)["aliases"].get(call.get("agentAliasId"))
    if alias is None:
        raise not_found(f"Agent alias with id {call.get('agentAliasId')} does not exist")
    return alias


def _routing(call: Call, agent: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Where an alias is to lead; None where the request doesn't say."""
    routing = call.get("routingConfiguration")
    if routing and routing[0].get("agentVersion") not in agent["versions"]:
        raise invalid(f"The agent has no version {routing[0].get('agentVersion')}")
    return routing


def _shown_alias(alias: Mapping[str, Any], *left_out: str) -> dict[str, Any]:
    return {name: value for name, value in alias.items() if name not in ("tags", *left_out)}


OPERATIONS = {
    ("bedrock-agent", "CreateAgentActionGroup"): create_group,
    ("bedrock-agent", "GetAgentActionGroup"): get_group,
    ("bedrock-agent", "ListAgentActionGroups"): list_groups,
    ("bedrock-agent", "UpdateAgentActionGroup"): update_group,
    ("bedrock-agent", "DeleteAgentActionGroup"): delete_group,
    ("bedrock-agent", "AssociateAgentKnowledgeBase"): associate,
    ("bedrock-agent", "DisassociateAgentKnowledgeBase"): disassociate,
    ("bedrock-agent", "ListAgentKnowledgeBases"): list_associated,
    ("bedrock-agent", "CreateAgentAlias"): create_alias,
    ("bedrock-agent", "GetAgentAlias"): get_alias,
    ("bedrock-agent", "ListAgentAliases"): list_aliases,
    ("bedrock-agent", "UpdateAgentAlias"): update_alias,
    ("bedrock-agent", "DeleteAgentAlias"): delete_alias,
}
