"""Stage 04: the summariser. Once it asks Bedrock itself, then a Bedrock that answers by a script."""

import json
from pathlib import Path

import pytest

from labkit.grading import expect

from .renewal import renew
from .summariser import NUMBERS, Summariser, fails, near, says, summary_key

WRAPPER = (Path(__file__).parent / "wrappers" / "bedrock.py").read_text(encoding="utf-8")
# One that takes a temperature, and one that refuses it.
ASKED, NEWER = "amazon.nova-micro-v1:0", "us.anthropic.claude-sonnet-5"
PRICES = {
    ASKED: {"input": 0.035, "output": 0.14},
    NEWER: {"input": 2.0, "output": 10.0},
    "amazon.nova-pro-v1:0": {"input": 0.8, "output": 3.2},
}
MAX_TOKENS, TOKEN_BUDGET = 90, 640
CHARACTERS_PER_TOKEN = 3
THROTTLED = fails("ThrottlingException", "Too many tokens, please wait before trying again.")
TEXT = (
    "The ferry to the island leaves at nine every morning, except on Sundays. It carries forty people and no "
    "cars. In winter it leaves an hour later, and in a storm not at all."
)


def model_here(region):
    """The model, or in regions that have only its inference profile, the profile."""
    place = {"us": "us.", "eu": "eu.", "ap": "apac."}.get(region[:2], "us.")
    return ASKED if region == "us-east-1" else place + ASKED


@pytest.fixture(scope="module")
def place(deployment):
    """Two buckets, a role that may do what the task needs, and one that may not ask the model:
    (source, destination, role, role).
    """
    source, destination = deployment.bucket("texts"), deployment.bucket("summaries")
    arn = f"arn:{deployment.partition}"
    allowed = [
        ("s3:GetObject", f"{arn}:s3:::{source}/texts/*"),
        (["s3:GetObject", "s3:PutObject"], f"{arn}:s3:::{destination}/summaries/*"),
        ("s3:ListBucket", f"{arn}:s3:::{destination}"),
        (
            "bedrock:InvokeModel",
            [
                f"{arn}:bedrock:*::foundation-model/{ASKED}",
                f"{arn}:bedrock:{deployment.region}:{deployment.account}:inference-profile/*.{ASKED}",
            ],
        ),
        (
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            deployment.fill("arn:${Partition}:logs:${Region}:${Account}:*"),
        ),
    ]
    statements = [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in allowed]
    policy = {"Version": "2012-10-17", "Statement": statements}
    others = [each for each in statements if each["Action"] != "bedrock:InvokeModel"]
    without = {"Version": "2012-10-17", "Statement": others}
    roles = deployment.role("role", policy), deployment.role("no-model", without)
    return source, destination, *roles


@pytest.fixture(scope="module")
def real(deployment, workspace, place):
    """The learner's function, which asks Bedrock."""
    return summariser(deployment, workspace, "summariser", *place[:3])


@pytest.fixture(scope="module")
def refused(deployment, workspace, place):
    """The same under a role that may not ask Bedrock."""
    source, destination, _, role = place
    return summariser(deployment, workspace, "refused", source, destination, role)


def summariser(deployment, workspace, word, source, destination, role):
    """The learner's code as a function under a role."""
    model = model_here(deployment.region)
    function = deployment.function(
        word, {"app.py": workspace.bytes("app.py")}, handler="app.handler", role=role,
        memory=512, timeout=50,
        environment={
            "MODEL_ID": model, "DEST_BUCKET": destination, "MAX_TOKENS": "20",
            "TOKEN_BUDGET": "400", "PRICES": json.dumps({model: PRICES[ASKED]}),
        },
    )  # fmt: skip
    return Summariser(deployment, function, source, destination)


@pytest.fixture(scope="module")
def scripted(deployment, workspace, place):
    """The same code with other settings, which asks a Bedrock that answers by a script."""
    source, destination, role, _ = place
    function = deployment.function(
        "scripted", {"app.py": workspace.bytes("app.py"), "checked.py": WRAPPER},
        handler="checked.handler", role=role, memory=1769, timeout=5,
        environment={
            "MODEL_ID": NEWER, "DEST_BUCKET": destination, "MAX_TOKENS": str(MAX_TOKENS),
            "TOKEN_BUDGET": str(TOKEN_BUDGET), "PRICES": json.dumps(PRICES),
        },
    )  # fmt: skip
    return Summariser(deployment, function, source, destination)


