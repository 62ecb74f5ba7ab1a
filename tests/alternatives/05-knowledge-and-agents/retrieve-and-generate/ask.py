# One call does it all: RetrieveAndGenerate, which refuses by itself and says so by a citation of nothing.
import os

import boto3

runtime = boto3.client("bedrock-agent-runtime")
MODEL = f"arn:aws:bedrock:{os.environ['AWS_REGION']}::foundation-model/{os.environ['MODEL_ID']}"


def handler(event, context):
    question = str(event.get("question") or "").strip()
    if not question:
        raise ValueError("no question")
    settings = {"knowledgeBaseId": os.environ["KNOWLEDGE_BASE_ID"], "modelArn": MODEL}
    if "day" in event:
        settings["retrievalConfiguration"] = {
            "vectorSearchConfiguration": {
                "filter": {"equals": {"key": "day", "value": event["day"]}}
            }
        }
    answer = runtime.retrieve_and_generate(
        input={"text": question},
        retrieveAndGenerateConfiguration={
            "type": "KNOWLEDGE_BASE",
            "knowledgeBaseConfiguration": settings,
        },
    )
    citations = []
    for citation in answer["citations"]:
        for reference in citation["retrievedReferences"]:
            uri = reference["location"]["s3Location"]["uri"]
            citations.append({"source": uri, "quote": reference["content"]["text"]})
    return {
        "answered": bool(citations),
        "answer": answer["output"]["text"],
        "citations": citations,
    }
