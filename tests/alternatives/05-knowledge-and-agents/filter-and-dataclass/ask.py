# The best passage alone is cited and given to the model; a filter by two conditions; dataclasses.
import os
from dataclasses import asdict, dataclass, field

import boto3

agent, runtime = boto3.client("bedrock-agent-runtime"), boto3.client("bedrock-runtime")


@dataclass
class Citation:
    source: str
    quote: str


@dataclass
class Result:
    answered: bool = False
    answer: str = "That is not in the notes."
    citations: list = field(default_factory=list)


class Asker:
    def __init__(self):
        self.base, self.model = os.environ["KNOWLEDGE_BASE_ID"], os.environ["MODEL_ID"]
        self.least = float(os.environ["MIN_SCORE"])

    def ask(self, question, day):
        search = {"numberOfResults": 1}
        if day is not None:
            key = {"key": "day", "value": day}
            search["filter"] = {"andAll": [{"equals": key}, {"in": {**key, "value": [day]}}]}
        found = agent.retrieve(
            knowledgeBaseId=self.base,
            retrievalQuery={"text": question},
            retrievalConfiguration={"vectorSearchConfiguration": search},
        )["retrievalResults"]
        if not found or found[0]["score"] < self.least:
            return Result()
        text = found[0]["content"]["text"]
        answer = runtime.converse(
            modelId=self.model,
            messages=[
                {
                    "role": "user",
                    "content": [{"text": f"<notes>{text}</notes>"}, {"text": question}],
                }
            ],
            inferenceConfig={"maxTokens": 60, "temperature": 0},
        )
        source = found[0]["location"]["s3Location"]["uri"]
        words = "".join(block.get("text", "") for block in answer["output"]["message"]["content"])
        return Result(True, words, [Citation(source, text)])


asker = Asker()


def handler(event, context):
    question = event.get("question")
    if not question or not question.strip():
        raise ValueError("Please ask something")
    return asdict(asker.ask(question, event.get("day")))
