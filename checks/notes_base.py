"""A knowledge base made of documents, by boto3 alone: bucket, vectors, role, data source, ingestion."""

import contextlib
import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from .deployment import ROLE_S, Deployment

EMBEDDINGS = "amazon.titan-embed-text-v2:0"
_DIMENSIONS = 1024
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "bedrock.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
# Two or three sentences. No sentence of the notes has more than half as many tokens, so none is cut.
_CHUNKING = {
    "chunkingStrategy": "FIXED_SIZE",
    "fixedSizeChunkingConfiguration": {"maxTokens": 32, "overlapPercentage": 1},
}
# What a knowledge base writes beside each vector; too large to filter by (S3 Vectors, metadata limits).
_HIDDEN = ["AMAZON_BEDROCK_TEXT", "AMAZON_BEDROCK_METADATA"]
_INGESTED_S, _DELETED_S = 240, 120


class NotesBase:
    """Documents (key -> text) with their metadata (key -> attributes) as a knowledge base, ingested.

    `remove` takes it away; the bucket and the role go with the deployment.
    """

    def __init__(
        self,
        deployment: Deployment,
        documents: Mapping[str, str],
        metadata: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._deployment = deployment
        self._made = contextlib.ExitStack()
        self._agent = deployment.client("bedrock-agent")
        self.bucket = deployment.bucket("notes")
        s3 = deployment.client("s3")
        for key, text in documents.items():
            s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())
            attributes = json.dumps({"metadataAttributes": metadata[key]})
            s3.put_object(Bucket=self.bucket, Key=f"{key}.metadata.json", Body=attributes.encode())
        try:
            self.id = self._knowledge_base(self._index())
            self._ingest()
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Remove the knowledge base and its vectors."""
        self._made.close()

    def arn(self) -> str:
        """The knowledge base's ARN."""
        return self._deployment.fill(
            "arn:${Partition}:bedrock:${Region}:${Account}:knowledge-base/${Id}", Id=self.id
        )

    def uri(self, key: str) -> str:
        """A document's address."""
        return f"s3://{self.bucket}/{key}"

    def best_score(self, question: str, day: str | None = None) -> float:
        """The score of the passage nearest to a question, among all or among one day's."""
        search = {"filter": {"equals": {"key": "day", "value": day}}} if day else {}
        found = self._deployment.client("bedrock-agent-runtime").retrieve(
            knowledgeBaseId=self.id, retrievalQuery={"text": question},
            retrievalConfiguration={"vectorSearchConfiguration": search},
        )  # fmt: skip
        return found["retrievalResults"][0]["score"]

    def _index(self) -> str:
        vectors, bucket = self._deployment.client("s3vectors"), self._deployment.name("vectors")
        vectors.create_vector_bucket(vectorBucketName=bucket)
        self._made.callback(vectors.delete_vector_bucket, vectorBucketName=bucket)
        index = vectors.create_index(
            vectorBucketName=bucket, indexName="notes", dataType="float32", dimension=_DIMENSIONS,
            distanceMetric="cosine", metadataConfiguration={"nonFilterableMetadataKeys": _HIDDEN},
        )["indexArn"]  # fmt: skip
        self._made.callback(vectors.delete_index, indexArn=index)
        return index

    def _knowledge_base(self, index: str) -> str:
        bucket = f"arn:{self._deployment.partition}:s3:::{self.bucket}"
        model = self._deployment.fill(
            "arn:${Partition}:bedrock:${Region}::foundation-model/" + EMBEDDINGS
        )
        verbs = ("GetIndex", "PutVectors", "GetVectors", "QueryVectors", "DeleteVectors")
        allowed = (
            (["s3:ListBucket"], bucket),
            (["s3:GetObject"], f"{bucket}/*"),
            (["bedrock:InvokeModel"], model),
            ([f"s3vectors:{verb}" for verb in verbs], index),
        )
        policy = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in allowed],
        }
        role = self._deployment.role("notes-role", policy, trust=_TRUST)

        def create() -> str | None:
            try:
                made = self._agent.create_knowledge_base(
                    name=self._deployment.name("notes"), roleArn=role,
                    knowledgeBaseConfiguration={
                        "type": "VECTOR",
                        "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": model},
                    },
                    storageConfiguration={
                        "type": "S3_VECTORS", "s3VectorsConfiguration": {"indexArn": index},
                    },
                )  # fmt: skip
            except ClientError as error:
                if "assume the given role" in str(error):  # it is not known everywhere yet
                    return None
                raise
            return made["knowledgeBase"]["knowledgeBaseId"]

        identifier = self._deployment.wait_for(create, ROLE_S)
        self._made.callback(self._delete, identifier)
        self._deployment.wait_for(lambda: self._state(identifier) == "ACTIVE", _DELETED_S)
        return identifier

    def _ingest(self) -> None:
        ids = {"knowledgeBaseId": self.id}
        ids["dataSourceId"] = self._agent.create_data_source(
            name="notes", knowledgeBaseId=self.id,
            dataSourceConfiguration={
                "type": "S3",
                "s3Configuration": {
                    "bucketArn": f"arn:{self._deployment.partition}:s3:::{self.bucket}"
                },
            },
            vectorIngestionConfiguration={"chunkingConfiguration": _CHUNKING},
        )["dataSource"]["dataSourceId"]  # fmt: skip
        ids["ingestionJobId"] = self._agent.start_ingestion_job(**ids)["ingestionJob"][
            "ingestionJobId"
        ]

        def ended() -> dict[str, Any] | None:
            job = self._agent.get_ingestion_job(**ids)["ingestionJob"]
            return job if job["status"] in ("COMPLETE", "FAILED", "STOPPED") else None

        job = self._deployment.wait_for(ended, _INGESTED_S)
        if job["status"] != "COMPLETE" or job["statistics"]["numberOfDocumentsFailed"]:
            raise RuntimeError(f"the notes were not ingested: {job.get('failureReasons')}")

    def _state(self, identifier: str) -> str | None:
        try:
            found = self._agent.get_knowledge_base(knowledgeBaseId=identifier)
        except self._agent.exceptions.ResourceNotFoundException:
            return None
        return found["knowledgeBase"]["status"]

    def _delete(self, identifier: str) -> None:
        for source in self._agent.list_data_sources(knowledgeBaseId=identifier)[
            "dataSourceSummaries"
        ]:
            self._agent.delete_data_source(
                knowledgeBaseId=identifier, dataSourceId=source["dataSourceId"]
            )
        self._deployment.wait_for(
            lambda: not self._agent.list_data_sources(knowledgeBaseId=identifier)["dataSourceSummaries"],
            _DELETED_S,
        )  # fmt: skip
        self._agent.delete_knowledge_base(knowledgeBaseId=identifier)
        self._deployment.wait_for(lambda: self._state(identifier) is None, _DELETED_S)