FIRST = ("check_summarises",)


@pytest.mark.check(points=2, section="5 · The answer, and why it stopped", timeout=90)
def check_summarises(real, refused):
    """A text under texts/ gives summaries/NAME.json in the other bucket, with what Bedrock answered."""
    key = "texts/ferry.txt"
    tried = f"uploaded a text as {key} and invoked your function with S3's event; Bedrock answered"
    answer = real.invoke(real.upload(key, TEXT))
    answer.must_work(tried, "your function to return without an error")
    found = real.summary(tried, key, answer.log)
    missing = [name for name in ("model", "stop_reason", *NUMBERS) if name not in found]
    expect(
        not missing,
        tried=tried,
        expected=f"a summary that says its {', '.join(missing)}",
        seen=f"it has {', '.join(found)}",
    )
    expect(
        isinstance(found.get("summary"), str) and found["summary"].strip(),
        tried=tried,
        expected="some text as its summary",
        seen=f"{found.get('summary')!r:.100}",
    )
    kind = real.content_type(key)
    expect(
        kind.partition(";")[0].lower() == "application/json",
        tried=tried,
        expected="an object with the content type application/json",
        seen=kind,
    )
    tokens = found["output_tokens"]
    expect(
        isinstance(tokens, int) and tokens > 0,
        tried=tried,
        expected="the output tokens that Bedrock counted",
        seen=f"{tokens!r:.40}",
    )
    key = "texts/refused.txt"
    refused.invoke(refused.upload(key, TEXT))
    expect(
        refused.stored(summary_key(key)) is None,
        tried=f"uploaded a text as {key} and invoked your function under a role that may not ask Bedrock",
        expected="no summary: there is nobody who could have written it",
        seen=f"there is {summary_key(key)}",
    )


@pytest.mark.check(points=1, section="12 · Behind S3", needs=FIRST)
def check_keys(scripted, rng):
    """Keys with blanks, accents, plus signs, per cent and folders give a summary of just the same name."""
    number = rng.randrange(100, 1000)
    for name in (f"my notes {number}.txt", f"1+1={number}.md", f"100%25/texts/é {number}.txt"):
        key = f"texts/{name}"
        tried = f"uploaded a text as {key} and invoked your function with S3's event"
        outcome = scripted.works(tried, [says(name)], scripted.upload(key, TEXT))
        found = scripted.summary(tried, key, outcome.log)
        expect(
            found.get("summary") == name,
            tried=f"{tried}; Bedrock answered {name!r}",
            expected="that as its summary",
            seen=f"{found.get('summary')!r:.100}",
        )


@pytest.mark.check(points=1, section="12 · Behind S3", needs=FIRST)
def check_records(scripted, rng):
    """Every record of an event gives its summary, and S3's test event, which has none, is no error."""
    keys = [f"texts/record-{rng.randrange(10**6)}-{number}.txt" for number in range(3)]
    tried = "invoked your function with one event of three records"
    records = [scripted.upload(key, f"{TEXT} {key}") for key in keys]
    outcome = scripted.works(tried, [says(key) for key in keys], *records)
    for key in keys:
        found = scripted.summary(tried, key, outcome.log)
        expect(
            found.get("summary") == key,
            tried=tried,
            expected="each summary to be the answer to its own text",
            seen=f"another in {summary_key(key)}: {found.get('summary')!r:.60}",
        )
    tried = 'invoked your function with S3\'s test event, which has no "Records"'
    event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": scripted.source}
    outcome = scripted.attempt(tried, [says("Short.")], event)
    expect(
        not outcome.failed and not outcome.requests,
        tried=tried,
        expected="nothing to happen, and no error",
        seen=outcome.failed or "it asked Bedrock",
        log=outcome.log,
    )


