"""Knowledge bases: from documents in S3 to chunks that a question finds."""

import json
import threading

import pytest

from deployment import make_role, policy_of, unchecked, wait_for
from knowledge import (
    DOCUMENTS,
    MODEL,
    SEMANTIC,
    KnowledgeBase,
    client,
    make_index,
    permissions,
    service_role,
)
from people import Person, refusal


@pytest.fixture(scope="module")
def notes(local_cloud):
    """A knowledge base of the four documents, ingested."""
    base = KnowledgeBase(local_cloud, DOCUMENTS)
    base.job = base.ingest()
    return base


def uri(base, key):
    return f"s3://{base.bucket}/{key}"


def test_ingestion_counts_what_it_read(notes):
    assert notes.job["status"] == "COMPLETE"
    statistics = notes.job["statistics"]
    assert statistics["numberOfDocumentsScanned"] == 4
    assert statistics["numberOfNewDocumentsIndexed"] == 4
    assert statistics["numberOfDocumentsFailed"] == 0
    listed = notes.agent.list_ingestion_jobs(knowledgeBaseId=notes.id, dataSourceId=notes.source)
    assert notes.job["ingestionJobId"] in {
        job["ingestionJobId"] for job in listed["ingestionJobSummaries"]
    }


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("When does a cold start happen?", "lambda.md"),
        ("How large can objects in a bucket be?", "s3.txt"),
        ("For how long do cats sleep?", "cats.html"),
        ("What does the red kettle cost?", "prices.csv"),
    ],
)
def test_a_question_finds_the_document_that_answers_it(notes, question, key):
    results = notes.ask(question)
    assert results[0]["location"] == {"type": "S3", "s3Location": {"uri": uri(notes, key)}}
    scores = [result["score"] for result in results]
    assert scores == sorted(scores, reverse=True)
    assert 0.3 < scores[0] < 1
    metadata = results[0]["metadata"]
    assert metadata["x-amz-bedrock-kb-source-uri"] == uri(notes, key)
    assert metadata["x-amz-bedrock-kb-data-source-id"] == notes.source


def test_html_is_read_as_what_the_page_shows(notes):
    page = notes.texts("cats", numberOfResults=1)[0]
    assert "twelve to sixteen hours a day" in page
    assert "hidden" not in page


def test_the_answer_says_whose_embeddings_searched(notes):
    answer = notes.runtime.retrieve(knowledgeBaseId=notes.id, retrievalQuery={"text": "cats"})
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-localcloud-answered-by"] == (
        "all-MiniLM-L6-v2 on this computer, not amazon.titan-embed-text-v2:0"
    )


def test_number_of_results(notes):
    assert len(notes.ask("anything", numberOfResults=2)) == 2
    assert len(notes.ask("anything")) == 4


def test_vectors_lie_in_the_index_for_everybody_to_see(local_cloud, notes):
    vectors = client(local_cloud, "s3vectors").list_vectors(
        indexArn=notes.index, returnMetadata=True, returnData=True
    )["vectors"]
    assert len(vectors) == 4
    assert {len(vector["data"]["float32"]) for vector in vectors} == {1024}
    assert any("cold start" in vector["metadata"]["AMAZON_BEDROCK_TEXT"] for vector in vectors)


def test_the_index_follows_the_bucket(local_cloud):
    base = KnowledgeBase(local_cloud, {"a.txt": "Apples are red.", "b.txt": "Bananas are yellow."})
    base.ingest()
    assert base.ingest()["statistics"]["numberOfNewDocumentsIndexed"] == 0
    base.put("a.txt", "Apples are green in spring.")
    base.put("c.txt", "Cherries are dark.")
    base.put("c.txt.metadata.json", json.dumps({"metadataAttributes": {"kind": "stone fruit"}}))
    base.s3.delete_object(Bucket=base.bucket, Key="b.txt")
    statistics = base.ingest()["statistics"]
    assert statistics["numberOfDocumentsScanned"] == 2
    assert statistics["numberOfMetadataDocumentsScanned"] == 1
    assert statistics["numberOfModifiedDocumentsIndexed"] == 1
    assert statistics["numberOfNewDocumentsIndexed"] == 1
    assert statistics["numberOfDocumentsDeleted"] == 1
    assert set(base.texts("fruit")) == {"Apples are green in spring.", "Cherries are dark."}
    base.put("c.txt.metadata.json", json.dumps({"metadataAttributes": {"kind": "cherry"}}))
    assert base.ingest()["statistics"]["numberOfMetadataDocumentsModified"] == 1
    base.agent.delete_data_source(knowledgeBaseId=base.id, dataSourceId=base.source)
    assert base.ask("fruit") == []


