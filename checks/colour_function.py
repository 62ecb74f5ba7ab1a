"""An app.py of stage 01 in the cloud, with the kit's wrapper around it."""

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labkit.grading import Unmet

from .deployment import Answer, Deployment

_WRAPPER = Path(__file__).parent / "wrappers" / "lifecycle.py"
# One whole processor: times are the code's own, not those of a share.
_MEMORY_MB = 1769
_EXITED = "Runtime.ExitError"
# What the function has logged is in its group within moments; AWS promises no number.
_LOGGED_S = 20


@dataclass(frozen=True)
class Call:
    """One answered call. `answer` is what the learner's code returned, `environment` names where it ran."""

    given: Answer

    @property
    def answer(self) -> Any:
        return self.given.payload["answer"]

    @property
    def environment(self) -> str:
        return self.given.payload["environment"]

    @property
    def duration_ms(self) -> float:
        return self.given.reported("Duration") or 0.0

    @property
    def init_ms(self) -> float:
        """0 where there was no Init of its own."""
        return self.given.reported("Init Duration") or 0.0

    @property
    def first_ms(self) -> float:
        """What a caller waits for, and what is billed: Init and the handler."""
        return self.init_ms + self.duration_ms


class ColourFunction:
    """A function that names colours. `words` say whose it is, in the messages."""

    def __init__(
        self,
        deployment: Deployment,
        word: str,
        files: Mapping[str, bytes],
        *,
        words: str,
        role: str,
        variables: Mapping[str, str],
    ):
        self.words = words
        self._deployment = deployment
        self._variables = dict(variables)
        self._count = itertools.count()
        self._name = deployment.function(
            word, {**files, "lab_kit.py": _WRAPPER.read_bytes()}, handler="lab_kit.handler", role=role,
            environment=self._variables, memory=_MEMORY_MB, timeout=20,
        )  # fmt: skip

    def renew(self, **variables: str) -> None:
        """Have a new environment for the next call: a function whose variables change gets one."""
        changed = {**self._variables, **variables, "LAB_KIT_COUNT": str(next(self._count))}
        self._deployment.client("lambda").update_function_configuration(
            FunctionName=self._name, Environment={"Variables": changed}
        )
        self._deployment.wait_until_active(self._name)

    def call(self, rgb: list[int], when: str = "", **more: Any) -> Call:
        """Ask for a colour's name. Raises Unmet where the function fails; `when` goes into its words."""
        answer = self.attempt(rgb, **more)
        if answer.error:
            raise Unmet(
                tried=f"called {self.words}{when}",
                expected="an answer",
                seen=answer.problem,
                log=answer.log,
            )
        return Call(answer)

    def attempt(self, rgb: list[int], **more: Any) -> Answer:
        """Ask for a colour's name and return whatever comes."""
        return self._deployment.invoke(self._name, {"rgb": rgb, **more})

    def crash(self) -> None:
        """Have the function's process end in the midst of a call."""
        answer = self._deployment.invoke(self._name, {"lab_kit": "crash"})
        # Of what code raises there is a stackTrace; of a process that has ended, Lambda itself tells.
        if _EXITED not in answer.problem or "stackTrace" in answer.payload:
            raise Unmet(
                tried="ended the function's process",
                expected=f"the call to fail with {_EXITED}",
                seen=answer.problem or f"it answered {answer.payload}",
            )

    def attempt_torn(self, rgb: list[int], tries: int) -> Answer:
        """Call it in a new environment, whose first process is killed in the midst of a file; call again
        until a call ends otherwise, and return what came. Raises Unmet where nothing was killed.
        """
        since = int(time.time() * 1000)
        self.renew(LAB_KIT_TEAR="yes")
        for _ in range(tries):
            # The call that is killed fails, unless it was killed in Init, which Lambda tries again.
            answer = self.attempt(rgb)
            if _EXITED not in answer.problem:
                break
        logs = self._deployment.client("logs")

        def was_killed() -> bool:
            found = logs.filter_log_events(
                logGroupName=f"/aws/lambda/{self._name}", startTime=since,
                filterPattern=f'"Error Type: {_EXITED}"',
            )  # fmt: skip
            return bool(found["events"])

        self._deployment.wait_for(
            was_killed,
            _LOGGED_S,
            words="your function to write its file, and to be killed meanwhile",
        )
        return answer
