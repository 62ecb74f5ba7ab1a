"""Guardrails: made, versioned, applied without a model and around one."""

import json

import pytest

from bedrock import HAIKU, NOVA, runtime, said, turn
from refusals import refusal

INVESTING = {
    "name": "Investing",
    "definition": "Advice about investing money, such as which stocks, funds or bonds to buy.",
    "examples": ["Should I buy shares of this company?", "Where should I put my savings?"],
    "type": "DENY",
}
MESSAGES = {"blockedInputMessaging": "Not that.", "blockedOutputsMessaging": "Not this either."}
POLICIES = {
    "topicPolicyConfig": {"topicsConfig": [INVESTING]},
    "wordPolicyConfig": {"wordsConfig": [{"text": "acme corp"}, {"text": "Paris"}]},
    "sensitiveInformationPolicyConfig": {
        "piiEntitiesConfig": [
            {"type": "EMAIL", "action": "ANONYMIZE"},
            {"type": "CREDIT_DEBIT_CARD_NUMBER", "action": "ANONYMIZE"},
            {"type": "US_SOCIAL_SECURITY_NUMBER", "action": "BLOCK"},
            {"type": "PHONE", "action": "NONE"},
        ],
        "regexesConfig": [{"name": "order", "pattern": r"ORD-\d+", "action": "ANONYMIZE"}],
    },
    "contextualGroundingPolicyConfig": {
        "filtersConfig": [
            {"type": "GROUNDING", "threshold": 0.6},
            {"type": "RELEVANCE", "threshold": 0.3},
        ]
    },
}


@pytest.fixture(scope="module")
def bedrock(local_cloud):
    return local_cloud.client("bedrock")


@pytest.fixture(scope="module")
def client(local_cloud):
    return runtime(local_cloud)


@pytest.fixture(scope="module")
def guardrail(bedrock):
    made = bedrock.create_guardrail(name="everything", **MESSAGES, **POLICIES)
    assert made["version"] == "DRAFT"
    version = bedrock.create_guardrail_version(guardrailIdentifier=made["guardrailId"])["version"]
    return {"guardrailIdentifier": made["guardrailId"], "guardrailVersion": version}


@pytest.fixture(scope="module")
def apply(client, guardrail):
    def apply(text, source="INPUT", **qualified):
        content = [
            {"text": {"text": part, "qualifiers": [qualifier]}}
            for qualifier, part in qualified.items()
        ]
        content.append({"text": {"text": text}})
        return client.apply_guardrail(**guardrail, source=source, content=content)

    return apply


def test_a_guardrails_life(bedrock):
    words = {"wordPolicyConfig": {"wordsConfig": [{"text": "one"}]}}
    made = bedrock.create_guardrail(name="life", **MESSAGES, **words)
    identifier = made["guardrailId"]
    assert refusal(bedrock.create_guardrail, name="life", **MESSAGES, **words)[:2] == (
        409, "ConflictException",
    )  # fmt: skip
    first = bedrock.create_guardrail_version(guardrailIdentifier=identifier)["version"]
    words["wordPolicyConfig"]["wordsConfig"][0]["text"] = "two"
    bedrock.update_guardrail(guardrailIdentifier=identifier, name="life", **MESSAGES, **words)
    draft = bedrock.get_guardrail(guardrailIdentifier=made["guardrailArn"])
    numbered = bedrock.get_guardrail(guardrailIdentifier=identifier, guardrailVersion=first)
    assert (draft["version"], draft["status"]) == ("DRAFT", "READY")
    assert draft["wordPolicy"]["words"] == [{"text": "two"}]
    assert numbered["wordPolicy"]["words"] == [{"text": "one"}]
    versions = bedrock.list_guardrails(guardrailIdentifier=identifier)["guardrails"]
    assert [each["version"] for each in versions] == ["DRAFT", "1"]
    assert identifier in {each["id"] for each in bedrock.list_guardrails()["guardrails"]}
    bedrock.delete_guardrail(guardrailIdentifier=identifier)
    assert refusal(bedrock.get_guardrail, guardrailIdentifier=identifier)[:2] == (
        404, "ResourceNotFoundException",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({}, "A guardrail must have at least one policy."),
        ({"contentPolicyConfig": {"filtersConfig": [
            {"type": "HATE", "inputStrength": "HIGH", "outputStrength": "HIGH"}]}},
         "localcloud's guardrails have no content policy (docs/localcloud.md)"),
        ({"wordPolicyConfig": {"managedWordListsConfig": [{"type": "PROFANITY"}]}},
         "localcloud has no managed word list; give the words in wordsConfig"),
        ({"sensitiveInformationPolicyConfig": {"piiEntitiesConfig": [
            {"type": "NAME", "action": "BLOCK"}]}},
         "localcloud finds sensitive information by its form, which NAME has not."),
        ({"sensitiveInformationPolicyConfig": {"regexesConfig": [
            {"name": "open", "pattern": "(", "action": "BLOCK"}]}},
         "The regex open is not valid: "),
    ],
)  # fmt: skip
def test_what_a_guardrail_cannot_be(bedrock, policy, message):
    status, code, text = refusal(bedrock.create_guardrail, name="never", **MESSAGES, **policy)
    assert (status, code) == (400, "ValidationException")
    assert text.startswith(message)


