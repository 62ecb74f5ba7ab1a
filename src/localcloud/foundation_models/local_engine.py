"""The language model in a thread of its own, which several callers take turns at, token by token."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import Future
from typing import Any

from .text_engine import Message, Piece, Sampling

_AT_ONCE = 8  # answers in the making; each has a cache. More wait for their turn.


class LocalEngine:
    """Runs SmolLM2, which is loaded when it is first asked. onnxruntime leaves Python free meanwhile."""

    name = "SmolLM2-135M-Instruct"

    def __init__(self):
        self._changed = threading.Condition()
        self._tasks: deque[Callable[[Any], None]] = deque()
        self._waiting: deque[_Answer] = deque()
        self._thread: threading.Thread | None = None
        self._closed = False

    async def generate(
        self, messages: Sequence[Message], sampling: Sampling
    ) -> AsyncIterator[Piece]:
        """See TextEngine. Raises InputTooLong."""
        answer = _Answer(messages, sampling)
        self._tell(lambda: self._waiting.append(answer))
        try:
            while True:
                piece = await answer.pieces.get()
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
                if piece.stop_reason:
                    return
        finally:
            answer.is_wanted = False

    async def count_tokens(self, messages: Sequence[Message]) -> int:
        """See TextEngine."""
        return await self.ask(lambda model: len(model.prompt(messages)))

    async def count_text(self, text: str) -> int:
        """See TextEngine."""
        return await self.ask(lambda model: len(model.tokenize(text)))

    async def ask(self, question: Callable[[Any], Any]) -> Any:
        """What a function of the LanguageModel returns, called between two tokens."""
        future: Future = Future()

        def task(model) -> None:
            with _failing(future.set_exception):
                future.set_result(question(model))

        task.failed = future.set_exception
        self._tell(lambda: self._tasks.append(task))
        return await asyncio.wrap_future(future)

    async def close(self) -> None:
        """End the thread; what it is at breaks off."""

        def end() -> None:
            self._closed = True

        if self._thread:
            self._tell(end)
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _tell(self, change: Callable[[], None]) -> None:
        with self._changed:
            change()
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="language model", daemon=True
                )
                self._thread.start()
            self._changed.notify()

    def _run(self) -> None:
        model, problem = None, None
        try:
            from .language_model import loaded

            model = loaded()
        except Exception as error:
            problem = error
        active: deque[_Answer] = deque()
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._closed or self._tasks or self._waiting or active
                )
                if self._closed:
                    return
                tasks, self._tasks = self._tasks, deque()
                while self._waiting and len(active) < _AT_ONCE:
                    active.append(self._waiting.popleft())
            for task in tasks:
                task(model) if model else task.failed(problem)
            if active:
                answer = active.popleft()
                if not model:
                    answer.fail(problem)
                elif answer.step(model):
                    active.append(answer)


class _Answer:
    """An answer that is asked for by the event loop and made by the thread."""

    def __init__(self, messages: Sequence[Message], sampling: Sampling):
        self._messages = messages
        self._sampling = sampling
        self._generation = None
        self._loop = asyncio.get_running_loop()
        self.pieces: asyncio.Queue[Piece | BaseException] = asyncio.Queue()
        self.is_wanted = True

    def step(self, model) -> bool:
        """Take one turn; False where it was the last."""
        if not self.is_wanted:
            return False
        with _failing(self.fail):
            if self._generation is None:
                from .generation import Generation

                self._generation = Generation(model, self._messages, self._sampling)
            piece = self._generation.step()
            if piece is None:
                return True
            self._put(piece)
            return piece.stop_reason is None
        return False

    def fail(self, error: BaseException) -> None:
        """Give up."""
        self._put(error)

    def _put(self, piece: Piece | BaseException) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self.pieces.put_nowait, piece)


@contextlib.contextmanager
def _failing(tell: Callable[[BaseException], None]):
    try:
        yield
    except Exception as error:
        tell(error)
