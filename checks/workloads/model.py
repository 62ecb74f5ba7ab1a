"""Plays the part of Bedrock Runtime's Converse behind an HTTP API, and logs what it was asked.

parts.json says what is answered about which file: {name: answer}. The name is looked for in the request. An
answer is {"error": code} or {"stopReason": …, "texts": […]}. Who asks sees neither the parts nor the log.
"""

import json
from pathlib import Path
from urllib.parse import unquote

PARTS = json.loads((Path(__file__).parent / "parts.json").read_text())
_STATUS = {"ThrottlingException": 429, "AccessDeniedException": 403}
_PLAIN = {"stopReason": "end_turn", "texts": ["A photograph."]}


def handler(event, context):
    """Answer one request to /model/{modelId}/converse."""
    asked = json.loads(event["body"])
    said = json.dumps(asked, ensure_ascii=False)
    name = next((each for each in PARTS if each in said), "")
    model = unquote(event["rawPath"]).rpartition("/model/")[2].removesuffix("/converse")
    print("ASKED " + json.dumps([name, {**asked, "modelId": model}]))
    part = PARTS.get(name, _PLAIN)
    if "error" in part:
        body = {"__type": part["error"], "message": "The model has no answer now."}
        return _answer(_STATUS[part["error"]], body)
    content = [{"text": text} for text in part["texts"]]
    body = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": part["stopReason"],
        "usage": {"inputTokens": 50, "outputTokens": 20, "totalTokens": 70},
        "metrics": {"latencyMs": 5},
    }
    return _answer(200, body)


def _answer(status, body):
    headers = {"content-type": "application/json"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body)}