@pytest.mark.check(points=2, section="6 · One key, many models", needs=FIRST)
def check_request(scripted, rng):
    """It asks MODEL_ID, by Converse, with the text, maxTokens of MAX_TOKENS, and no other parameter."""
    word = f"ferry{rng.randrange(10**6)}"
    tried = f"uploaded a text and looked at the request to Bedrock, with MAX_TOKENS {MAX_TOKENS}"
    text = f"{TEXT} {word}."
    record = scripted.upload("texts/request.txt", text)
    outcome = scripted.works(tried, [says("Short.")], record)
    expect(
        len(outcome.requests) == 1 and word in outcome.texts[0],
        tried=tried,
        expected="one request that holds the text",
        seen=f"{len(outcome.requests)} requests" if len(outcome.requests) != 1 else "no such text",
    )
    expect(
        outcome.texts[0].replace(text, "").strip(),
        tried=tried,
        expected="what the model is to do with the text, as SYSTEM says it",
        seen="the text alone",
    )
    request = outcome.requests[0]
    expect(
        request["path"] == f"/model/{NEWER}/converse",
        tried=f"{tried} and MODEL_ID {NEWER}",
        expected=f"a POST to /model/{NEWER}/converse",
        seen=request["path"],
    )
    parameters = request["body"].get("inferenceConfig", {})
    expect(
        parameters == {"maxTokens": MAX_TOKENS}
        and not request["body"].get("additionalModelRequestFields"),
        tried=tried,
        expected=f"inferenceConfig {{'maxTokens': {MAX_TOKENS}}} alone: some models refuse the others",
        seen=f"{parameters}",
    )


@pytest.mark.check(points=2, section="10 · What a month costs", needs=FIRST)
def check_budget(scripted, rng):
    """What is sent fits the budget beside the answer; a longer text is cut, as late as possible."""
    room = (TOKEN_BUDGET - MAX_TOKENS) * CHARACTERS_PER_TOKEN
    begin = f"Report {rng.randrange(10**6)}."
    short, long = f"{begin} {TEXT}", f"{begin} " + "The ferry was late again. " * 2000
    tried = f"uploaded a text of {len(long):,} characters, with TOKEN_BUDGET {TOKEN_BUDGET}"
    outcome = scripted.works(tried, [says("Short.")], scripted.upload("texts/long.txt", long))
    sent = sum(map(len, outcome.texts))
    expect(
        len(outcome.requests) == 1 and sent <= room,
        tried=tried,
        expected=f"one request of at most {room:,} characters, system prompt included: that is "
        f"({TOKEN_BUDGET} - {MAX_TOKENS}) tokens of {CHARACTERS_PER_TOKEN}",
        seen=f"{len(outcome.requests)} with {sent:,} characters",
    )
    expect(
        begin in outcome.texts[0] and sent >= room * 0.9,
        tried=tried,
        expected="its beginning, and as much of it as fits",
        seen=f"{sent:,} of {room:,} characters"
        if begin in outcome.texts[0]
        else "not its beginning",
    )
    found = scripted.summary(tried, "texts/long.txt", outcome.log)
    expect(
        found.get("cut") is True,
        tried=tried,
        expected='"cut": true in the summary',
        seen=f'"cut": {found.get("cut")!r:.40}',
    )
    tried = f"uploaded a text of {len(short)} characters, with TOKEN_BUDGET {TOKEN_BUDGET}"
    outcome = scripted.works(tried, [says("Short.")], scripted.upload("texts/short.txt", short))
    found = scripted.summary(tried, "texts/short.txt", outcome.log)
    expect(
        short in outcome.texts[0] and found.get("cut") is False,
        tried=tried,
        expected='the whole text to be sent, and "cut": false in the summary',
        seen=f'"cut": {found.get("cut")!r:.40}' if short in outcome.texts[0] else "a part of it",
    )


@pytest.mark.check(points=2, section="10 · What a month costs", needs=FIRST)
def check_cost(scripted, rng):
    """Tokens are those that Bedrock counted; dollars are tokens by the model's prices, not rounded."""
    usages = [(rng.randrange(50, 5000), rng.randrange(1, 90)) for _ in range(2)]
    keys = [f"texts/cost-{number}.txt" for number in range(2)]
    tried = "uploaded two texts; Bedrock counted (input, output) " + " and ".join(map(str, usages))
    script = [says("Short.", usage=usage) for usage in usages]
    records = [scripted.upload(key, f"{TEXT} {rng.randrange(10**6)}") for key in keys]
    outcome = scripted.works(tried, script, *records)
    costs = [(i * 2.0 + o * 10.0) / 1e6 for i, o in usages]
    for key, usage, dollars in zip(keys, usages, costs, strict=True):
        found = scripted.summary(tried, key, outcome.log)
        agrees(found, (*usage, dollars), tried, f"in {summary_key(key)}")
    sums = (sum(i for i, _ in usages), sum(o for _, o in usages), sum(costs))
    answer = outcome.answer if isinstance(outcome.answer, dict) else {}
    agrees(answer, sums, tried, "as the handler's answer")
    expect(
        answer.get("summaries") == [summary_key(key) for key in keys],
        tried=tried,
        expected=f"the handler to return the keys written, {summary_key(keys[0])} first",
        seen=f"{answer.get('summaries')!r:.200}",
    )


