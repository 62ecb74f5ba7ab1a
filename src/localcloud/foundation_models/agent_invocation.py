"""InvokeAgent: one turn of a session with an agent, as a stream of its trace and its answer.

The router (tool_router) chooses what to do; a Lambda function, the caller or a knowledge base does it;
the language model words what came back. Error texts are quoted by users unless a comment says otherwise.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

from ..control_plane.functions import FunctionNotFound
from ..functions.concurrency import Throttled
from . import agent_traces as traces
from .agent_actions import Action, read_actions
from .agent_sessions import Session, Sessions
from .agents import invoked_version
from .answers import best_sentences, compose
from .calls import Call, EventStream
from .catalogue import Model, invoked
from .conversations import Conversation, ask, mark
from .errors import BedrockError, invalid
from .knowledge_bases import find_base
from .retrieval import search
from .roles import lacking
from .tool_router import choose_tool

_sessions = Sessions()
_MAX_TOKENS = 200
_ROUTER = "a router that picks actions by embeddings, and a small model that words the reply,"
_WORDING = (
    "You report the result of an action to the person who asked for it. Say in one short sentence what "
    "the result is. Use nothing but the result."
)


async def invoke_agent(call: Call) -> EventStream:
    """InvokeAgent."""
    agent, version, made = invoked_version(call, call.get("agentId"), call.get("agentAliasId"))
    model = invoked(replace(call, parameters={"modelId": made["foundationModel"]}))
    needed = [("bedrock:InvokeModel", _model_arn(call, made["foundationModel"]))]
    if lacking(call, made["agentResourceRoleArn"], agent["agentId"], needed):
        raise BedrockError(
            "AccessDeniedException",
            "Access denied when calling Bedrock. Check your request permissions and retry the request.",
        )
    state = call.get("sessionState", {})
    goes_on = call.get("endSession") or state.get("returnControlInvocationResults")
    if not call.get("inputText") and not goes_on:
        raise invalid("inputText is required")  # UNCONFIRMED
    for name in ("files", "conversationHistory"):
        if name in state:
            raise invalid(f"localcloud has no {name} in sessionState")
    session = _sessions.open(agent, call.get("sessionId"), made["idleSessionTTLInSeconds"])
    session.attributes.update(state.get("sessionAttributes", {}))
    session.prompt_attributes = dict(state.get("promptSessionAttributes", {}))
    mark(call, model.id, _ROUTER)
    turn = _Turn(call, agent, version, made, model, session)
    return EventStream(
        turn.events(),
        {"contentType": "application/json", "sessionId": call.get("sessionId")},
    )


def _model_arn(call: Call, model: str) -> str:
    if model.startswith("arn:"):
        return model
    return f"arn:aws:bedrock:{call.region}::foundation-model/{model}"


class _Turn:
    """One InvokeAgent, from the request to the last event."""

    def __init__(
        self, call: Call, agent: dict, version: str, made: dict, model: Model, session: Session
    ):
        self._call, self._agent, self._version, self._made = call, agent, version, made
        self._model, self._session = model, session
        self._trace_id = str(uuid.uuid4())[:13]

    async def events(self) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        """The turn's events; traces among them where they were asked for."""
        async for name, members in self._all_events():
            if name != "trace" or self._call.get("enableTrace"):
                yield name, members

    async def _all_events(self) -> AsyncIterator[tuple[str, Mapping[str, Any]]]:
        call, session = self._call, self._session
        if call.get("endSession"):
            _sessions.close(session)
            yield (
                "chunk",
                {"bytes": b"Session is terminated as 'endSession' flag is set in request."},
            )
            return
        results = call.get("sessionState", {}).get("returnControlInvocationResults")
        if results:
            result = session.take_results(call.get("sessionState", {}).get("invocationId"), results)
            yield self._trace(traces.action_output(result))
            async for event in self._worded(session.question, result):
                yield event
            return
        session.question = call.get("inputText")
        session.add("user", session.question)
        actions = {action.name: action for action in await asyncio.to_thread(self._actions)}
        tools = [action.tool for action in actions.values()]
        choice = await asyncio.to_thread(choose_tool, session.messages, tools)
        if choice is None:
            async for event in self._without_action():
                yield event
        elif choice.name is None:
            async for event in self._say(choice.words):
                yield event
        else:
            async for event in self._act(actions[choice.name], choice.input, choice.words):
                yield event

    def _actions(self) -> list[Action]:
        return [
            action
            for group in self._made["actionGroups"].values()
            if group["actionGroupState"] == "ENABLED"
            for action in read_actions(self._call, self._made["agentResourceRoleArn"], group)
        ]

    # -- the three ways of a turn ---------------------------------------------------------------

    async def _act(self, action: Action, given: Mapping[str, Any], words: str):
        inputs = action.inputs(given)
        invocation_id = str(uuid.uuid4())
        executor = action.group["actionGroupExecutor"]
        yield self._trace({"rationale": {"text": words}})
        yield self._trace(traces.action_input(action, inputs, executor, invocation_id))
        if executor.get("customControl") == "RETURN_CONTROL":
            self._session.pending = invocation_id
            told = traces.return_control(action, inputs, self._agent["agentId"])
            yield "returnControl", {"invocationId": invocation_id, "invocationInputs": [told]}
            return
        result = await self._lambda(action, inputs, executor["lambda"])
        yield self._trace(traces.action_output(result))
        async for event in self._worded(self._session.question, result):
            yield event

    async def _without_action(self):
        """From a knowledge base where there is one, else from the model."""
        call, question = self._call, self._session.question
        bases = [
            base for base in self._made["knowledgeBases"].values()
            if base["knowledgeBaseState"] == "ENABLED"
        ]  # fmt: skip
        found = []
        for each in bases:
            base = find_base(call, each["knowledgeBaseId"])
            yield self._trace(traces.lookup_input(base["knowledgeBaseId"], question))
            found += await asyncio.to_thread(
                search, call, base, question, self._search_settings(base["knowledgeBaseId"])
            )
            yield self._trace(traces.lookup_output(found))
        if bases:
            quotations = await asyncio.to_thread(best_sentences, question, found)
            text, citations = compose(quotations)
            async for event in self._say(text, citations if quotations else None):
                yield event
            return
        system = self._made["instruction"]
        async for event in self._say(await self._asked([("system", system), *self._past()])):
            yield event

    def _search_settings(self, base_id: str) -> Mapping[str, Any]:
        """How the caller wants a knowledge base to be searched in this turn."""
        given = self._call.get("sessionState", {}).get("knowledgeBaseConfigurations", ())
        found = {each["knowledgeBaseId"]: each["retrievalConfiguration"] for each in given}
        return found.get(base_id, {})

    async def _worded(self, question: str, result: str):
        content = f"Question: {question}\nResult: {result}"
        async for event in self._say(await self._asked([("system", _WORDING), ("user", content)])):
            yield event

    # -- what they are made of ------------------------------------------------------------------

    async def _asked(self, messages: list[tuple[str, str]]) -> str:
        headers = dict(self._call.answer_headers)
        wanted = Conversation(messages, max_tokens=_MAX_TOKENS, temperature=0)
        reply = await ask(self._call, self._model, wanted)
        self._call.answer_headers.update(headers)
        return (await reply.text()).strip()

    def _past(self) -> list[tuple[str, str]]:
        return [
            (message["role"], message["content"][0]["text"]) for message in self._session.messages
        ]

    async def _say(self, text: str, citations: list[dict] | None = None):
        self._session.add("assistant", text)
        yield self._trace(traces.final_answer(text))
        attribution = {"citations": citations} if citations else None
        yield "chunk", {"bytes": text.encode(), "attribution": attribution}

    def _trace(self, part: dict[str, Any]) -> tuple[str, Mapping[str, Any]]:
        whole = {"orchestrationTrace": traces.with_id(part, self._trace_id)}
        return "trace", {
            "agentId": self._agent["agentId"],
            "agentAliasId": self._call.get("agentAliasId"),
            "agentVersion": self._version,
            "sessionId": self._call.get("sessionId"),
            "trace": whole,
        }

    async def _lambda(self, action: Action, inputs: Mapping[str, Any], arn: str) -> str:
        """What a function answers, by the body of its response."""
        alias = self._call.get("agentAliasId")
        event = {
            "messageVersion": "1.0",
            "agent": {
                "name": self._agent["agentName"], "id": self._agent["agentId"], "alias": alias,
                "version": self._version,
            },
            "inputText": self._session.question,
            "sessionId": self._call.get("sessionId"),
            "actionGroup": action.group["actionGroupName"],
            **inputs,
            "sessionAttributes": self._session.attributes,
            "promptSessionAttributes": self._session.prompt_attributes,
        }  # fmt: skip
        functions = self._call.resources.functions
        try:
            payload, failed = await functions.invoke(
                arn, json.dumps(event).encode(), self._agent["agentArn"]
            )
        except FunctionNotFound:  # UNCONFIRMED
            raise BedrockError(
                "ResourceNotFoundException", f"The Lambda function {arn} does not exist"
            ) from None
        except Throttled as error:  # UNCONFIRMED
            raise BedrockError("ThrottlingException", f"Lambda function {arn}: {error}") from None
        if failed:
            raise _dependency_failed(
                f"Lambda function {arn} encountered a problem while processing request."
                f"The error message from the Lambda function is {_error_message(payload)}. Check the "
                "Lambda function log for error details, then try your request again after fixing the "
                "error."
            )
        return self._body(action, arn, payload)

    def _body(self, action: Action, arn: str, payload: bytes) -> str:
        try:
            answer = json.loads(payload)
            response = answer["response"]
            self._session.attributes.update(answer.get("sessionAttributes") or {})
            if action.path is None:
                body = response["functionResponse"]["responseBody"]["TEXT"]["body"]
                matches = response["function"] == action.name
            else:
                (content,) = response["responseBody"].values()
                body = content["body"]
                matches = response["apiPath"] == action.path
            if not matches or response["actionGroup"] != action.group["actionGroupName"]:
                raise ValueError("another action")
            return body if isinstance(body, str) else json.dumps(body)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise _dependency_failed(
                "The server encountered an error processing the Lambda response. "
                f"Check the Lambda response of {arn} and retry the request"
            ) from None


def _error_message(payload: bytes) -> str:
    try:
        return json.loads(payload).get("errorMessage", "Unhandled")
    except (ValueError, AttributeError):
        return "Unhandled"


def _dependency_failed(message: str) -> BedrockError:
    return BedrockError(
        "DependencyFailedException", f"Your request couldn't be completed. {message}"
    )


OPERATIONS = {("bedrock-agent-runtime", "InvokeAgent"): invoke_agent}