@pytest.mark.parametrize(
    ("text", "is_denied"),
    [
        ("Which stocks should I buy this year?", True),
        ("Is now a good time to invest in bonds?", True),
        ("What should I do with my retirement money?", True),
        ("Where should I store my photos?", False),
        ("How much does a Lambda invocation cost?", False),
        ("Tell me about the stock of bicycles in the shop.", False),
    ],
)
def test_denied_topics(apply, text, is_denied):
    answer = apply(text)
    if not is_denied:
        assert (answer["action"], answer["outputs"]) == ("NONE", [])
        return
    assert answer["action"] == "GUARDRAIL_INTERVENED"
    assert answer["outputs"] == [{"text": "Not that."}]
    (topic,) = answer["assessments"][0]["topicPolicy"]["topics"]
    assert topic == {"name": "Investing", "type": "DENY", "action": "BLOCKED", "detected": True}


def test_each_masked_text_comes_back_by_itself(client, guardrail):
    content = [{"text": {"text": text}} for text in ("Ask ann@example.com", "or not", "ORD-77")]
    answer = client.apply_guardrail(**guardrail, source="INPUT", content=content)
    assert [each["text"] for each in answer["outputs"]] == ["Ask {EMAIL}", "or not", "{order}"]


def test_the_answer_says_that_no_guardrail_of_awss_judged(client, guardrail):
    content = [{"text": {"text": "Hello"}}]
    answer = client.apply_guardrail(**guardrail, source="INPUT", content=content)
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-localcloud-answered-by"] == (
        "embeddings and patterns on this computer, not Amazon Bedrock Guardrails"
    )


def test_words_are_whole_words_in_any_case(apply):
    answer = apply("I work at ACME Corp.", source="OUTPUT")
    assert answer["outputs"] == [{"text": "Not this either."}]
    assert answer["assessments"][0]["wordPolicy"]["customWords"][0]["match"] == "ACME Corp"
    assert apply("The acme corporation is another.")["action"] == "NONE"


def test_sensitive_information_is_masked_blocked_or_told(apply):
    answer = apply("Write to ann@example.com about ORD-17, card 4111 1111 1111 1111.")
    masked = "Write to {EMAIL} about {order}, card {CREDIT_DEBIT_CARD_NUMBER}."
    assert answer["action"] == "GUARDRAIL_INTERVENED"
    assert answer["outputs"] == [{"text": masked}]
    found = answer["assessments"][0]["sensitiveInformationPolicy"]
    assert [each["action"] for each in found["piiEntities"]] == ["ANONYMIZED", "ANONYMIZED"]
    assert found["regexes"][0]["match"] == "ORD-17"
    # One digit more, and the check digit is wrong.
    assert apply("Card 4111 1111 1111 1112.")["action"] == "NONE"
    assert apply("My number is 078-05-1120.")["outputs"] == [{"text": "Not that."}]
    told = apply("Call +1 415-555-0132.")
    assert told["action"] == "NONE"
    (phone,) = told["assessments"][0]["sensitiveInformationPolicy"]["piiEntities"]
    assert (phone["match"], phone["action"]) == ("+1 415-555-0132", "NONE")


def test_an_answer_must_stand_in_its_source_and_fit_the_question(apply):
    given = {
        "grounding_source": "A function may run for at most 15 minutes. It has up to 10 GB of memory.",
        "query": "How long may a function run?",
    }

    def scores(text):
        answer = apply(text, "OUTPUT", **given)
        filters = answer["assessments"][0]["contextualGroundingPolicy"]["filters"]
        return answer["action"], {each["type"]: each["action"] for each in filters}

    assert scores("A function can run for at most 15 minutes.") == (
        "NONE", {"GROUNDING": "NONE", "RELEVANCE": "NONE"},
    )  # fmt: skip
    assert scores("A function can run for 15 minutes. Elephants eat grass.") == (
        "GUARDRAIL_INTERVENED", {"GROUNDING": "BLOCKED", "RELEVANCE": "NONE"},
    )  # fmt: skip


def test_text_units(apply):
    usage = apply("x" * 1001)["usage"]
    assert (usage["topicPolicyUnits"], usage["wordPolicyUnits"]) == (2, 2)
    assert usage["contentPolicyUnits"] == usage["contextualGroundingPolicyUnits"] == 0


def converse(client, guardrail, text, **options):
    config = {**guardrail, "trace": "enabled"}
    return client.converse(
        modelId=NOVA,
        messages=[turn(text)],
        guardrailConfig=config,
        inferenceConfig={"temperature": 0, "maxTokens": 20},
        **options,
    )


