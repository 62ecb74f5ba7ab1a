# ConverseStream; the passages go as documents, and clients are made in the first call.
import functools
import os

import boto3

client = functools.cache(boto3.client)


def handler(event, context):
    if not (event.get("question") or "").strip():
        raise ValueError("The question is empty")
    return answer(event["question"], event.get("day") or None)


def answer(question, day):
    where = {"filter": {"equals": {"key": "day", "value": day}}} if day else {}
    results = client("bedrock-agent-runtime").retrieve(
        knowledgeBaseId=os.environ["KNOWLEDGE_BASE_ID"],
        retrievalQuery={"text": question},
        retrievalConfiguration={"vectorSearchConfiguration": where},
    )["retrievalResults"]
    results = list(filter(lambda r: r["score"] > float(os.environ["MIN_SCORE"]), results))
    if len(results) == 0:
        return {"answered": False, "answer": "Unknown.", "citations": []}
    documents = [
        {"document": {"name": f"note {n}", "format": "txt", "source": {"bytes": text.encode()}}}
        for n, text in enumerate(r["content"]["text"] for r in results)
    ]
    stream = client("bedrock-runtime").converse_stream(
        modelId=os.environ["MODEL_ID"],
        messages=[{"role": "user", "content": [*documents, {"text": question}]}],
        inferenceConfig={"maxTokens": 60, "temperature": 0.0001},
    )["stream"]
    pieces = [e["contentBlockDelta"]["delta"]["text"] for e in stream if "contentBlockDelta" in e]
    return {
        "answered": True,
        "answer": "".join(pieces),
        "citations": [
            {"quote": r["content"]["text"], "source": r["metadata"]["x-amz-bedrock-kb-source-uri"]}
            for r in results
        ],
    }
