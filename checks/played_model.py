"""A model that answers by a script, in a function of its own: code that asks it can't see the script.

Bedrock Runtime's clients come to it by AWS_ENDPOINT_URL_BEDROCK_RUNTIME, here and on AWS ("Service-specific
endpoints" in the AWS SDKs and Tools Reference Guide).
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .deployment import Deployment
from .json_texts import value_of

VARIABLE = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"
_SOURCE = (Path(__file__).parent / "workloads" / "model.py").read_bytes()
# What a function has logged is in its group within moments; AWS promises no number.
_LOGGED_S = 20


class PlayedModel:
    """The model and its address. `parts` says what is answered about which file: see workloads/model.py."""

    def __init__(self, deployment: Deployment, parts: Mapping[str, Mapping[str, Any]]):
        self._deployment = deployment
        logs = deployment.fill("arn:${Partition}:logs:${Region}:${Account}:*")
        allow = {"Effect": "Allow", "Action": "logs:*", "Resource": logs}
        files = {"model.py": _SOURCE, "parts.json": json.dumps(parts)}
        self._name = deployment.function(
            "model", files, handler="model.handler",
            role=deployment.role("model", {"Version": "2012-10-17", "Statement": [allow]}),
        )  # fmt: skip
        functions, apis = deployment.client("lambda"), deployment.client("apigatewayv2")
        arn = functions.get_function_configuration(FunctionName=self._name)["FunctionArn"]
        api = apis.create_api(Name=deployment.name("model"), ProtocolType="HTTP", Target=arn)
        self._api = api["ApiId"]
        source = deployment.fill("arn:${Partition}:execute-api:${Region}:${Account}:")
        functions.add_permission(
            FunctionName=self._name, StatementId="api", Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com", SourceArn=f"{source}{self._api}/*",
        )  # fmt: skip
        self.address = _for_functions(api["ApiEndpoint"], self._api)

    def asked(self, name: str) -> list[dict[str, Any]]:
        """What it was asked about a file: the parameters of each call of Converse, waited for."""
        deadline = time.monotonic() + _LOGGED_S
        while not (found := self._asked(name)) and time.monotonic() < deadline:
            time.sleep(0.2)
        return found

    def asked_so_far(self, name: str) -> list[dict[str, Any]]:
        """The same without waiting."""
        return self._asked(name)

    def remove(self) -> None:
        """Delete its API. The rest is the deployment's to remove."""
        self._deployment.client("apigatewayv2").delete_api(ApiId=self._api)

    def _asked(self, name: str) -> list[dict[str, Any]]:
        logs = self._deployment.client("logs")
        pages = logs.get_paginator("filter_log_events")
        try:
            lines = [
                event["message"]
                for page in pages.paginate(logGroupName=f"/aws/lambda/{self._name}")
                for event in page["events"]
            ]
        except logs.exceptions.ResourceNotFoundException:
            return []
        calls = [
            value_of(line.removeprefix("ASKED ")) for line in lines if line.startswith("ASKED ")
        ]
        return [asked for about, asked in calls if about == name]


def _for_functions(endpoint: str, api: str) -> str:
    """An API's address as a function can use it.

    Names below localhost are this machine (RFC 6761), but not every system's resolver knows: the local cloud
    takes the API by its path, too.
    """
    place = urlsplit(endpoint)
    if not (place.hostname or "").endswith(".localhost"):
        return endpoint
    return f"{place.scheme}://127.0.0.1:{place.port}/_aws/execute-api/{api}/$default"