def test_one_job_at_a_time_and_it_can_be_stopped(local_cloud):
    text = " ".join(f"Sentence {n} is about the number {n * 7}." for n in range(60))
    base = KnowledgeBase(local_cloud, {f"{n}.txt": text for n in range(3)}, SEMANTIC)
    ids = {"knowledgeBaseId": base.id, "dataSourceId": base.source}
    job = base.agent.start_ingestion_job(**ids)["ingestionJob"]
    assert job["status"] == "STARTING"
    code, message, status = refusal(base.agent.start_ingestion_job, **ids)
    assert (code, status) == ("ConflictException", 409)
    assert job["ingestionJobId"] in message
    ids["ingestionJobId"] = job["ingestionJobId"]
    assert base.agent.stop_ingestion_job(**ids)["ingestionJob"]["status"] == "STOPPING"

    def ended():
        now = base.agent.get_ingestion_job(**ids)["ingestionJob"]
        return now if now["status"] != "STOPPING" else None

    stopped = wait_for(ended, 60)
    assert stopped["status"] == "STOPPED"
    assert stopped["statistics"]["numberOfDocumentsScanned"] < 3


@pytest.mark.parametrize("what", ["data source", "knowledge base"])
def test_what_is_deleted_during_a_job_gets_no_more_vectors(local_cloud, what):
    text = " ".join(f"Sentence {n} is about the number {n * 7}." for n in range(60))
    base = KnowledgeBase(local_cloud, {f"{n}.txt": text for n in range(6)}, SEMANTIC)
    base.agent.start_ingestion_job(knowledgeBaseId=base.id, dataSourceId=base.source)
    if what == "data source":
        base.agent.delete_data_source(knowledgeBaseId=base.id, dataSourceId=base.source)
    else:
        base.agent.delete_knowledge_base(knowledgeBaseId=base.id)
    # Nobody can ask for the job any more: its thread tells when it has ended.
    wait_for(lambda: "ingestion" not in [thread.name for thread in threading.enumerate()], 60)
    assert client(local_cloud, "s3vectors").list_vectors(indexArn=base.index)["vectors"] == []


def test_documents_of_one_text_are_found_each_for_itself(local_cloud):
    base = KnowledgeBase(local_cloud, {"a.txt": "We open at nine.", "b.txt": "We open at nine."})
    base.ingest()
    found = {result["location"]["s3Location"]["uri"] for result in base.ask("When do you open?")}
    assert found == {uri(base, "a.txt"), uri(base, "b.txt")}


METADATA = {
    "a": {"year": 2020, "course": "intro", "tags": ["s3", "iam"], "open": True},
    "b": {
        "year": {"value": {"type": "NUMBER", "numberValue": 2024}, "includeForEmbedding": False},
        "course": {
            "value": {"type": "STRING", "stringValue": "deep"},
            "includeForEmbedding": False,
        },
    },
    "c": {},
}


@pytest.fixture(scope="module")
def shelf(local_cloud):
    """Three documents with metadata files beside two."""
    documents = {f"{name}.txt": f"The document {name} is about rivers." for name in METADATA}
    for name, attributes in METADATA.items():
        if attributes:
            documents[f"{name}.txt.metadata.json"] = json.dumps({"metadataAttributes": attributes})
    base = KnowledgeBase(local_cloud, documents)
    assert base.ingest()["statistics"]["numberOfDocumentsFailed"] == 0
    return base


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"equals": {"key": "course", "value": "intro"}}, "a"),
        ({"notEquals": {"key": "course", "value": "intro"}}, "bc"),
        ({"greaterThan": {"key": "year", "value": 2020}}, "b"),
        ({"lessThanOrEquals": {"key": "year", "value": 2020}}, "a"),
        ({"in": {"key": "course", "value": ["deep", "intro"]}}, "ab"),
        ({"notIn": {"key": "course", "value": ["deep"]}}, "ac"),
        ({"listContains": {"key": "tags", "value": "iam"}}, "a"),
        (
            {
                "andAll": [
                    {"greaterThanOrEquals": {"key": "year", "value": 2020}},
                    {"orAll": [
                        {"equals": {"key": "open", "value": True}},
                        {"equals": {"key": "course", "value": "none"}},
                    ]},
                ]
            },
            "a",
        ),
    ],
    ids=["equals", "notEquals", "greaterThan", "lessThanOrEquals", "in", "notIn", "listContains", "joined"],
)  # fmt: skip
def test_filters(shelf, given, names):
    found = {
        result["location"]["s3Location"]["uri"][-5] for result in shelf.ask("rivers", filter=given)
    }
    assert found == set(names)


