"""Calls the learner's handler for uploads. It tells what the model was asked, and plays the model's part.

What the model says is chosen by the first word of the file's name; for "real" the model itself is asked.
"""

import importlib.util
import json
import sys
from pathlib import Path
from urllib.parse import unquote_plus

from botocore.client import BaseClient
from botocore.exceptions import ClientError, ReadTimeoutError

_FOLDER = Path(__file__).parent / "learner"
_call = BaseClient._make_api_call
_key = ""


def __getattr__(name):
    """The learner's handler by whatever name the template gives it."""
    theirs = getattr(_learners, name)

    def handler(event, context):
        global _key
        _key = unquote_plus(event["Records"][0]["s3"]["object"]["key"])
        try:
            return theirs(event, context)
        finally:
            print("CHECK-END " + json.dumps(_key))

    return handler


def _watched(self, operation_name, api_params):
    if operation_name != "Converse":
        return _call(self, operation_name, api_params)
    print("CHECK-ASKED " + json.dumps([_key, api_params], default=lambda value: "bytes"))
    part = _key.removeprefix("raw/").partition("-")[0]
    if part == "real":
        return _call(self, operation_name, api_params)
    if part in _ERRORS:
        raise _ERRORS[part]
    reason, *words = _PARTS.get(part) or ("end_turn", f"What the model says of {_key}")
    content = [{"text": text} for text in words]
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": reason,
        "usage": {"inputTokens": 50, "outputTokens": 20, "totalTokens": 70},
        "metrics": {"latencyMs": 5},
    }


def _refusal(code, words):
    return ClientError({"Error": {"Code": code, "Message": words}}, "Converse")


_ERRORS = {
    "throttled": _refusal(
        "ThrottlingException", "Too many requests, please wait before trying again."
    ),
    "denied": _refusal("AccessDeniedException", "You don't have access to this model."),
    "late": ReadTimeoutError(endpoint_url="the model"),
}
_PARTS = {
    "guarded": ("guardrail_intervened", "Sorry, the model cannot answer this question."),
    "filtered": ("content_filtered", "I can't say more about"),
    "blank": ("end_turn", " \n "),
    "empty": ("end_turn",),
    "long": ("max_tokens", "  " + "Many words,\nand then\n\nmore words. " * 20),
}

BaseClient._make_api_call = _watched
_spec = importlib.util.spec_from_file_location("learners_photos", _FOLDER / "photos.py")
_learners = importlib.util.module_from_spec(_spec)
sys.path.insert(0, str(_FOLDER))
_spec.loader.exec_module(_learners)
