"""Answers questions about the week's notes, with its sources; says so where the notes don't say.

Lambda calls handler() with {"question": "…"}, or {"question": "…", "day": "monday"}. The environment
variables are KNOWLEDGE_BASE_ID, the notes; MODEL_ID, which words the answer; MIN_SCORE, such as 0.35.

- It returns {"answered": true, "answer": "…", "citations": [{"source": "s3://…", "quote": "…"}, …]}.
- A citation is a passage that was retrieved: `source` is the document's address in S3, and `quote` stands in
  that document word for word. The passage nearest to the question comes first.
- A passage with a score below MIN_SCORE doesn't count. Where none is left the notes don't say, and it returns
  {"answered": false, "answer": "…", "citations": []}. The model isn't asked then: it costs, and it invents.
- The model is asked once, with the question and all the passages that are cited.
- With a day, only notes of that day count: those whose metadata has it under `day`.
- A question that is missing, no text or blank raises ValueError, before anything is asked.
- An error of Bedrock is no answer: it is Lambda's to see, and so is a knowledge base that doesn't exist.
"""

import os

import boto3

# Made once for each execution environment, and used by all its invocations.
knowledge = boto3.client("bedrock-agent-runtime")
models = boto3.client("bedrock-runtime")
KNOWLEDGE_BASE_ID = os.environ["KNOWLEDGE_BASE_ID"]
MODEL_ID = os.environ["MODEL_ID"]
MIN_SCORE = float(os.environ["MIN_SCORE"])

INSTRUCTIONS = (
    "Answer the question in one sentence, with nothing but what the notes say. "
    "If they don't say, answer that they don't."
)
REFUSAL = {"answered": False, "answer": "The notes don't say.", "citations": []}


def handler(event, context):
    """Answer event["question"]; see above."""
    question = event.get("question")
    # >>> TODO 7: Raise ValueError, with words that help, unless the question is a text that isn't blank.
    if not isinstance(question, str) or not question.strip():
        raise ValueError('Ask a question: {"question": "Who is on call?"}')
    # <<<
    passages = retrieve(question, event.get("day"))
    # >>> TODO 5: Return REFUSAL where no passage is left, before the model is asked.
    if not passages:
        return REFUSAL
    # <<<
    return {
        "answered": True,
        "answer": write_answer(question, passages),
        "citations": [cite(passage) for passage in passages],
    }


def retrieve(question, day):
    """The passages that are near enough to the question, the nearest first; of one day, if it is given."""
    search = {"numberOfResults": 5}
    # >>> TODO 6: If there is a day, let search have a filter: the metadata's key "day" equals it.
    if day:
        search["filter"] = {"equals": {"key": "day", "value": day}}
    # <<<
    # >>> TODO 1: Call Retrieve: the knowledge base, the question, search as vectorSearchConfiguration.
    found = knowledge.retrieve(
        knowledgeBaseId=KNOWLEDGE_BASE_ID,
        retrievalQuery={"text": question},
        retrievalConfiguration={"vectorSearchConfiguration": search},
    )
    #| raise NotImplementedError("TODO 1: retrieve passages")
    # <<<
    # >>> TODO 4: Keep only the results whose score is at least MIN_SCORE.
    return [result for result in found["retrievalResults"] if result["score"] >= MIN_SCORE]
    #| return found["retrievalResults"]
    # <<<


def write_answer(question, passages):
    """The model's answer to the question, out of the passages."""
    notes = "\n\n".join(passage["content"]["text"] for passage in passages)
    # >>> TODO 3: Say in the prompt what the notes are, and what the question is.
    prompt = f"Notes:\n{notes}\n\nQuestion: {question}"
    #| prompt = question
    # <<<
    answer = models.converse(
        modelId=MODEL_ID,
        system=[{"text": INSTRUCTIONS}],
        messages=[{"role": "user", "content": [{"text": prompt}]}],
        inferenceConfig={"maxTokens": 80, "temperature": 0},
    )
    return answer["output"]["message"]["content"][0]["text"]


def cite(passage):
    """Where a passage stands, and its words."""
    # >>> TODO 2: The source is the document's address in S3, the quote the passage's text.
    return {
        "source": passage["location"]["s3Location"]["uri"],
        "quote": passage["content"]["text"],
    }
    #| return {"source": "", "quote": ""}
    # <<<