def agrees(found, wanted, tried, where):
    """Hold that an answer's numbers are those wanted."""
    wrong = [n for n, number in zip(NUMBERS, wanted, strict=True) if not near(found.get(n), number)]
    expect(
        not wrong,
        tried=f"{tried}; its prices are $2 and $10 for a million",
        expected=", ".join(f"{n} {v:.10g}" for n, v in zip(NUMBERS, wanted, strict=True))
        + f" {where}",
        seen=", ".join(f"{name} {found.get(name)!r:.40}" for name in wrong),
    )


@pytest.mark.check(points=2, section="5 · The answer, and why it stopped", needs=FIRST)
def check_stop_reasons(scripted):
    """The stop reason is kept; only end_turn is complete, and a blocked answer is no summary."""
    for stop, complete, kept in (
        ("end_turn", True, True),
        ("max_tokens", False, True),
        ("model_context_window_exceeded", False, True),
        ("guardrail_intervened", False, False),
        ("content_filtered", False, False),
    ):
        key = f"texts/stopped-{stop}.txt"
        tried = f"uploaded a text; Bedrock answered with the stop reason {stop}"
        words = f"An answer that ended by {stop}."
        record = scripted.upload(key, f"{TEXT} {stop}")
        outcome = scripted.works(tried, [says(words, stop)], record)
        found = scripted.summary(tried, key, outcome.log)
        told = {"stop_reason": stop, "complete": complete, "summary": words if kept else None}
        wrong = [name for name, value in told.items() if found.get(name, "missing") != value]
        expect(
            not wrong,
            tried=tried,
            expected=", ".join(f"{name} {json.dumps(told[name])}" for name in wrong),
            seen=", ".join(f"{name} {found.get(name, 'missing')!r:.80}" for name in wrong),
        )


@pytest.mark.check(points=1, section="5 · The answer, and why it stopped", needs=FIRST)
def check_blocks(scripted):
    """The summary is all text of the answer, whatever other blocks there are, and none is no error."""
    reasoning = {"reasoningContent": {"reasoningText": {"text": "Hm."}}}
    for what, content, wanted in (
        (
            "a block of reasoning and two of text",
            [reasoning, {"text": "A "}, {"text": "b."}],
            "A b.",
        ),
        ("no block at all", [], ""),
    ):
        key = f"texts/{what.replace(' ', '-')}.txt"
        tried = f"uploaded a text; Bedrock's answer had {what}"
        script = [{**says(""), "content": content}]
        outcome = scripted.works(tried, script, scripted.upload(key, f"{TEXT} {what}"))
        found = scripted.summary(tried, key, outcome.log).get("summary")
        expect(
            found == wanted or (not wanted and not found),
            tried=tried,
            expected=f"the summary {wanted!r}",
            seen=f"{found!r:.100}",
        )


@pytest.mark.check(points=1, section="12 · Behind S3", needs=FIRST)
def check_no_text(scripted, rng):
    """A picture, an empty file and white space are skipped: a line in the log, nothing asked, no error."""
    noise = b"\x89PNG\r\n\x1a\n" + rng.randbytes(200)
    for name, body in (("photo.png", noise), ("empty.txt", b""), ("blank.txt", b" \n\t\n ")):
        key, after = f"texts/{name}", f"texts/after-{name}.txt"
        tried = f"invoked your function with two records: {name}, which is no text, and a text"
        records = scripted.upload(key, body), scripted.upload(after, f"{TEXT} {name}")
        outcome = scripted.works(tried, [says("Short.")], *records)
        scripted.summary(tried, after, outcome.log)
        expect(
            len(outcome.requests) == 1 and scripted.stored(summary_key(key)) is None,
            tried=tried,
            expected="one request, for the text, and no summary of the other",
            seen=f"{len(outcome.requests)} requests"
            if len(outcome.requests) != 1
            else f"there is {summary_key(key)}",
            log=outcome.log,
        )
        expect(
            any(name in line and after not in line for line in outcome.log),
            tried=tried,
            expected=f"a line in the log that names {key}",
            seen="no line does",
            log=outcome.log,
        )


