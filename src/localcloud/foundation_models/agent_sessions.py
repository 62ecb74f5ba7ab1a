"""Sessions with agents: what was said, the session's attributes, and an action the caller is to do."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .errors import invalid


@dataclass
class Session:
    """One session; `pending` is the invocation whose results the caller is to bring."""

    key: tuple[str, str]
    messages: list[dict[str, Any]] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    prompt_attributes: dict[str, str] = field(default_factory=dict)
    question: str = ""
    pending: str | None = None
    used: float = field(default_factory=time.monotonic)

    def add(self, role: str, text: str) -> None:
        """Remember what was said."""
        self.messages.append({"role": role, "content": [{"text": text}]})

    def take_results(self, invocation_id: str | None, results: Sequence[Mapping]) -> str:
        """What the caller has done. Raises ValidationException where it was not asked to do so."""
        if self.pending is None or invocation_id != self.pending:  # UNCONFIRMED
            raise invalid(f"No invocation {invocation_id} waits for its results in this session")
        self.pending = None
        bodies = []
        for result in results:
            (told,) = result.values()
            for kind in told.get("responseBody", {}).values():
                bodies.append(kind.get("body", ""))
        return "\n".join(bodies) or json.dumps([dict(result) for result in results])


class Sessions:
    """The sessions of this process, by agent and id; one that was idle too long begins anew."""

    def __init__(self):
        self._sessions: dict[tuple[str, str], Session] = {}

    def open(self, agent: Mapping[str, Any], session_id: str, idle_s: int) -> Session:
        """The session of this id, new where there is none."""
        key = (agent["agentArn"], session_id)
        session = self._sessions.get(key)
        now = time.monotonic()
        if session is None or now - session.used > idle_s:
            session = self._sessions[key] = Session(key)
        session.used = now
        return session

    def close(self, session: Session) -> None:
        """Forget a session."""
        self._sessions.pop(session.key, None)
