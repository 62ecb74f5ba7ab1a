"""Text from any server on the learner's machine that speaks OpenAI's Chat Completions, for better answers.

LOCALCLOUD_TEXT_ENDPOINT is its base URL (`http://127.0.0.1:11434/v1`), LOCALCLOUD_TEXT_MODEL the model to ask
for. Nothing is sent anywhere unless the first is set.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import urllib3

from .text_engine import EngineFailed, EngineUnavailable, Message, Piece, Sampling

_TIMEOUT = urllib3.Timeout(connect=5, read=300)
_REASONS = {"length": "max_tokens", "stop": "end_turn"}
_CHARACTERS = 4  # in a token, roughly: what is said of input that the server has not counted yet


class OpenAiEngine:
    """Asks a server. Its own counts of tokens are told; before it has answered, input is estimated."""

    def __init__(self, base_url: str, model: str):
        self.name = f"{model} at {base_url}"
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._model = model
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)

    async def generate(
        self, messages: Sequence[Message], sampling: Sampling
    ) -> AsyncIterator[Piece]:
        """See TextEngine. A stop sequence that ended the answer can't be told from its end.

        Raises EngineUnavailable and EngineFailed.
        """
        # Not top_k, which the protocol lacks.
        asked = {
            "model": self._model,
            "messages": [{"role": role, "content": text} for role, text in messages],
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if sampling.stop_sequences:
            asked["stop"] = list(sampling.stop_sequences)
        if sampling.seed is not None:
            asked["seed"] = sampling.seed
        response = await asyncio.to_thread(self._open, asked)
        events = _events(response)
        read, written, reason = await self.count_tokens(messages), 0, "end_turn"
        try:
            while (event := await asyncio.to_thread(next, events, None)) is not None:
                for choice in event.get("choices", ()):
                    text = choice.get("delta", {}).get("content") or ""
                    written += bool(text)
                    reason = _REASONS.get(choice.get("finish_reason"), reason)
                    if text:
                        yield Piece(text, read, written)
                usage = event.get("usage") or {}
                read = usage.get("prompt_tokens", read)
                written = usage.get("completion_tokens", written)
        finally:
            response.close()
        yield Piece("", read, written, reason)

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        """See TextEngine; an estimate."""
        return await self.count_text("".join(text for _, text in messages))

    async def count_text(self, text: str) -> int:
        """See TextEngine; an estimate."""
        return -(-len(text) // _CHARACTERS)

    async def close(self) -> None:
        """See TextEngine."""
        self._pool.clear()

    def _open(self, asked: dict[str, Any]) -> urllib3.BaseHTTPResponse:
        try:
            response = self._pool.request("POST", self._url, json=asked, preload_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise EngineUnavailable(
                f"LOCALCLOUD_TEXT_ENDPOINT names {self._url}, which does not answer: {error}"
            ) from error
        if response.status != 200:
            with contextlib.closing(response):
                said = response.read(500).decode("utf-8", "replace")
            raise EngineUnavailable(f"{self._url} answers {response.status}: {said}")
        return response


def _events(response: urllib3.BaseHTTPResponse) -> Iterator[dict[str, Any]]:
    """The JSON documents of a stream of server-sent events, up to [DONE]."""
    rest = b""
    try:
        for chunk in response.stream(1024):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                data = line.removeprefix(b"data:").strip()
                if data == b"[DONE]":
                    return
                if line.startswith(b"data:"):
                    yield json.loads(data)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise EngineFailed(str(error)) from error
    raise EngineFailed("the server ended its answer without [DONE]")