@pytest.mark.check(points=2, section="11 · Throttled", needs=FIRST)
def check_throttled(scripted):
    """A request that is throttled three times is tried again, and gives its summary."""
    key = "texts/throttled.txt"
    tried = "uploaded a text; Bedrock throttled three requests, and answered the fourth"
    script = [THROTTLED, THROTTLED, THROTTLED, says("At last.")]
    outcome = scripted.works(tried, script, scripted.upload(key, f"{TEXT} Throttled."))
    found = scripted.summary(tried, key, outcome.log)
    expect(
        found.get("summary") == "At last." and len(outcome.requests) == 4,
        tried=tried,
        expected="four requests, and the answer of the fourth as summary",
        seen=f"{len(outcome.requests)} requests, {found.get('summary')!r:.60}",
        log=outcome.log,
    )


@pytest.mark.check(points=2, section="11 · Throttled", needs=FIRST)
def check_gives_up(scripted):
    """Throttled on and on, it waits between its tries, and ends with the throttle before its time is over."""
    key = "texts/never.txt"
    tried = "uploaded a text; Bedrock throttled every request. The function has 5 seconds"
    record = scripted.upload(key, f"{TEXT} Never.")
    outcome = scripted.attempt(tried, [THROTTLED], {"Records": [record]})
    expect(
        "Throttl" in outcome.failed,
        tried=tried,
        expected="the ThrottlingException as its error, so that Lambda tries again later",
        seen=outcome.failed or "it returned as if all were well",
        log=outcome.log,
    )
    waited_s = outcome.requests[-1]["at"] - outcome.requests[0]["at"]
    expect(
        3 <= len(outcome.requests) <= 20 and waited_s >= 1,
        tried=tried,
        expected="3 to 20 tries over more than a second, with longer and longer waits between them",
        seen=f"{len(outcome.requests)} in {waited_s:.1f} s",
        log=outcome.log,
    )


@pytest.mark.check(points=1, section="11 · Throttled", needs=FIRST)
def check_errors_are_seen(scripted):
    """Any other error of Bedrock is not tried again, and ends the invocation with that error."""
    for error, message in (
        ("ValidationException", "The provided model identifier is invalid."),
        (
            "AccessDeniedException",
            "You don't have access to the model with the specified model ID.",
        ),
    ):
        tried = f"uploaded a text; Bedrock answered with {error}"
        record = scripted.upload("texts/refused.txt", f"{TEXT} {error}")
        outcome = scripted.attempt(
            tried, [fails(error, message), says("Short.")], {"Records": [record]}
        )
        expect(
            error in outcome.failed and len(outcome.requests) == 1,
            tried=tried,
            expected=f"one request, and the {error} as your function's error",
            seen=f"{len(outcome.requests)} requests; {outcome.failed or 'no error'}",
            log=outcome.log,
        )


@pytest.mark.check(points=1, section="12 · Behind S3", needs=FIRST)
def check_twice(scripted, deployment):
    """The same event twice asks once; a new text under the same key is asked for again."""
    key = "texts/twice.txt"
    tried = "invoked your function twice with the same event, in two execution environments"
    record = scripted.upload(key, f"{TEXT} Once.")
    scripted.works(tried, [says("The first.")], record)
    renew(deployment, scripted.function)
    again = scripted.works(tried, [says("The second.")], record)
    found = scripted.summary(tried, key, again.log)
    expect(
        not again.requests and found.get("summary") == "The first.",
        tried=tried,
        expected="one request to Bedrock in all, for each is paid for",
        seen=f"{len(again.requests)} more requests, {found.get('summary')!r:.40}",
        log=again.log,
    )
    tried = "uploaded another text under the same key, and invoked your function"
    changed = scripted.works(tried, [says("The third.")], scripted.upload(key, f"{TEXT} Anew."))
    found = scripted.summary(tried, key, changed.log)
    expect(
        found.get("summary") == "The third.",
        tried=tried,
        expected="a summary of the new text",
        seen=f"{found.get('summary')!r:.40}",
        log=changed.log,
    )
