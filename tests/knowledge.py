"""How the tests bring a knowledge base into a cloud, through boto3 alone."""

import functools
import uuid

from deployment import policy_of, trust_of, wait_for
from localcloud import LocalCloud

MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0"
ANSWERS_WITH = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0"
TRUST = trust_of("bedrock.amazonaws.com")
SEMANTIC = {
    "chunkingStrategy": "SEMANTIC",
    "semanticChunkingConfiguration": {
        "maxTokens": 100,
        "bufferSize": 0,
        "breakpointPercentileThreshold": 70,
    },
}
DOCUMENTS = {
    "lambda.md": """# Lambda

A cold start happens when Lambda makes a new execution environment for a function. The environment is
kept for later invocations, which are warm starts.

Memory can be set from 128 MB to 10,240 MB. The share of a processor grows with it.
""",
    "s3.txt": """A bucket name is unique in its partition. Objects can be as large as 50 TB.
Event notifications are delivered at least once, usually within seconds.""",
    "cats.html": """<html><head><title>hidden</title><style>p {}</style></head><body><h1>Cats</h1>
<p>A cat sleeps for twelve to <b>sixteen</b> hours a day.</p><script>hidden()</script></body></html>""",
    "prices.csv": """product,price
The blue teapot costs 12 euros,12
The red kettle costs 40 euros,40
""",
}


def client(cloud, service: str):
    """The administrator's client; made once, since the models of these services are large."""
    return _client(cloud.endpoint_url, service)


@functools.cache
def _client(endpoint_url: str, service: str):
    return _session().client(service, endpoint_url=endpoint_url)


@functools.cache
def _session():
    return LocalCloud(port=0).session()


def service_role(cloud, name: str, *statements: dict) -> str:
    """A role that Bedrock may assume; returns its ARN."""
    iam = client(cloud, "iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy_of(*statements))
    return arn


def permissions(bucket: str) -> list[dict]:
    """What a knowledge base's role needs, a statement each."""
    return [
        {"Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{bucket}"},
        {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"},
        {"Action": "bedrock:InvokeModel", "Resource": MODEL},
        {
            "Action": [f"s3vectors:{name}Vectors" for name in ("Put", "Query", "Get", "Delete")],
            "Resource": "*",
        },
    ]


class KnowledgeBase:
    """A knowledge base on a bucket of its own, with one data source."""

    def __init__(self, cloud, documents: dict, chunking: dict | None = None, statements=None):
        self.cloud = cloud
        self.agent = client(cloud, "bedrock-agent")
        self.runtime = client(cloud, "bedrock-agent-runtime")
        self.s3 = client(cloud, "s3")
        self.name = self.bucket = f"kb-{uuid.uuid4().hex[:12]}"
        self.s3.create_bucket(Bucket=self.bucket)
        for key, text in documents.items():
            self.put(key, text)
        self.index = make_index(cloud, f"vectors-{self.name}")
        allowed = permissions(self.bucket) if statements is None else statements
        self.role = service_role(cloud, self.name, *allowed)
        self.id = self.agent.create_knowledge_base(**self.settings())["knowledgeBase"][
            "knowledgeBaseId"
        ]
        ingestion = {"chunkingConfiguration": chunking} if chunking else None
        self.source = self.agent.create_data_source(
            knowledgeBaseId=self.id,
            name="notes",
            dataSourceConfiguration={
                "type": "S3",
                "s3Configuration": {"bucketArn": f"arn:aws:s3:::{self.bucket}"},
            },
            **({"vectorIngestionConfiguration": ingestion} if ingestion else {}),
        )["dataSource"]["dataSourceId"]

    def settings(self, **changes) -> dict:
        """What CreateKnowledgeBase was given."""
        return {
            "name": self.name,
            "roleArn": self.role,
            "knowledgeBaseConfiguration": {
                "type": "VECTOR",
                "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": MODEL},
            },
            "storageConfiguration": {
                "type": "S3_VECTORS",
                "s3VectorsConfiguration": {"indexArn": self.index},
            },
            **changes,
        }

    def put(self, key: str, content: str | bytes) -> None:
        """Put a document into the bucket."""
        body = content.encode() if isinstance(content, str) else content
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def ingest(self) -> dict:
        """Run an ingestion job to its end; return it."""
        ids = {"knowledgeBaseId": self.id, "dataSourceId": self.source}
        job = self.agent.start_ingestion_job(**ids)["ingestionJob"]
        ids["ingestionJobId"] = job["ingestionJobId"]

        def ended():
            now = self.agent.get_ingestion_job(**ids)["ingestionJob"]
            return now if now["status"] in ("COMPLETE", "FAILED", "STOPPED") else None

        return wait_for(ended, 60)

    def ask(self, question: str, **settings) -> list[dict]:
        """The results of Retrieve."""
        answer = self.runtime.retrieve(
            knowledgeBaseId=self.id,
            retrievalQuery={"text": question},
            retrievalConfiguration={"vectorSearchConfiguration": settings},
        )
        return answer["retrievalResults"]

    def texts(self, question: str, **settings) -> list[str]:
        """The texts of Retrieve's results."""
        return [result["content"]["text"] for result in self.ask(question, **settings)]

    def answer(self, question: str, **more) -> dict:
        """What RetrieveAndGenerate says."""
        return self.runtime.retrieve_and_generate(**self.question(question), **more)

    def question(self, question: str) -> dict:
        """The parameters of RetrieveAndGenerate."""
        settings = {"knowledgeBaseId": self.id, "modelArn": ANSWERS_WITH}
        return {
            "input": {"text": question},
            "retrieveAndGenerateConfiguration": {
                "type": "KNOWLEDGE_BASE",
                "knowledgeBaseConfiguration": settings,
            },
        }


def make_index(cloud, bucket: str, dimension: int = 1024, hidden=None) -> str:
    """A vector bucket with an index as a knowledge base needs it; returns the index's ARN."""
    s3vectors = client(cloud, "s3vectors")
    s3vectors.create_vector_bucket(vectorBucketName=bucket)
    hidden = ["AMAZON_BEDROCK_TEXT", "AMAZON_BEDROCK_METADATA"] if hidden is None else hidden
    return s3vectors.create_index(
        vectorBucketName=bucket,
        indexName="chunks",
        dataType="float32",
        dimension=dimension,
        distanceMetric="cosine",
        metadataConfiguration={"nonFilterableMetadataKeys": hidden},
    )["indexArn"]
