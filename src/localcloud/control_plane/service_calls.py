"""Calls of a service's own API from inside the control plane: boto3's, answered in this process.

CloudFormation makes resources by calling the services, so what a service refuses, a template is refused.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.model import Shape
from moto.core.botocore_stubber import MockRawResponse
from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.test import Client

from . import lambda_api


@functools.cache
def client(service: str, region: str) -> Any:
    """A client of one of this cloud's services, such as apigateway, that needs no network."""
    made = _session().client(
        service,
        region,
        endpoint_url=f"https://{service}.{region}.amazonaws.com",
        # Keys of nobody in IAM: the account's own.
        aws_access_key_id="control-plane",
        aws_secret_access_key="control-plane",
        config=Config(retries={"total_max_attempts": 1}),
    )
    made.meta.events.register("before-send", functools.partial(_answer, service))
    return made


@functools.cache
def _session() -> boto3.Session:
    # Not boto3's default, to which whoever runs a cloud in their own process may have added handlers.
    return boto3.Session()


@functools.cache
def _application(service: str) -> Client:
    return Client(create_backend_app(service))


def _answer(service: str, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    parts = urlsplit(request.url)
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else value
        for name, value in request.headers.items()
    }
    if service == "lambda":  # the one API that isn't moto's
        region = parts.netloc.split(".")[1]
        account_id = os.environ["MOTO_ACCOUNT_ID"]  # where moto_app.py puts it
        status, given, content = lambda_api.answer(
            account_id, region, request.method, parts.path, parts.query, headers, body
        )
        answered = {name.decode(): value.decode() for name, value in given}
        return AWSResponse(request.url, status, answered, MockRawResponse(content))
    answer = _application(service).open(
        f"{parts.path}?{parts.query}" if parts.query else parts.path,
        base_url=f"{parts.scheme}://{parts.netloc}",
        method=request.method,
        headers=headers,
        data=body,
    )
    content = MockRawResponse(answer.get_data())
    return AWSResponse(request.url, answer.status_code, dict(answer.headers), content)


def call(client: Any, operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """An operation such as create_stage, with what of `given` is a parameter of it. Raises ClientError."""
    name = "".join(part.capitalize() for part in operation.split("_"))
    return getattr(client, operation)(**parameters(client, name, given))


def parameters(client: Any, operation: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """What of a resource's properties is a parameter of an operation, in its form.

    `operation` is such as PutMethod. A template's numbers and booleans may be text, its documents objects.
    """
    return _member(properties, client.meta.service_model.operation_model(operation).input_shape)


def _member(value: Any, shape: Shape) -> Any:
    match shape.type_name:
        case "structure":
            given = {}
            for name, each in value.items():
                for member in (name, name[:1].lower() + name[1:]):
                    if member in shape.members and each is not None:
                        given[member] = _member(each, shape.members[member])
                        break
            return given
        case "list":
            return [_member(each, shape.member) for each in value]
        case "map" if isinstance(value, list):  # tags
            return {each["Key"]: _member(each["Value"], shape.value) for each in value}
        case "map":
            return {name: _member(each, shape.value) for name, each in value.items()}
        case "boolean":
            return str(value).lower() == "true"
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case _:
            return text(value)


def text(value: Any) -> str:
    """A property that an API takes as text: a document as JSON, a boolean in lower case."""
    if isinstance(value, dict | list):
        return json.dumps(value, default=str)  # an unquoted Version is a date in YAML
    return str(value).lower() if isinstance(value, bool) else str(value)
