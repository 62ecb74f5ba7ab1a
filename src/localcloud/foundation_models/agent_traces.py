"""The parts of an agent's trace, by the shapes of InvokeAgent's OrchestrationTrace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .agent_actions import Action
from .retrieval import Found


def action_input(
    action: Action, inputs: Mapping[str, Any], executor: Mapping[str, Any], invocation_id: str
) -> dict[str, Any]:
    """An action is about to be done."""
    returns = executor.get("customControl") == "RETURN_CONTROL"
    told = {
        "actionGroupName": action.group["actionGroupName"],
        "executionType": "RETURN_CONTROL" if returns else "LAMBDA",
        "invocationId": invocation_id if returns else None,
        **{key: value for key, value in inputs.items() if key not in ("httpMethod", "requestBody")},
        "verb": inputs.get("httpMethod"),
    }
    if "requestBody" in inputs:
        content = inputs["requestBody"]["content"]
        told["requestBody"] = {
            "content": {kind: each["properties"] for kind, each in content.items()}
        }
    return {
        "invocationInput": {
            "invocationType": "ACTION_GROUP", "actionGroupInvocationInput": told,
        }
    }  # fmt: skip


def action_output(text: str) -> dict[str, Any]:
    """What an action gave."""
    return {"observation": {"type": "ACTION_GROUP", "actionGroupInvocationOutput": {"text": text}}}


def lookup_input(base_id: str, text: str) -> dict[str, Any]:
    """A knowledge base is about to be searched."""
    told = {"knowledgeBaseId": base_id, "text": text}
    return {
        "invocationInput": {"invocationType": "KNOWLEDGE_BASE", "knowledgeBaseLookupInput": told}
    }


def lookup_output(found: Sequence[Found]) -> dict[str, Any]:
    """What a knowledge base gave."""
    references = [chunk.reference() for chunk in found]
    return {
        "observation": {
            "type": "KNOWLEDGE_BASE",
            "knowledgeBaseLookupOutput": {"retrievedReferences": references},
        }
    }


def final_answer(text: str) -> dict[str, Any]:
    """What the agent says at last."""
    return {"observation": {"type": "FINISH", "finalResponse": {"text": text}}}


def return_control(action: Action, inputs: Mapping[str, Any], agent_id: str) -> dict[str, Any]:
    """An action that the caller is to do, as an invocation input."""
    told = {
        "actionGroup": action.group["actionGroupName"],
        "actionInvocationType": "RESULT",
        "agentId": agent_id,
        **inputs,
    }
    return {"functionInvocationInput" if action.path is None else "apiInvocationInput": told}


def with_id(part: Mapping[str, Any], trace_id: str) -> dict[str, Any]:
    """A part of a trace with the id that all parts of the turn share."""
    return {name: {"traceId": trace_id, **each} for name, each in part.items()}
