"""Data sources of knowledge bases: how they cut documents into chunks, and what they can't be."""

import pytest

from knowledge import SEMANTIC, KnowledgeBase, client
from people import refusal

CHUNKINGS = {
    "fixed": (
        {
            "chunkingStrategy": "FIXED_SIZE",
            "fixedSizeChunkingConfiguration": {"maxTokens": 20, "overlapPercentage": 20},
        }
    ),
    "hierarchical": {
        "chunkingStrategy": "HIERARCHICAL",
        "hierarchicalChunkingConfiguration": {
            "levelConfigurations": [{"maxTokens": 60}, {"maxTokens": 15}],
            "overlapTokens": 2,
        },
    },
    "semantic": SEMANTIC,
    "none": {"chunkingStrategy": "NONE"},
}
TEXT = (
    "A cold start happens when Lambda makes a new execution environment. Later invocations of that "
    "environment are warm. The warm ones are much quicker than a cold start of Lambda. "
    "Bananas are yellow when they are ripe. Ripe bananas taste sweet. Green bananas are not ripe yet."
)


@pytest.fixture(scope="module")
def empty(local_cloud):
    """A knowledge base without documents, and its data source."""
    return KnowledgeBase(local_cloud, {})


def chunks_of(local_cloud, chunking):
    base = KnowledgeBase(local_cloud, {"text.txt": TEXT}, chunking)
    assert base.ingest()["status"] == "COMPLETE"
    vectors = client(local_cloud, "s3vectors").list_vectors(
        indexArn=base.index, returnMetadata=True
    )["vectors"]
    return base, {vector["metadata"]["AMAZON_BEDROCK_TEXT"] for vector in vectors}


def test_no_chunking_keeps_the_file_whole(local_cloud):
    assert chunks_of(local_cloud, CHUNKINGS["none"])[1] == {TEXT}


def test_by_default_sentences_stay_whole(local_cloud):
    _, chunks = chunks_of(local_cloud, None)
    assert chunks == {TEXT}  # fewer than 300 tokens


def test_fixed_size_chunks_overlap(local_cloud):
    _, chunks = chunks_of(local_cloud, CHUNKINGS["fixed"])
    assert len(chunks) > 3
    assert all(chunk in TEXT and len(chunk.split()) <= 20 for chunk in chunks)
    # The overlap tells its words twice.
    assert sum(len(chunk.split()) for chunk in chunks) > len(TEXT.split())


def test_hierarchical_chunks_are_searched_small_and_returned_large(local_cloud):
    base, chunks = chunks_of(local_cloud, CHUNKINGS["hierarchical"])
    results = base.texts("ripe bananas", numberOfResults=5)
    assert max(len(chunk) for chunk in chunks) < min(len(result) for result in results)
    assert len(results) < 5
    assert "bananas taste sweet" in results[0]


def test_semantic_chunks_end_where_the_subject_changes(local_cloud):
    _, chunks = chunks_of(local_cloud, CHUNKINGS["semantic"])
    assert any(chunk.startswith("Bananas are yellow") for chunk in chunks)
    assert not any("cold start" in chunk and "ananas" in chunk for chunk in chunks)


@pytest.mark.parametrize(
    "chunking",
    [
        {"chunkingStrategy": "FIXED_SIZE"},
        {
            "chunkingStrategy": "FIXED_SIZE",
            "fixedSizeChunkingConfiguration": {"maxTokens": 9000, "overlapPercentage": 20},
        },
        {
            "chunkingStrategy": "FIXED_SIZE",
            "fixedSizeChunkingConfiguration": {"maxTokens": 300, "overlapPercentage": 100},
        },
        {
            "chunkingStrategy": "HIERARCHICAL",
            "hierarchicalChunkingConfiguration": {
                "levelConfigurations": [{"maxTokens": 100}, {"maxTokens": 300}],
                "overlapTokens": 10,
            },
        },
        {
            "chunkingStrategy": "SEMANTIC",
            "semanticChunkingConfiguration": {
                "maxTokens": 300,
                "bufferSize": 2,
                "breakpointPercentileThreshold": 95,
            },
        },
    ],
    ids=["without settings", "too large", "all overlap", "child larger", "buffer"],
)
def test_chunking_beyond_its_limits_is_refused(empty, chunking):
    code, _, status = refusal(
        empty.agent.create_data_source,
        knowledgeBaseId=empty.id,
        name="other",
        dataSourceConfiguration={
            "type": "S3",
            "s3Configuration": {"bucketArn": f"arn:aws:s3:::{empty.bucket}"},
        },
        vectorIngestionConfiguration={"chunkingConfiguration": chunking},
    )
    assert (code, status) == ("ValidationException", 400)


def test_data_sources_are_listed_and_read(empty):
    listed = empty.agent.list_data_sources(knowledgeBaseId=empty.id)["dataSourceSummaries"]
    assert [source["dataSourceId"] for source in listed] == [empty.source]
    shown = empty.agent.get_data_source(knowledgeBaseId=empty.id, dataSourceId=empty.source)
    assert shown["dataSource"]["status"] == "AVAILABLE"
    assert "documents" not in shown["dataSource"]


def test_a_data_source_can_be_renamed_and_not_cut_otherwise(local_cloud):
    base = KnowledgeBase(local_cloud, {}, CHUNKINGS["fixed"])
    ids = {"knowledgeBaseId": base.id, "dataSourceId": base.source}
    given = base.agent.get_data_source(**ids)["dataSource"]
    settings = {"dataSourceConfiguration": given["dataSourceConfiguration"], "name": "renamed"}
    base.agent.update_data_source(**ids, **settings)
    shown = base.agent.get_data_source(**ids)["dataSource"]
    assert shown["name"] == "renamed"
    assert shown["vectorIngestionConfiguration"] == given["vectorIngestionConfiguration"]
    other = {"chunkingConfiguration": CHUNKINGS["none"]}
    code, message, _ = refusal(
        base.agent.update_data_source, **ids, **settings, vectorIngestionConfiguration=other
    )
    assert code == "ValidationException"
    assert "can't be updated" in message
