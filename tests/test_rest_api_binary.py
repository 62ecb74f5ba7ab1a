"""Bytes and texts through a REST API: binaryMediaTypes, contentHandling, Accept.

The rows are those of "Content type conversions in API Gateway".
"""

import base64
import itertools

import pytest

from rest_apis import RestApi
from web_servers import web_server

RAW = b"\x89PNG\x00\xff"
TEXT = base64.b64encode(RAW)
HANDLING = (None, "CONVERT_TO_BINARY", "CONVERT_TO_TEXT")
# Whether the payload is binary, whether the answer is to be, and what becomes of it by HANDLING.
ANSWERS = {
    (False, False): (TEXT, RAW, TEXT),
    (False, True): (RAW, RAW, TEXT),
    (True, False): (TEXT, RAW, TEXT),
    (True, True): (RAW, RAW, TEXT),
}
REQUESTS = {False: (TEXT, RAW, TEXT), True: (RAW, RAW, TEXT)}


@pytest.fixture(scope="module")
def seen():
    return []


@pytest.fixture(scope="module")
def api(local_cloud, seen):
    def answer(method, path, headers, body):
        seen.append(body)
        kind = "image/png" if path == "/binary" else "text/plain"
        return 200, [("Content-Type", kind)], RAW if path == "/binary" else TEXT

    with web_server(answer) as backend:
        api = RestApi(local_cloud, binaryMediaTypes=["image/png"])
        for handling, kind in itertools.product(HANDLING, ("text", "binary")):
            given = {"contentHandling": handling} if handling else {}
            place = api.method(
                "POST", f"/{handling}/{kind}", "HTTP", uri=f"{backend}/{kind}",
                integrationHttpMethod="POST", **given,
            )  # fmt: skip
            api.answer(place, **given)
        api.deploy()
        yield api


def test_what_the_integration_gets(api, seen):
    for is_binary, wanted in REQUESTS.items():
        for handling, body in zip(HANDLING, wanted, strict=True):
            kind = "image/png" if is_binary else "text/plain"
            sent = RAW if is_binary else TEXT
            api.call(f"/dev/{handling}/text", "POST", sent, {"Content-Type": kind})
            assert seen[-1] == body, (is_binary, handling)


def test_what_the_caller_gets(api):
    for (is_binary, is_wanted), wanted in ANSWERS.items():
        for handling, body in zip(HANDLING, wanted, strict=True):
            accept = {"Accept": "image/png,*/*" if is_wanted else "text/plain"}
            path = f"/dev/{handling}/{'binary' if is_binary else 'text'}"
            reply = api.call(path, "POST", TEXT, {"Content-Type": "text/plain", **accept})
            assert reply.body == body, (is_binary, is_wanted, handling)


def test_what_is_no_base64(api):
    reply = api.call("/dev/CONVERT_TO_BINARY/text", "POST", b"*", {"Content-Type": "text/plain"})
    assert reply.status == 400
