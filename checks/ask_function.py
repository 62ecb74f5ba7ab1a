"""The learner's ask.py in the cloud, with the kit's wrapper around it, and what it says."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labkit.grading import expect

from .deployment import Answer, Deployment

MODEL = "amazon.nova-micro-v1:0"
_WRAPPER = Path(__file__).parent / "wrappers" / "knowledge.py"
_ASKED = "[lab kit] asked: "
_FORM = (
    '{"answered": true or false, "answer": "…", "citations": [{"source": "…", "quote": "…"}, …]}'
)
_MEMORY_MB, _TIMEOUT_S = 1024, 55


def words(text: str) -> str:
    """A text's words alone, so that blanks, line ends and marks around it make no difference."""
    return " ".join(re.findall(r"\w+", text))


@dataclass(frozen=True)
class Said:
    """A well-formed answer: `calls` are the operations of AWS that it took, with the texts sent."""

    tried: str
    answered: bool
    citations: list[dict[str, str]]
    calls: list[dict[str, Any]]
    log: list[str]


class AskFunction:
    """One function, which asks the knowledge base with this id, with no right that it doesn't need.

    Where it may not ask models, what it does without an error it does without one.
    """

    def __init__(
        self,
        deployment: Deployment,
        word: str,
        code: str,
        *,
        base_id: str,
        base_arn: str,
        min_score: float,
        may_ask_models: bool = True,
    ) -> None:
        self._deployment = deployment
        model = deployment.fill("arn:${Partition}:bedrock:${Region}::foundation-model/" + MODEL)
        logs = deployment.fill("arn:${Partition}:logs:${Region}:${Account}:*")
        invoke = (["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"], model)
        allowed = (
            (["bedrock:Retrieve"], base_arn),
            (["bedrock:RetrieveAndGenerate"], "*"),  # it has no resource of its own
            *([invoke] if may_ask_models else []),
            (["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], logs),
        )
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in allowed],
        }
        files = {"ask.py": code, "lab_kit.py": _WRAPPER.read_bytes()}
        self._name = deployment.function(
            word, files, handler="lab_kit.handler", role=deployment.role(f"{word}-role", policy),
            environment={
                "KNOWLEDGE_BASE_ID": base_id, "MODEL_ID": MODEL, "MIN_SCORE": f"{min_score:.4f}",
            },
            memory=_MEMORY_MB, timeout=_TIMEOUT_S,
        )  # fmt: skip
        self._said: dict[str, Said] = {}

    def call(self, event: Any) -> Answer:
        """Invoke it."""
        return self._deployment.invoke(self._name, event)

    def ask(self, question: str, **more: Any) -> Said:
        """What it says to a question; asked once, however many checks look at the answer.

        Raises Unmet unless it is of the form that the contract has.
        """
        event = {"question": question, **more}
        if repr(event) not in self._said:
            self._said[repr(event)] = self._asked(event)
        return self._said[repr(event)]

    def _asked(self, event: dict[str, Any]) -> Said:
        tried = f"invoked your function with {event}"
        answer = self.call(event)
        expect(
            not answer.error,
            tried=tried,
            expected="an answer",
            seen=answer.problem,
            log=useful(answer),
        )
        said, calls = answer.payload["answer"], answer.payload["calls"]
        problem = _malformed(said)
        expect(
            not problem,
            tried=tried,
            expected=_FORM,
            seen=problem,
            log=answer.log,
        )
        return Said(tried, said["answered"], said["citations"], calls, answer.log)


def asked(answer: Answer) -> str:
    """What a call that ended in an error had asked of AWS, in words; "nothing" or operations."""
    lines = [line for line in answer.log if _ASKED in line]
    return lines[-1].partition(_ASKED)[2].strip() if lines else "nothing"


def useful(answer: Answer) -> list[str]:
    """The log without the wrapper's own line."""
    return [line for line in answer.log if _ASKED not in line]


def _malformed(said: Any) -> str:
    if not isinstance(said, dict):
        return f"no dict: {said!r:.100}"
    for name, kind in (("answered", bool), ("answer", str), ("citations", list)):
        if name not in said:
            return f'no "{name}" in {sorted(said)}'
        if not isinstance(said[name], kind):
            return f'"{name}" is {said[name]!r:.100}'
    if not said["answer"].strip():
        return '"answer" is blank'
    for citation in said["citations"]:
        if not isinstance(citation, dict):
            return f"a citation is {citation!r:.100}"
        for name in ("source", "quote"):
            if not isinstance(citation.get(name), str):
                return f'"{name}" of a citation is {citation.get(name)!r:.100}'
    return ""
