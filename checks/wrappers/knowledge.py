"""Stands around the learner's ask.py in the function, and notes what it asks of AWS.

botocore's own method is replaced before the learner's module makes its clients, of whichever session.
"""

from botocore.client import BaseClient

_calls = []
_call = BaseClient._make_api_call


def _noted(client, operation, parameters):
    _calls.append({"operation": operation, "texts": list(_texts(parameters))})
    return _call(client, operation, parameters)


def _texts(value):
    """All texts in a request, bytes read as UTF-8."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, bytes | bytearray):
        yield value.decode("utf-8", "replace")
    elif isinstance(value, str):
        yield value


BaseClient._make_api_call = _noted

from ask import handler as learners  # noqa: E402  after the replacement, so that all it asks is noted


def handler(event, context):
    """The learner's answer beside the calls that it took; of an error, the calls go to the log."""
    _calls.clear()
    try:
        return {"answer": learners(event, context), "calls": _calls}
    except Exception:
        print("[lab kit] asked:", ", ".join(call["operation"] for call in _calls) or "nothing")
        raise
