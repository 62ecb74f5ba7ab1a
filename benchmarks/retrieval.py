"""``python -m benchmarks.retrieval``: how well and how fast questions about the course find their answer.

The corpus is the course's own text: docs/*.md and the notebooks' markdown. A question counts as answered
by a result that holds one of the passages noted beside it in retrieval_questions.json. Everything goes
through boto3 but the time over 10,000 chunks, for which the index is filled directly.
"""

import json
import random
import statistics
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from localcloud import LocalCloud

ROOT = Path(__file__).parents[1]
QUESTIONS = json.loads(Path(__file__).with_name("retrieval_questions.json").read_text("utf-8"))
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "bedrock.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0"
NOVA = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0"
REFUSAL = "Sorry, I am unable to assist you with this request."
CHUNKINGS = {
    "default": None,
    "fixed 300, 20 %": {
        "chunkingStrategy": "FIXED_SIZE",
        "fixedSizeChunkingConfiguration": {"maxTokens": 300, "overlapPercentage": 20},
    },
    "hierarchical 600, 30": {
        "chunkingStrategy": "HIERARCHICAL",
        "hierarchicalChunkingConfiguration": {
            "levelConfigurations": [{"maxTokens": 600}, {"maxTokens": 30}],
            "overlapTokens": 1,
        },
    },
}
BEST = "hierarchical 600, 30"
# Of hierarchical chunks the parents are fewer than the children that were found.
RESULTS, COUNTED = 10, 5
CHUNKS, TURNS = 10_000, 50