def test_what_s3_vectors_cannot_search_is_refused(shelf):
    def asked(**settings):
        return refusal(
            shelf.runtime.retrieve,
            knowledgeBaseId=shelf.id,
            retrievalQuery={"text": "rivers"},
            retrievalConfiguration={"vectorSearchConfiguration": settings},
        )

    code, message, status = asked(filter={"startsWith": {"key": "course", "value": "i"}})
    assert (code, status) == ("ValidationException", 400)
    assert "startsWith is not supported" in message
    assert "HYBRID search type is not supported" in asked(overrideSearchType="HYBRID")[1]


def test_what_retrieve_lacks_is_refused_and_not_left_out(local_cloud, shelf):
    runtime = unchecked(local_cloud, "bedrock-agent-runtime")

    def asked(**more):
        asked = {"knowledgeBaseId": shelf.id, "retrievalQuery": {"text": "rivers"}, **more}
        return refusal(runtime.retrieve, **asked)

    guard = {"guardrailId": "abc", "guardrailVersion": "1"}
    for given, words in (
        ({"guardrailConfiguration": guard}, "no guardrailConfiguration"),
        ({"userContext": {"userId": "ada"}}, "no userContext"),
        ({"retrievalConfiguration": {"managedSearchConfiguration": {}}}, "no managedSearch"),
        ({"retrievalConfiguration": {"vectorSearchConfiguration": {"filter": {}}}}, "one operator"),
    ):
        code, message, status = asked(**given)
        assert (code, status) == ("ValidationException", 400)
        assert words in message


def test_documents_that_cannot_be_read_are_named_and_the_others_are_indexed(local_cloud):
    base = KnowledgeBase(
        local_cloud,
        {
            "right.txt": "This can be read.",
            "scan.pdf": b"%PDF-1.7",
            "picture.png": b"\x89PNG",
            "latin.txt": "caf\u00e9".encode("latin-1"),
            "empty.md": "  \n",
            "odd.txt": "Odd.",
            "odd.txt.metadata.json": "[]",
        },
    )
    job = base.ingest()
    assert job["status"] == "COMPLETE"
    assert job["statistics"]["numberOfNewDocumentsIndexed"] == 1
    assert job["statistics"]["numberOfDocumentsFailed"] == 5
    reasons = "\n".join(job["failureReasons"])
    for key, words in {
        "scan.pdf": "does not read .pdf files; upload the text",
        "picture.png": "format is not supported",
        "latin.txt": "UTF-8",
        "empty.md": "no text",
        "odd.txt": "metadataAttributes",
    }.items():
        (line,) = [line for line in reasons.splitlines() if uri(base, key) + ":" in line]
        assert words in line
    assert base.texts("read") == ["This can be read."]


@pytest.mark.parametrize(
    ("action", "status"),
    [("s3:ListBucket", "FAILED"), ("bedrock:InvokeModel", "FAILED"), ("s3:GetObject", "COMPLETE")],
)
def test_the_role_is_judged(local_cloud, action, status):
    allowed = [each for each in permissions("*") if each["Action"] != action]
    base = KnowledgeBase(local_cloud, {"a.txt": "Apples."}, statements=allowed)
    job = base.ingest()
    assert job["status"] == status
    assert job["statistics"]["numberOfNewDocumentsIndexed"] == 0
    assert f"not authorized to perform {action}" in job["failureReasons"][0]


def test_a_question_is_asked_in_the_name_of_the_role(local_cloud):
    base = KnowledgeBase(local_cloud, {"a.txt": "Apples are red."})
    base.ingest()
    without = [each for each in permissions(base.bucket) if each["Action"] != "bedrock:InvokeModel"]
    client(local_cloud, "iam").put_role_policy(
        RoleName=base.name, PolicyName="inline", PolicyDocument=policy_of(*without)
    )
    code, message, status = refusal(
        base.runtime.retrieve, knowledgeBaseId=base.id, retrievalQuery={"text": "apples"}
    )
    assert (code, status) == ("AccessDeniedException", 403)
    assert "bedrock:InvokeModel" in message


def test_a_filterable_text_of_more_than_2_kb_is_refused_as_s3_vectors_does(local_cloud):
    base = KnowledgeBase(local_cloud, {"long.txt": "Rivers run to the sea. " * 120})
    index = make_index(local_cloud, f"plain-{base.name}", hidden=["AMAZON_BEDROCK_METADATA"])
    storage = {"type": "S3_VECTORS", "s3VectorsConfiguration": {"indexArn": index}}
    settings = base.settings(name=f"{base.name}-plain", storageConfiguration=storage)
    base.id = base.agent.create_knowledge_base(**settings)["knowledgeBase"]["knowledgeBaseId"]
    base.source = base.agent.create_data_source(
        knowledgeBaseId=base.id,
        name="notes",
        dataSourceConfiguration={
            "type": "S3",
            "s3Configuration": {"bucketArn": f"arn:aws:s3:::{base.bucket}"},
        },
        vectorIngestionConfiguration={"chunkingConfiguration": {"chunkingStrategy": "NONE"}},
    )["dataSource"]["dataSourceId"]
    job = base.ingest()
    assert "Filterable metadata must have at most 2048 bytes" in job["failureReasons"][0]


