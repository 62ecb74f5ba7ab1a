"""A call of an operation as its handler sees it, and what it may answer with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .function_calls import FunctionCalls
    from .quotas import Quotas
    from .seeds import Seeds
    from .text_engine import TextEngine


@dataclass(frozen=True)
class Resources:
    """What the operations share.

    `text` is the language model, `quotas` count what it is asked, `seeds` make its answers repeat,
    `functions` invokes the learner's Lambda functions, and `may_role(role_arn, session, action,
    resource)` says what a role allows.
    """

    text: TextEngine
    quotas: Quotas
    seeds: Seeds
    functions: FunctionCalls
    may_role: Callable[[str, str, str, str], bool]


@dataclass(frozen=True)
class Call:
    """One call: whose account and region, the parameters as the model names them, and the request's
    headers by lower-case name. A payload parameter is bytes.
    """

    operation: str
    account_id: str
    region: str
    parameters: Mapping[str, Any]
    headers: Mapping[str, str]
    resources: Resources
    # More headers of the answer, such as what stood in for the model. Handlers may add to it.
    answer_headers: dict[str, str] = field(default_factory=dict)

    def get(self, name: str, default: Any = None) -> Any:
        """A parameter, or the default where it was not given."""
        return self.parameters.get(name, default)


@dataclass(frozen=True)
class EventStream:
    """An answer that is sent as it comes: pairs of an event's name and its members.

    A BedrockError raised by `events` becomes the exception event of that name, after which the stream
    ends. `members` are those of the output that go into headers.
    """

    events: AsyncIterator[tuple[str, Mapping[str, Any]]]
    members: Mapping[str, Any] = field(default_factory=dict)


# Members of the output by the model's names. None of a plain function blocks: it runs in a worker
# thread. A coroutine function runs on the event loop and must not block.
Result = Mapping[str, Any] | EventStream
Handler = Callable[[Call], Result | Awaitable[Result]]
