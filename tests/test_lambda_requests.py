"""Requests to Lambda that are none: unknown operations, bodies that can't be read, wrong types."""

import json
import urllib.error
import urllib.request

import pytest

from deployment import deploy
from refusals import refusal

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/lambda/aws4_request, SignedHeaders=host, "
    "Signature=0"
)


@pytest.fixture(scope="module")
def ask(local_cloud):
    """Sends a request; returns status, headers and the JSON document."""
    deploy(local_cloud, "fn", "def handler(event, context): return 1\n")

    def ask(method, path, body=None):
        request = urllib.request.Request(
            local_cloud.endpoint_url + path,
            data=body,
            method=method,
            headers={"Authorization": SIGNED},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, dict(answer.headers), json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, dict(error.headers), json.loads(error.read())

    return ask


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/2015-03-31/nothing"),
        ("PATCH", "/2015-03-31/functions/fn"),
        ("DELETE", "/2015-03-31/functions"),
        ("GET", "/2015-03-31/functions/fn/nothing"),
        ("POST", "/2015-03-31/functions/fn/code"),
        ("GET", "/2025-11-30/capacity-providers"),  # an operation that AWS has
        ("GET", "/2099-01-01/functions"),
    ],
)
def test_unknown_operation(ask, method, path):
    status, headers, document = ask(method, path)
    assert status == 404
    assert headers["content-type"] == "application/json"
    assert headers["x-amzn-errortype"] == document["__type"] == "UnknownOperationException"
    assert document["message"].startswith("localcloud has no operation ")


@pytest.mark.parametrize("body", [b"{broken", b"[1]", b"\xff\xfe"])
def test_body_that_cannot_be_read(ask, body):
    for method, path in (
        ("POST", "/2015-03-31/functions"),
        ("PUT", "/2015-03-31/functions/fn/configuration"),
    ):
        status, headers, document = ask(method, path, body)
        assert (status, headers["x-amzn-errortype"]) == (400, "SerializationException")
        assert document.keys() == {"message"}


@pytest.mark.parametrize(
    "given",
    [
        {"Timeout": "soon"},
        {"Timeout": True},
        {"Timeout": 1.5},
        {"Handler": 1},
        {"Layers": "none"},
        {"Environment": {"Variables": {"COLOUR": 1}}},
        {"Environment": []},
    ],
)
def test_value_of_another_type(ask, given):
    path = "/2015-03-31/functions/fn/configuration"
    status, headers, _ = ask("PUT", path, json.dumps(given).encode())
    assert (status, headers["x-amzn-errortype"]) == (400, "SerializationException")


def test_null_is_not_given(ask):
    path = "/2015-03-31/functions/fn/configuration"
    status, _, document = ask(
        "PUT", path, json.dumps({"Timeout": None, "Handler": "app.h"}).encode()
    )
    assert (status, document["Timeout"], document["Handler"]) == (200, 10, "app.h")


def test_trailing_slash_and_encoded_names(ask):
    arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Afn"
    for path in ("functions/", f"functions/{arn}", f"functions/{arn}/configuration/"):
        assert ask("GET", f"/2015-03-31/{path}")[0] == 200


def test_pages(local_cloud, ask):
    functions = local_cloud.client("lambda")
    for name in ("page-a", "page-b"):
        deploy(local_cloud, name, "def handler(event, context): pass\n")
    found = [
        each["FunctionName"]
        for page in functions.get_paginator("list_functions").paginate(
            PaginationConfig={"PageSize": 1}
        )
        for each in page["Functions"]
    ]
    assert found == ["fn", "page-a", "page-b"]
    assert refusal(functions.list_functions, Marker="!")[:2] == (
        400,
        "InvalidParameterValueException",
    )
    assert (
        ask("GET", "/2015-03-31/functions?MaxItems=0")[1]["x-amzn-errortype"]
        == "ValidationException"
    )
    assert (
        ask("GET", "/2015-03-31/functions?MaxItems=x")[1]["x-amzn-errortype"]
        == "SerializationException"
    )


def test_invoke_with_a_name_that_cannot_be(local_cloud):
    invoke = local_cloud.client("lambda").invoke
    status, code, message = refusal(invoke, FunctionName="no function")
    assert (status, code) == (400, "ValidationException")
    assert message.startswith(
        "1 validation error detected: Value 'no function' at 'functionName' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: "
    )
    assert refusal(invoke, FunctionName="fn:1", Qualifier="2")[:2] == (
        400, "InvalidParameterValueException"
    )  # fmt: skip


def test_answers_have_a_request_id(local_cloud, ask):
    functions = local_cloud.client("lambda")
    assert functions.list_functions()["ResponseMetadata"]["RequestId"]
    assert ask("GET", "/2015-03-31/functions/nobody")[1]["x-amzn-requestid"]
