"""Stage 05: questions to a knowledge base of fresh notes. Graded are sources and refusals, never prose."""

import random

import pytest

from labkit.grading import expect

from .ask_function import AskFunction, asked, useful, words
from .notes_base import NotesBase
from .week_notes import DAYS, WeekNotes

# Ingestion and a language model, on a slow and busy computer.
PATIENCE_S = 240
MODEL_CALLS = ("Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream")
ANSWERS_ITSELF = ("RetrieveAndGenerate", "RetrieveAndGenerateStream")


@pytest.fixture(scope="module")
def notes(seed):
    """A week's notes that nobody has seen before."""
    return WeekNotes(random.Random(f"{seed} notes"))


@pytest.fixture(scope="module")
def code(workspace):
    """The learner's text, read before anything is made."""
    return workspace.text("ask.py")


@pytest.fixture(scope="module")
def base(deployment, code, notes):
    """The notes as a knowledge base."""
    documents = {f"{day}.md": notes.documents[day] for day in DAYS}
    made = NotesBase(deployment, documents, {f"{day}.md": {"day": day} for day in DAYS})
    yield made
    made.remove()


@pytest.fixture(scope="module")
def min_score(base, notes):
    """Half-way between questions that the notes answer and others: measured, because it belongs to an
    embedding model. On the local cloud the ones have 0.38 and more, the others 0.25 and less (150 weeks).
    """
    answered = [base.best_score(fact.question) for fact in (*notes.facts, notes.named_talk)]
    answered += [base.best_score(fact.question, fact.day) for fact in notes.talks]
    others = [base.best_score(question) for question in notes.strange]
    return (min(answered) + max(others)) / 2


@pytest.fixture(scope="module")
def function(deployment, code, base, min_score):
    """The learner's function."""
    return AskFunction(
        deployment, "ask", code, base_id=base.id, base_arn=base.arn(), min_score=min_score
    )


@pytest.fixture(scope="module")
def without_model(deployment, code, base, min_score):
    """The same under a role that may not ask models: it shows from outside what needs one."""
    return AskFunction(
        deployment, "ask-alone", code, base_id=base.id, base_arn=base.arn(), min_score=min_score,
        may_ask_models=False,
    )  # fmt: skip


def key_of(fact):
    """The document that a fact stands in."""
    return f"{fact.day}.md"


def shown(said):
    """Citations in a few words."""
    return "; ".join(f'{c["source"]}: "{c["quote"][:60]}"' for c in said.citations) or "no citation"


FIRST = ("check_answers",)


@pytest.mark.check(points=2, section="5 · Retrieve", timeout=PATIENCE_S)
def check_answers(function, notes):
    """A question that the notes answer gets an answer, and at least one citation."""
    said = function.ask(notes.facts[0].question)
    expect(
        said.answered and said.citations,
        tried=said.tried + ", which the notes answer",
        expected='"answered": true, and a citation',
        seen=f'"answered": {str(said.answered).lower()}, {len(said.citations)} citations',
        log=said.log,
    )


@pytest.mark.check(
    points=2, section="6 · An answer with its sources", needs=FIRST, timeout=PATIENCE_S
)
def check_sources(function, base, notes):
    """Each citation's quote stands word for word in the document that its source names."""
    texts = {base.uri(f"{day}.md"): words(notes.documents[day]) for day in DAYS}
    for fact in (notes.facts[1], notes.talks[0]):
        said = function.ask(fact.question)
        for citation in said.citations:
            expect(
                citation["source"] in texts,
                tried=said.tried,
                expected=f"a document's address as source, such as {base.uri(key_of(fact))}",
                seen=citation["source"],
            )
            expect(
                words(citation["quote"]) and words(citation["quote"]) in texts[citation["source"]],
                tried=f"{said.tried}, and looked into {citation['source']}",
                expected="the quote to stand there, word for word",
                seen=f'there is no "{citation["quote"][:100]}"',
            )


@pytest.mark.check(
    points=3, section="6 · An answer with its sources", needs=FIRST, timeout=PATIENCE_S
)
def check_nearest_first(function, base, notes):
    """The first citation holds the very sentence that answers the question."""
    for fact in (notes.facts[2], notes.named_talk):
        said = function.ask(fact.question)
        first = said.citations[0] if said.citations else {"source": "", "quote": ""}
        expect(
            first["source"] == base.uri(key_of(fact))
            and words(fact.sentence) in words(first["quote"]),
            tried=said.tried,
            expected=f'first of all {base.uri(key_of(fact))}, with "{fact.sentence}"',
            seen=shown(said),
            log=said.log,
        )


