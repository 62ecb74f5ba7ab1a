"""Stage 01: a function that does slow work once and rare work late, measured against the original."""

import json
import random
from dataclasses import dataclass, field

import pytest

from labkit import workspace as starters
from labkit.grading import expect

from .arrivals import LOGS
from .colour_function import ColourFunction
from .deployment import ROLE_S

KEY = "01-lifecycle"
STEPS = 48
WARM_CALLS = 3
# The later turns are for a machine so busy that two don't show it.
TURNS, MOST_TURNS = 2, 5
# What is asked for, with room for a noisy machine: the solution is far better than both.
WARM_TIMES = 5
COLD_SHARE = 0.75
TRIES = 4


class Model:
    """A model by chance in a bucket, and what it says."""

    def __init__(self, deployment, rng):
        self._s3, self.bucket = deployment.client("s3"), deployment.bucket("model")
        self.key = f"colours/{rng.randrange(10**6)}.json"
        words = ("moss", "ochre", "slate", "coral", "plum", "sand", "teal", "rust")
        cells = STEPS**3
        words, numbers = rng.choices(words, k=cells), rng.choices(range(10**6), k=cells)
        self._names = [f"{word} {number}" for word, number in zip(words, numbers, strict=True)]
        self._body = json.dumps({"steps": STEPS, "names": self._names}).encode()
        self.put()

    def put(self):
        """Store the model in the bucket, or store it again."""
        self._s3.put_object(Bucket=self.bucket, Key=self.key, Body=self._body)

    def delete(self):
        """Take the model out of the bucket."""
        self._s3.delete_object(Bucket=self.bucket, Key=self.key)

    def name(self, rgb):
        """The name that a colour has."""
        red, green, blue = (value * STEPS // 256 for value in rgb)
        return self._names[(red * STEPS + green) * STEPS + blue]


@pytest.fixture(scope="module")
def model(deployment, seed):
    return Model(deployment, random.Random(f"{seed} model"))


@pytest.fixture(scope="module")
def deploy(deployment, model):
    """Deploy an app.py, with the kit's own chart.py beside it."""
    # Who may list a bucket is told NoSuchKey of an object that is not there, and not AccessDenied.
    bucket = f"arn:{deployment.partition}:s3:::{model.bucket}"
    read = {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:ListBucket"],
        "Resource": [bucket, f"{bucket}/*"],
    }
    role = deployment.role("colours", {"Version": "2012-10-17", "Statement": [LOGS, read]})
    variables = {"MODEL_BUCKET": model.bucket, "MODEL_KEY": model.key}
    chart = starters.starter_files(KEY)["chart.py"]

    def make(word, app, words):
        files = {"app.py": app, "chart.py": chart}
        return ColourFunction(deployment, word, files, words=words, role=role, variables=variables)

    return make


@pytest.fixture(scope="module")
def original(deploy, deployment):
    made = deploy("original", starters.starter_files(KEY)["app.py"], "the original")
    # A role that was made a moment ago may not be known to S3 yet.
    deployment.wait_for(lambda: not made.attempt([0, 0, 0]).error, ROLE_S)
    return made


@pytest.fixture(scope="module")
def yours(deploy, original, workspace):
    return deploy("yours", workspace.bytes("app.py"), "your function")


@pytest.fixture(scope="module")
def turns(original, yours, model, seed):
    """The calls of both functions: in each turn a cold one and then warm ones.

    The two take turns, so that a machine that is busy for a while is busy for both.
    """
    rng = random.Random(f"{seed} turns")
    theirs, mine = Turns(), Turns()
    for turn in range(1, MOST_TURNS + 1):
        for function, made in ((original, theirs), (yours, mine)):
            function.renew()
            colours = [colour(rng) for _ in range(1 + WARM_CALLS)]
            made.calls.append([asked(function, model, rgb) for rgb in colours])
        if mine.resembles(theirs) or (turn >= TURNS and mine.beats(theirs)):
            break
    return mine, theirs


@dataclass
class Turns:
    """What one function's calls took, at best, in ms: what is over that is the machine's noise."""

    calls: list = field(default_factory=list)

    @property
    def warm(self):
        return min(call.duration_ms for calls in self.calls for call in calls[1:])

    @property
    def init(self):
        return min(calls[0].init_ms for calls in self.calls)

    @property
    def first(self):
        return min(calls[0].first_ms for calls in self.calls)

    def resembles(self, other):
        """Whether nothing is much faster, so that another turn would show nothing else."""
        return self.warm > other.warm / 2 and self.init > other.init * 0.9

    def beats(self, other):
        """Whether all is as much faster as is asked for."""
        return (
            self.warm * WARM_TIMES <= other.warm
            and self.init <= other.init * COLD_SHARE
            and self.first <= other.first * COLD_SHARE
        )


def colour(rng):
    """A colour by chance."""
    return [rng.randrange(256) for _ in range(3)]


def asked(function, model, rgb, when="", **more):
    """Ask a function for a colour's name and return the call. Raises Unmet for a wrong name."""
    call = function.call(rgb, when, **more)
    expect(
        isinstance(call.answer, dict) and call.answer.get("name") == model.name(rgb),
        tried=f"asked {function.words} for the name of {rgb}{when}",
        expected=f'"name": "{model.name(rgb)}"',
        seen=json.dumps(call.answer, ensure_ascii=False)[:300],
    )
    return call


def seen(mine, theirs):
    """Two times in ms, in words."""
    return f"yours took {mine:.1f} ms, the original {theirs:.1f} ms"


@pytest.mark.check(points=5, section="6 · What stays", timeout=180)
def check_warm_calls(turns):
    """A warm call takes at most a fifth of the time that the original takes, with the right answers."""
    mine, theirs = turns
    expect(
        mine.warm * WARM_TIMES <= theirs.warm,
        tried="called both functions warm, in turns, and took the shortest Duration of each",
        expected=f"yours to be at least {WARM_TIMES} times as fast as the original",
        seen=seen(mine.warm, theirs.warm),
    )


@pytest.mark.check(points=4, section="5 · What an import costs", timeout=90)
def check_init(turns, original, yours, model, rng):
    """Init is clearly shorter than the original's, and the chart can still be had."""
    rgb = colour(rng)
    wanted = asked(original, model, rgb, chart=True).answer["chart"]
    answer = asked(yours, model, rgb, chart=True).answer
    expect(
        answer.get("chart") == wanted,
        tried='called your function with "chart": True',
        expected='under "chart" what chart.draw(rgb) gives',
        seen=json.dumps(answer, ensure_ascii=False)[:200],
    )
    mine, theirs = turns
    expect(
        mine.init <= theirs.init * COLD_SHARE,
        tried="made new environments of both functions in turns, and took the shortest Init Duration",
        expected=f"yours to be at most {COLD_SHARE:.0%} of the original's",
        seen=seen(mine.init, theirs.init),
    )


@pytest.mark.check(points=2, section="5 · What an import costs", timeout=90)
def check_first_call(turns):
    """Who calls first waits clearly less: what left Init has not just moved into the first call."""
    mine, theirs = turns
    expect(
        mine.first <= theirs.first * COLD_SHARE,
        tried="added Init Duration and Duration of first calls without a chart, and took the shortest",
        expected=f"yours to be at most {COLD_SHARE:.0%} of the original's",
        seen=seen(mine.first, theirs.first),
    )


@pytest.mark.check(points=3, section="8 · An exception keeps, a crash resets", timeout=60)
def check_cold(yours, model, rng):
    """The answer's "cold" is true in the first call, false after it, and true again after a crash."""
    yours.renew()

    def told(wanted, when):
        answer = asked(yours, model, colour(rng)).answer
        expect(
            answer.get("cold") is wanted,
            tried=f"called your function {when}",
            expected=f'"cold": {str(wanted).lower()}',
            seen=f'"cold": {json.dumps(answer["cold"])[:80]}' if "cold" in answer else 'no "cold"',
        )

    told(True, "in a new environment")
    told(False, "a second time")
    told(False, "a third time")
    yours.crash()
    told(True, "after its process had crashed")
    told(False, "once more")


@pytest.mark.check(points=2, section="6 · What stays", needs=("check_warm_calls",), timeout=60)
def check_model_in_memory(yours, model, rng):
    """Once called, the function answers from memory: the model may even be gone from the bucket."""
    asked(yours, model, colour(rng))
    model.delete()
    try:
        for _ in range(2):
            asked(yours, model, colour(rng), " after the model was deleted from the bucket")
    finally:
        model.put()


@pytest.mark.check(points=2, section="8 · An exception keeps, a crash resets", timeout=90)
def check_model_in_tmp(yours, model, rng):
    """After a crash the function still answers without the bucket, from the copy in /tmp."""
    for _ in range(TRIES):
        before = asked(yours, model, colour(rng))
        model.delete()
        try:
            yours.crash()
            answer = yours.attempt(colour(rng))
            if answer.error:
                # Is it another environment, whose /tmp is empty? With the model there, it can say so.
                model.put()
                after = yours.call(colour(rng))
            else:
                rgb = colour(rng)
                after = asked(
                    yours, model, rgb, " without the bucket, after its process had crashed"
                )
        finally:
            model.put()
        if after.environment == before.environment:
            expect(
                not answer.error,
                tried="deleted the model from the bucket, had the process crash, and called again",
                expected="an answer from the copy in /tmp, which a crash does not clear",
                seen=answer.problem,
                log=answer.log,
            )
            return
    pytest.skip(
        f"after {TRIES} crashes Lambda gave a new environment each time, which it may; try again later"
    )


@pytest.mark.check(points=2, section="9 · Half a file", needs=("check_model_in_tmp",), timeout=90)
def check_half_a_file(yours, model, rng):
    """A process that dies while it writes to /tmp leaves nothing that harms the next one."""
    rgb = colour(rng)
    answer = yours.attempt_torn(rgb, TRIES)
    found = None if answer.error else answer.payload["answer"]
    expect(
        isinstance(found, dict) and found.get("name") == model.name(rgb),
        tried="killed your function's process in the midst of writing a file, and called again",
        expected=f'"name": "{model.name(rgb)}"',
        seen=answer.problem or json.dumps(found, ensure_ascii=False)[:300],
        log=answer.log if answer.error else (),
    )