def test_a_knowledge_base_is_made_listed_changed_and_deleted(local_cloud, shelf):
    agent = shelf.agent
    index = make_index(local_cloud, "another-store")
    storage = {"type": "S3_VECTORS", "s3VectorsConfiguration": {"indexArn": index}}
    made = agent.create_knowledge_base(
        **shelf.settings(name="another", description="of mine", storageConfiguration=storage)
    )["knowledgeBase"]
    assert made["status"] == "CREATING"
    base_id = made["knowledgeBaseId"]
    shown = agent.get_knowledge_base(knowledgeBaseId=base_id)["knowledgeBase"]
    assert shown["status"] == "ACTIVE"
    assert shown["storageConfiguration"] == storage
    pages = agent.get_paginator("list_knowledge_bases").paginate(PaginationConfig={"PageSize": 1})
    names = [base["name"] for page in pages for base in page["knowledgeBaseSummaries"]]
    assert {"another", shelf.name} <= set(names)
    assert refusal(agent.create_knowledge_base, **shelf.settings(name="another"))[0] == (
        "ConflictException"
    )
    changed = shelf.settings(name="renamed", storageConfiguration=storage)
    agent.update_knowledge_base(knowledgeBaseId=base_id, **changed)
    shown = agent.get_knowledge_base(knowledgeBaseId=base_id)["knowledgeBase"]
    assert shown["name"] == "renamed"
    agent.delete_knowledge_base(knowledgeBaseId=base_id)
    assert refusal(agent.get_knowledge_base, knowledgeBaseId=base_id) == (
        "ResourceNotFoundException", f"Knowledge Base with id {base_id} does not exist", 404,
    )  # fmt: skip


def test_what_a_knowledge_base_cannot_be_made_of(local_cloud, shelf):
    def refused(**changes):
        return refusal(shelf.agent.create_knowledge_base, **shelf.settings(name="new", **changes))[
            1
        ]

    for_lambda = make_role(local_cloud, "for-lambda")
    assert "unable to assume the given role" in refused(roleArn=for_lambda)
    small = make_index(local_cloud, "small-store", dimension=256)
    storage = {"type": "S3_VECTORS", "s3VectorsConfiguration": {"indexArn": small}}
    assert "has 256 dimensions, the embedding model gives 1024" in refused(
        storageConfiguration=storage
    )
    fitting = {
        "type": "VECTOR",
        "vectorKnowledgeBaseConfiguration": {
            "embeddingModelArn": MODEL,
            "embeddingModelConfiguration": {
                "bedrockEmbeddingModelConfiguration": {"dimensions": 256}
            },
        },
    }
    shelf.agent.create_knowledge_base(
        **shelf.settings(
            name="small", storageConfiguration=storage, knowledgeBaseConfiguration=fitting
        )
    )
    missing = {"type": "S3_VECTORS", "s3VectorsConfiguration": {"indexArn": small + "s"}}
    assert "There is no vector index" in refused(storageConfiguration=missing)
    binary = {"bedrockEmbeddingModelConfiguration": {"embeddingDataType": "BINARY"}}
    places = [{"type": "S3", "s3Location": {"uri": "s3://pictures"}}]
    for settings, words in (
        ({"embeddingModelConfiguration": binary}, "FLOAT32 alone"),
        ({"supplementalDataStorageConfiguration": {"storageLocations": places}}, "text alone"),
    ):
        vectors = {"embeddingModelArn": MODEL, **settings}
        assert words in refused(
            knowledgeBaseConfiguration={
                "type": "VECTOR",
                "vectorKnowledgeBaseConfiguration": vectors,
            }
        )


def test_only_passed_roles_make_knowledge_bases(local_cloud, shelf):
    person = Person(local_cloud, "librarian", {"Action": "bedrock:*", "Resource": "*"})
    role = service_role(local_cloud, "unpassed", {"Action": "s3:*", "Resource": "*"})
    code, message, _ = refusal(
        person.client("bedrock-agent").create_knowledge_base,
        **shelf.settings(name="passed", roleArn=role),
    )
    assert code == "AccessDeniedException"
    assert "iam:PassRole" in message
