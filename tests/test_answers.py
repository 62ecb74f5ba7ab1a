"""RetrieveAndGenerate: answers with citations, refusals, sessions and streams."""

import uuid

import pytest

from knowledge import DOCUMENTS, KnowledgeBase
from people import Person, refusal

REFUSED = "Sorry, I am unable to assist you with this request."


@pytest.fixture(scope="module")
def notes(local_cloud):
    base = KnowledgeBase(local_cloud, DOCUMENTS)
    assert base.ingest()["status"] == "COMPLETE"
    return base


def assert_cited(answer, base):
    """Every citation's span is its text in the answer, and what it cites holds that text."""
    text = answer["output"]["text"]
    assert answer["citations"]
    for citation in answer["citations"]:
        part = citation["generatedResponsePart"]["textResponsePart"]
        span = part["span"]
        assert text[span["start"] : span["end"] + 1] == part["text"]
        assert citation["retrievedReferences"]
        for reference in citation["retrievedReferences"]:
            assert part["text"] in " ".join(reference["content"]["text"].split())
            assert reference["location"]["s3Location"]["uri"].startswith(f"s3://{base.bucket}/")


@pytest.mark.parametrize(
    ("question", "words", "key"),
    [
        ("When does a cold start happen?", "new execution environment", "lambda.md"),
        ("How long does a cat sleep in a day?", "twelve to sixteen hours", "cats.html"),
        ("What does the red kettle cost?", "40 euros", "prices.csv"),
    ],
)
def test_an_answer_cites_the_sentence_it_is_made_of(notes, question, words, key):
    answer = notes.answer(question)
    assert words in answer["output"]["text"]
    assert_cited(answer, notes)
    (first, *_) = answer["citations"][0]["retrievedReferences"]
    assert first["location"]["s3Location"]["uri"].endswith(key)


@pytest.mark.parametrize(
    "question", ["Who painted the Mona Lisa?", "How do I repair a bicycle tyre?"]
)
def test_what_the_documents_do_not_hold_is_refused(notes, question):
    answer = notes.answer(question)
    assert answer["output"]["text"] == REFUSED
    (citation,) = answer["citations"]
    assert citation["retrievedReferences"] == []
    part = citation["generatedResponsePart"]["textResponsePart"]
    assert part == {"text": REFUSED, "span": {"start": 0, "end": len(REFUSED) - 1}}


def test_an_answer_repeats_word_for_word(notes):
    question = "How large can memory be?"
    assert notes.answer(question)["output"] == notes.answer(question)["output"]


def test_a_filter_narrows_what_an_answer_is_made_of(notes):
    asked = notes.question("When does a cold start happen?")
    uri = {"key": "x-amz-bedrock-kb-source-uri", "value": f"s3://{notes.bucket}/cats.html"}
    asked["retrieveAndGenerateConfiguration"]["knowledgeBaseConfiguration"][
        "retrievalConfiguration"
    ] = {"vectorSearchConfiguration": {"filter": {"equals": uri}}}
    assert notes.runtime.retrieve_and_generate(**asked)["output"]["text"] == REFUSED


def test_a_session_goes_on_and_an_unknown_one_is_refused(notes):
    session = notes.answer("How long does a cat sleep?")["sessionId"]
    assert notes.answer("How long does a cat sleep?", sessionId=session)["sessionId"] == session
    code, message, _ = refusal(
        notes.runtime.retrieve_and_generate, **notes.question("Cats?"), sessionId="unknown"
    )
    assert code == "ValidationException"
    assert message == "Session with Id unknown is not valid. Please check and try again."


def test_the_answer_says_that_no_language_model_wrote_it(notes):
    headers = notes.answer("How long does a cat sleep?")["ResponseMetadata"]["HTTPHeaders"]
    assert "by no language model" in headers["x-localcloud-answered-by"]


def test_a_stream_brings_the_same_answer(notes):
    asked = notes.question("When does a cold start happen?")
    whole = notes.runtime.retrieve_and_generate(**asked)
    stream = notes.runtime.retrieve_and_generate_stream(**asked)
    assert stream["sessionId"]
    events = list(stream["stream"])
    text = "".join(event["output"]["text"] for event in events if "output" in event)
    assert text == whole["output"]["text"]
    citations = [event["citation"]["citation"] for event in events if "citation" in event]
    assert citations == whole["citations"]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("Tell me about the teapot and the kettle.", "Not asked."),
        ("Which product costs 40 euros?", "Not said."),
        ("How long does a cat sleep?", None),
    ],
)
def test_a_guardrail_watches_over_question_and_answer(local_cloud, notes, question, said):
    made = local_cloud.client("bedrock").create_guardrail(
        name=f"kettles-{uuid.uuid4().hex[:8]}",
        blockedInputMessaging="Not asked.",
        blockedOutputsMessaging="Not said.",
        wordPolicyConfig={"wordsConfig": [{"text": "kettle"}]},
    )
    asked = notes.question(question)
    settings = asked["retrieveAndGenerateConfiguration"]["knowledgeBaseConfiguration"]
    settings["generationConfiguration"] = {
        "guardrailConfiguration": {"guardrailId": made["guardrailId"], "guardrailVersion": "DRAFT"}
    }
    answer = notes.runtime.retrieve_and_generate(**asked)
    assert answer["guardrailAction"] == ("INTERVENED" if said else "NONE")
    if said:
        assert answer["output"]["text"] == said
    else:
        assert_cited(answer, notes)


def test_a_model_that_writes_no_text_answers_nothing(notes):
    asked = notes.question("Anything?")
    settings = asked["retrieveAndGenerateConfiguration"]["knowledgeBaseConfiguration"]
    settings["modelArn"] = "amazon.titan-embed-text-v2:0"
    code, message, _ = refusal(notes.runtime.retrieve_and_generate, **asked)
    assert code == "ValidationException"
    assert "writes no text" in message


def test_an_unknown_knowledge_base_is_not_found(notes):
    asked = notes.question("Anything?")
    asked["retrieveAndGenerateConfiguration"]["knowledgeBaseConfiguration"]["knowledgeBaseId"] = (
        "ABCDEFGHIJ"
    )
    code, message, status = refusal(notes.runtime.retrieve_and_generate, **asked)
    assert (code, status) == ("ResourceNotFoundException", 404)
    assert "ABCDEFGHIJ" in message


@pytest.mark.parametrize(
    "lacking", ["bedrock:RetrieveAndGenerate", "bedrock:Retrieve", "bedrock:InvokeModel"]
)
def test_who_asks_needs_all_three_permissions(local_cloud, notes, lacking):
    needed = {"bedrock:RetrieveAndGenerate", "bedrock:Retrieve", "bedrock:InvokeModel"}
    person = Person(
        local_cloud,
        f"asker-without-{lacking.partition(':')[2]}",
        {"Action": sorted(needed - {lacking}), "Resource": "*"},
    )
    client = person.client("bedrock-agent-runtime")
    code, message, _ = refusal(client.retrieve_and_generate, **notes.question("Cats?"))
    assert code == "AccessDeniedException"
    assert lacking in message
    person.may({"Action": sorted(needed), "Resource": "*"})
    assert client.retrieve_and_generate(**notes.question("How long does a cat sleep?"))