def corpus() -> dict[str, str]:
    """The course's text by key."""
    found = {path.name: path.read_text("utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        words = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
        found[f"{path.stem}.md"] = "\n\n".join(words)
    return found


def main() -> int:
    """Print both tables."""
    console = Console(width=100)
    table = Table("chunking", "chunks", "recall@1", "recall@5", "Retrieve, p50")
    with LocalCloud(port=0) as cloud:
        bucket(cloud)
        for name, chunking in CHUNKINGS.items():
            base_id, chunks = ingest(cloud, chunking)
            first, five, milliseconds = recall(cloud, base_id)
            table.add_row(
                name, str(chunks), f"{first:.2f}", f"{five:.2f}", f"{milliseconds:.0f} ms"
            )
            if name == BEST:
                refusals = refused(cloud, base_id)
    console.print(f"{len(QUESTIONS['answerable'])} questions about the course's own text", table)
    console.print(
        "RetrieveAndGenerate refuses {:.0%} of the answerable and {:.0%} of the unanswerable "
        "questions".format(*refusals)
    )
    console.print(
        "A question over 10,000 chunks, p50: {:.1f} ms, of which the search {:.1f}".format(*speed())
    )
    return 0


def bucket(cloud: LocalCloud) -> None:
    """The corpus in S3, and the role of the knowledge bases."""
    s3, iam = cloud.client("s3"), cloud.client("iam")
    s3.create_bucket(Bucket="course")
    for key, text in corpus().items():
        s3.put_object(Bucket="course", Key=key, Body=text.encode())
    iam.create_role(RoleName="bench", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="bench", PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    cloud.client("s3vectors").create_vector_bucket(vectorBucketName="bench")


def ingest(cloud: LocalCloud, chunking: dict | None) -> tuple[str, int]:
    """A knowledge base of the corpus: its id, and how many vectors it has."""
    s3vectors, agent = cloud.client("s3vectors"), cloud.client("bedrock-agent")
    number = len(s3vectors.list_indexes(vectorBucketName="bench")["indexes"])
    index = s3vectors.create_index(
        vectorBucketName="bench", indexName=f"index-{number}", dataType="float32", dimension=1024,
        distanceMetric="cosine",
        metadataConfiguration={
            "nonFilterableMetadataKeys": ["AMAZON_BEDROCK_TEXT", "AMAZON_BEDROCK_METADATA"]
        },
    )["indexArn"]  # fmt: skip
    storage = {"type": "S3_VECTORS", "s3VectorsConfiguration": {"indexArn": index}}
    base_id = agent.create_knowledge_base(
        name=f"course-{number}",
        roleArn=f"arn:aws:iam::{cloud.account_id}:role/bench",
        knowledgeBaseConfiguration={
            "type": "VECTOR", "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": MODEL},
        },
        storageConfiguration=storage,
    )["knowledgeBase"]["knowledgeBaseId"]  # fmt: skip
    ingestion = {"chunkingConfiguration": chunking} if chunking else {}
    s3 = {"type": "S3", "s3Configuration": {"bucketArn": "arn:aws:s3:::course"}}
    ids = {"knowledgeBaseId": base_id}
    ids["dataSourceId"] = agent.create_data_source(
        **ids, name="course", dataSourceConfiguration=s3, vectorIngestionConfiguration=ingestion
    )["dataSource"]["dataSourceId"]
    ids["ingestionJobId"] = agent.start_ingestion_job(**ids)["ingestionJob"]["ingestionJobId"]
    while (job := agent.get_ingestion_job(**ids)["ingestionJob"])["status"] != "COMPLETE":
        if job["status"] == "FAILED":
            raise RuntimeError(job["failureReasons"])
        time.sleep(0.5)
    pages = s3vectors.get_paginator("list_vectors").paginate(indexArn=index)
    return base_id, sum(len(page["vectors"]) for page in pages)


def recall(cloud: LocalCloud, base_id: str) -> tuple[float, float, float]:
    """The share of questions whose passage is in the first result and in the first five; the median
    time in milliseconds.
    """
    runtime = cloud.client("bedrock-agent-runtime")
    first = five = 0
    times = []
    for question, passages in QUESTIONS["answerable"]:
        begun = time.perf_counter()
        results = runtime.retrieve(
            knowledgeBaseId=base_id,
            retrievalQuery={"text": question},
            retrievalConfiguration={"vectorSearchConfiguration": {"numberOfResults": RESULTS}},
        )["retrievalResults"][:COUNTED]
        times.append(time.perf_counter() - begun)
        texts = [_one_line(result["content"]["text"]) for result in results]
        hits = [any(_one_line(passage) in text for passage in passages) for text in texts]
        first += hits[0]
        five += any(hits)
    count = len(QUESTIONS["answerable"])
    return first / count, five / count, 1000 * statistics.median(times)


def refused(cloud: LocalCloud, base_id: str) -> tuple[float, float]:
    """The shares of answerable and of unanswerable questions that are refused."""
    runtime = cloud.client("bedrock-agent-runtime")

    def share(questions: list[str]) -> float:
        asked = {"knowledgeBaseId": base_id, "modelArn": NOVA}
        answers = [
            runtime.retrieve_and_generate(
                input={"text": question},
                retrieveAndGenerateConfiguration={
                    "type": "KNOWLEDGE_BASE", "knowledgeBaseConfiguration": asked,
                },
            )["output"]["text"]
            for question in questions
        ]  # fmt: skip
        return answers.count(REFUSAL) / len(answers)

    answerable = [question for question, _ in QUESTIONS["answerable"]]
    return share(answerable), share(QUESTIONS["unanswerable"])


def speed() -> tuple[float, float]:
    """Median milliseconds of a question over 10,000 chunks of 1,024 dimensions: with its embedding, and
    of the search alone.
    """
    from localcloud.foundation_models.embeddings import embed, resized
    from localcloud.foundation_models.vector_index import VectorIndex

    index = VectorIndex(1024, "cosine")
    for number in range(CHUNKS):
        index.put(str(number), [random.random() - 0.5 for _ in range(1024)], {})
    questions = [question for question, _ in QUESTIONS["answerable"]]
    whole, search = [], []
    for turn in range(TURNS):
        begun = time.perf_counter()
        # A text that was embedded before would be remembered.
        vector = resized(embed([f"{questions[turn % len(questions)]} {turn}"]), 1024)[0]
        embedded = time.perf_counter()
        index.nearest(vector, 5)
        search.append(time.perf_counter() - embedded)
        whole.append(time.perf_counter() - begun)
    return 1000 * statistics.median(whole), 1000 * statistics.median(search)


def _one_line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    sys.exit(main())
