# InvokeModel with Nova's own body; passages numbered, prompt first; citations with more than was asked for.
import json
from os import environ

import boto3
from botocore.config import Config

session = boto3.session.Session()
config = Config(retries={"mode": "adaptive"})
search = session.client("bedrock-agent-runtime", config=config).retrieve
invoke = session.client("bedrock-runtime", config=config).invoke_model


def handler(event, _):
    match event:
        case {"question": str(question)} if question.strip():
            pass
        case _:
            raise ValueError("question is missing or blank")
    vector = {"numberOfResults": 8}
    if day := event.get("day"):
        vector |= {"filter": {"in": {"key": "day", "value": [day]}}}
    found = search(
        knowledgeBaseId=environ["KNOWLEDGE_BASE_ID"],
        retrievalQuery={"text": question.strip()},
        retrievalConfiguration={"vectorSearchConfiguration": vector},
    )["retrievalResults"]
    near = [each for each in found if each["score"] >= float(environ["MIN_SCORE"])][:3]
    if not near:
        return dict(answered=False, answer="I found nothing about that.", citations=[])
    lines = [f"[{n}] {each['content']['text']}" for n, each in enumerate(near, 1)]
    body = {
        "system": [{"text": "Use the numbered notes alone."}],
        "messages": [{"role": "user", "content": [{"text": f"{question}\n\n" + "\n".join(lines)}]}],
        "inferenceConfig": {"maxTokens": 60, "temperature": 0},
    }
    answer = invoke(modelId=environ["MODEL_ID"], body=json.dumps(body))
    text = json.loads(answer["body"].read())["output"]["message"]["content"][0]["text"]
    citations = [
        {
            "source": each["location"]["s3Location"]["uri"],
            "quote": each["content"]["text"].strip(),
            "score": each["score"],
        }
        for each in near
    ]
    return dict(answered=True, answer=text, citations=citations, model=environ["MODEL_ID"])
