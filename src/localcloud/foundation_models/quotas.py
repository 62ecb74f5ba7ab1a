"""How many requests and tokens a minute each model takes, of one account in one region (facts H9)."""

import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field

from .errors import BedrockError

_WINDOW_S = 60
# Facts H2.
_TOO_MANY_REQUESTS = "Too many requests, please wait before trying again."
_TOO_MANY_TOKENS = "Too many tokens, please wait before trying again."


@dataclass
class Limits:
    """The quotas of every model; settings change them while the cloud runs. AWS's differ by model and
    account, and a new account's are lower. `bedrock_retired_models` 1 lets legacy and ended models answer,
    as if it were earlier; `bedrock_break_answer_after` makes answers break off after as many tokens, for
    tests of what a caller does then.
    """

    bedrock_requests_per_minute: int = 1_000
    bedrock_tokens_per_minute: int = 10_000_000
    bedrock_break_answer_after: int = field(default=0, metadata={"minimum": 0})
    bedrock_retired_models: int = field(default=0, metadata={"minimum": 0})


@dataclass
class Use:
    """What a request takes of the token quota: what it may need while it runs, then what it needed."""

    at: float
    tokens: int


@dataclass
class _Recent:
    uses: deque[Use] = field(default_factory=deque)

    def forget(self, now: float) -> None:
        while self.uses and self.uses[0].at <= now - _WINDOW_S:
            self.uses.popleft()


class Quotas:
    """Counts each model's last minute."""

    def __init__(self, limits: Limits):
        self.limits = limits
        self._lock = threading.Lock()
        self._recent: dict[tuple[str, str], _Recent] = defaultdict(_Recent)

    def take(self, model_id: str, region: str, tokens: int) -> Use:
        """Count a request that may need as many tokens: its input and max_tokens, however few it will
        write. Raises ThrottlingException.
        """
        now = time.monotonic()
        with self._lock:
            recent = self._recent[model_id, region]
            recent.forget(now)
            if len(recent.uses) >= self.limits.bedrock_requests_per_minute:
                raise BedrockError("ThrottlingException", _TOO_MANY_REQUESTS)
            used = sum(use.tokens for use in recent.uses)
            if used + tokens > self.limits.bedrock_tokens_per_minute:
                raise BedrockError("ThrottlingException", _TOO_MANY_TOKENS)
            use = Use(now, tokens)
            recent.uses.append(use)
            return use
