"""Instructions that come again are not read again, and no answer is another for it."""

import numpy as np
import pytest

from localcloud.foundation_models.generation import Generation
from localcloud.foundation_models.language_model import LanguageModel
from localcloud.foundation_models.openings import Openings
from localcloud.foundation_models.text_engine import Sampling

NOTES = "Answer in one sentence, with nothing but what the notes say, and say so where they don't."
QUESTIONS = (
    "Who is on call?",
    "Which shop is it?",
    "What was the talk at lunch about?",
    "Where? " * 30,
)
GREEDY = Sampling(5, temperature=0)
DRAWN = Sampling(5, temperature=1.0, top_p=0.9, seed=4)


class Watched:
    """An evaluator that tells how many tokens are read at once, and what came of it."""

    def __init__(self, evaluator):
        self.evaluator = evaluator
        self.parts, self.logits = [], []

    def cache(self, state=None):
        return WatchedCache(self, self.evaluator.cache(state))


class WatchedCache:
    def __init__(self, watched, cache):
        self.watched, self.cache = watched, cache
        self.state = cache.state

    def read(self, tokens):
        logits = self.cache.read(tokens)
        self.watched.parts.append(len(tokens))
        self.watched.logits.append(logits)
        return logits


class Blank:
    """An evaluator of a model that knows nothing."""

    def cache(self, state=None):
        return self

    def read(self, tokens):
        return np.zeros(10)

    def state(self):
        return "read"


@pytest.fixture(scope="module")
def model():
    return LanguageModel()


@pytest.fixture
def watched(model, monkeypatch):
    watched = Watched(model.evaluator)
    monkeypatch.setattr(model, "evaluator", watched)
    monkeypatch.setattr(model, "openings", Openings())
    return watched


def answer(model, messages, sampling):
    generation, pieces = Generation(model, messages, sampling), []
    while not pieces or pieces[-1].stop_reason is None:
        pieces += filter(None, [generation.step()])
    return pieces


@pytest.mark.parametrize("instructions", [[("system", NOTES)], []])
@pytest.mark.parametrize("sampling", [GREEDY, DRAWN])
def test_answers_after_instructions_read_before(model, watched, instructions, sampling):
    def asked(question):
        watched.parts, watched.logits = [], []
        pieces = answer(model, [*instructions, ("user", question)], sampling)
        return pieces, watched.logits[-pieces[-1].output_tokens :], sum(watched.parts)

    known, opening = [], len(model.opening(instructions)) // 2 * 2
    for question in QUESTIONS:
        model.openings = Openings()
        known.append(asked(question))
    model.openings = Openings()
    asked("Hello?")
    for question, (pieces, logits, read) in zip(QUESTIONS, known, strict=True):
        again, logits_again, read_again = asked(question)
        assert again == pieces
        assert all(map(np.array_equal, logits_again, logits))
        assert read_again == read - opening


def test_other_instructions_are_read(model, watched):
    first = answer(model, [("system", NOTES), ("user", "Who?")], GREEDY)
    read = sum(watched.parts)
    answer(model, [("system", NOTES + " Now."), ("user", "Who?")], GREEDY)
    assert sum(watched.parts) - read > first[-1].input_tokens


def test_no_token_is_read_alone_that_was_not(model, watched):
    watched.evaluator = Blank()
    for words in range(80):
        for rest in range(0, 130, 7):
            messages = [("system", "a" + " a" * words), ("user", "a" + " a" * rest)]
            for _ in range(2):  # unread, and read
                watched.parts = []
                generation = Generation(model, messages, Sampling(1, temperature=0))
                while generation.step() is None:
                    pass
                tokens = len(model.prompt(messages))
                assert max(watched.parts) <= 64
                assert watched.parts.count(1) == (tokens % 64 == 1)


def test_no_more_is_kept_than_there_is_room_for():
    openings = Openings()
    for first in range(5):
        openings.keep((first, *range(299)), Blank())
    assert openings.get((4, *range(299))) and not openings.get((0, *range(299)))
    openings.get((2, *range(299)))  # is used, so that the next goes in its place
    openings.keep((5, *range(299)), Blank())
    assert openings.get((2, *range(299))) and not openings.get((3, *range(299)))
    openings.keep(tuple(range(5000)), Blank())
    assert openings.get((2, *range(299))) and not openings.get(tuple(range(5000)))