@pytest.mark.check(
    points=3, section="6 · An answer with its sources", needs=FIRST, timeout=PATIENCE_S
)
def check_model_reads(function, without_model, notes):
    """The model is asked once, with the question and with every passage that is cited."""
    fact = notes.talks[0]
    said = function.ask(fact.question)
    calls = [call for call in said.calls if call["operation"] in (*MODEL_CALLS, *ANSWERS_ITSELF)]
    expect(
        len(calls) == 1,
        tried=said.tried,
        expected="one call of a model",
        seen=", ".join(call["operation"] for call in said.calls) or "no call of AWS at all",
        log=said.log,
    )
    answer = without_model.call({"question": fact.question})
    expect(
        answer.error or answer.payload["answer"].get("answered") is not True,
        tried=f"{said.tried} under a role that may not ask models",
        expected="no answer: there is nobody who could have worded it",
        seen='"answered": true',
    )
    if calls[0]["operation"] in ANSWERS_ITSELF:
        return
    sent = words(" ".join(calls[0]["texts"]).replace("\\n", " "))
    expect(
        words(fact.question) in sent,
        tried=f"{said.tried}, and read what was sent to the model",
        expected="the question",
        seen=f"{' '.join(calls[0]['texts'])[:200]}",
    )
    for citation in said.citations:
        expect(
            words(citation["quote"]) in sent,
            tried=f"{said.tried}, and read what was sent to the model",
            expected=f'every passage that is cited, such as "{citation["quote"][:80]}"',
            seen="it is cited, and the model has never seen it",
        )


@pytest.mark.check(
    points=3, section="7 · What the notes don't say", needs=FIRST, timeout=PATIENCE_S
)
def check_refuses(function, notes):
    """What the notes don't say is not answered, and nothing is cited for it."""
    for question in notes.strange:
        said = function.ask(question)
        expect(
            not said.answered and not said.citations,
            tried=f"{said.tried}, which no note is about",
            expected='"answered": false, and no citations',
            seen=f'"answered": {str(said.answered).lower()}, {shown(said)}',
            log=said.log,
        )


@pytest.mark.check(
    points=2, section="7 · What the notes don't say", needs=("check_refuses",), timeout=PATIENCE_S
)
def check_refusal_asks_no_model(function, without_model, notes):
    """Where no passage is near enough, the model is not asked."""
    said = function.ask(notes.strange[0])
    asked_models = [c["operation"] for c in said.calls if c["operation"] in MODEL_CALLS]
    expect(
        not asked_models,
        tried=f"{said.tried}, which no note is about",
        expected="no call of a model: it costs, and it knows nothing about it",
        seen=", ".join(asked_models),
        log=said.log,
    )
    if any(call["operation"] in ANSWERS_ITSELF for call in said.calls):
        return
    answer = without_model.call({"question": notes.strange[0]})
    answer.must_work(f"{said.tried} under a role that may not ask models", "the refusal, as ever")


@pytest.mark.check(points=2, section="8 · Only one day", needs=FIRST, timeout=PATIENCE_S)
def check_day(function, base, notes):
    """With a day, only that day's notes are used."""
    for fact in (notes.talks[1], notes.talks[3]):
        said = function.ask(fact.question, day=fact.day)
        expect(
            {c["source"] for c in said.citations} == {base.uri(key_of(fact))}
            and any(words(fact.sentence) in words(c["quote"]) for c in said.citations),
            tried=f"{said.tried}; there was a talk every day",
            expected=f'{base.uri(key_of(fact))} alone, with "{fact.sentence}"',
            seen=shown(said),
            log=said.log,
        )
    said = function.ask(notes.talks[0].question, day="sunday")
    expect(
        not said.answered and not said.citations,
        tried=f"{said.tried}, a day without notes",
        expected='"answered": false, and no citations',
        seen=f'"answered": {str(said.answered).lower()}, {shown(said)}',
        log=said.log,
    )


@pytest.mark.check(points=1, section="9 · What is no answer", timeout=PATIENCE_S)
def check_no_question(function):
    """A question that is missing or blank raises ValueError before anything is asked."""
    for event in ({"question": " \n "}, {"question": ""}, {}):
        answer = function.call(event)
        tried = f"invoked your function with {event}"
        kind = answer.payload.get("errorType") if answer.error else None
        expect(
            kind == "ValueError" and answer.payload.get("errorMessage"),
            tried=tried,
            expected="a ValueError whose text says what is missing",
            seen=answer.problem or "no error",
            log=useful(answer),
        )
        expect(
            asked(answer) == "nothing",
            tried=tried,
            expected="nothing to be asked of AWS",
            seen=asked(answer),
        )


@pytest.mark.check(points=2, section="9 · What is no answer", needs=FIRST, timeout=PATIENCE_S)
def check_errors_are_seen(deployment, code, base, notes, min_score):
    """A knowledge base that doesn't exist is an error of the function, and no refusal."""
    missing = AskFunction(
        deployment, "ask-nothing", code, base_id="LABKIT0000",
        base_arn=base.arn().replace(base.id, "*"), min_score=min_score,
    )  # fmt: skip
    answer = missing.call({"question": notes.facts[0].question})
    expect(
        answer.error,
        tried="invoked your function with the KNOWLEDGE_BASE_ID of a knowledge base that doesn't exist",
        expected="the error to be raised, so that somebody sees it",
        seen=f"no error, but {str(answer.payload)[:120]}",
        log=answer.log,
    )