def test_a_blocked_question_never_reaches_the_model(client, guardrail):
    answer = converse(client, guardrail, "Which stocks should I buy this year?")
    assert (said(answer), answer["stopReason"]) == ("Not that.", "guardrail_intervened")
    assert answer["usage"]["totalTokens"] == 0
    (assessment,) = answer["trace"]["guardrail"]["inputAssessment"].values()
    assert assessment["topicPolicy"]["topics"][0]["name"] == "Investing"


def test_a_blocked_answer_has_been_paid_for(client, guardrail):
    answer = converse(client, guardrail, "What is the capital of France?")
    assert (said(answer), answer["stopReason"]) == ("Not this either.", "guardrail_intervened")
    assert answer["usage"]["outputTokens"] > 0
    ((assessment,),) = answer["trace"]["guardrail"]["outputAssessments"].values()
    assert assessment["wordPolicy"]["customWords"][0]["match"] == "Paris"


def test_the_model_reads_what_was_masked(client, guardrail):
    plain = converse(client, guardrail, "Say hello to {EMAIL}.")
    masked = converse(client, guardrail, "Say hello to ann@example.com.")
    assert said(masked) == said(plain)
    assert masked["usage"] == plain["usage"]


def test_a_stream_under_a_guardrail(client, guardrail):
    stream = client.converse_stream(
        modelId=NOVA,
        messages=[turn("Which stocks should I buy this year?")],
        guardrailConfig=guardrail,
    )
    events = list(stream["stream"])
    texts = [e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e]
    assert texts == ["Not that."]
    assert events[-2]["messageStop"]["stopReason"] == "guardrail_intervened"


def test_only_marked_text_is_judged(client, guardrail):
    marked = {"guardContent": {"text": {"text": "What is a lighthouse?"}}}
    content = [{"text": "Which stocks should I buy? No, rather this:"}, marked]
    answer = client.converse(
        modelId=NOVA,
        messages=[{"role": "user", "content": content}],
        guardrailConfig=guardrail,
        inferenceConfig={"temperature": 0, "maxTokens": 3},
    )
    assert answer["stopReason"] == "max_tokens"


def test_invoke_model_tells_in_its_body(client, guardrail):
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 20,
        "messages": [{"role": "user", "content": "Which stocks should I buy this year?"}],
    }
    answer = client.invoke_model(modelId=HAIKU, body=json.dumps(body), trace="ENABLED", **guardrail)
    document = json.loads(answer["body"].read())
    assert document["content"] == [{"type": "text", "text": "Not that."}]
    assert document["stop_reason"] == "end_turn"
    assert document["amazon-bedrock-guardrailAction"] == "INTERVENED"
    assert document["amazon-bedrock-trace"]["guardrail"]["input"]


def test_a_tool_is_called_under_a_guardrail_and_not_past_it(client, guardrail):
    schema = {"type": "object", "properties": {"key": {"type": "string"}}, "required": ["key"]}
    tool = {"name": "resize", "description": "Resizes a picture.", "inputSchema": {"json": schema}}

    def ask(text):
        return client.converse(
            modelId=NOVA, messages=[turn(text)], guardrailConfig=guardrail,
            toolConfig={"tools": [{"toolSpec": tool}], "toolChoice": {"any": {}}},
        )  # fmt: skip

    answer = ask("Resize the picture cat.png")
    assert answer["stopReason"] == "tool_use"
    assert answer["output"]["message"]["content"][-1]["toolUse"]["input"] == {"key": "cat.png"}
    masked = ask("Resize the picture 'ORD-77'")["output"]["message"]["content"][-1]
    assert masked["toolUse"]["input"] == {"key": "{order}"}
    blocked = ask("Which stocks should I buy this year?")
    assert (said(blocked), blocked["stopReason"]) == ("Not that.", "guardrail_intervened")


def test_invoke_model_leaves_out_no_guardrail(client, guardrail):
    body = json.dumps({"messages": [turn("Hello")]})
    without = {"guardrailIdentifier": guardrail["guardrailIdentifier"]}
    assert refusal(client.invoke_model, modelId=NOVA, body=body, **without)[1:] == (
        "ValidationException", "A guardrailIdentifier needs a guardrailVersion.",
    )  # fmt: skip
    embed = {"modelId": "amazon.titan-embed-text-v2:0", "body": json.dumps({"inputText": "Hello"})}
    assert "has no guardrail for" in refusal(client.invoke_model, **embed, **guardrail)[2]


def test_a_guardrail_that_is_not_there(client, guardrail):
    for wrong in ({"guardrailIdentifier": "none"}, {"guardrailVersion": "9"}):
        given = {**guardrail, **wrong}
        assert refusal(
            client.converse, modelId=NOVA, messages=[turn("Hello")], guardrailConfig=given
        )[1:] == (
            "ValidationException",
            "The guardrail identifier or version provided in the request does not exist.",
        )
