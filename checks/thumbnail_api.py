"""The learner's API: their functions and their definition in the cloud, called over HTTP."""

import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from labkit.grading import Unmet

from .deployment import Deployment
from .web_calls import Reply, send

FILES = ("app.py", "authorizer.py", "api.yaml")
ORIGIN = "https://photos.example"
_STARTS_S = 5  # on AWS a new stage is not everywhere at once
_LOG_S = 3
_SIGNS = ("[ERROR]", "Task timed out")


class ThumbnailApi:
    """An HTTP API made from the three files, with two buckets of its own.

    The function may do more than it needs: what it does that it should not, shows.
    """

    def __init__(
        self, deployment: Deployment, files: Mapping[str, str], token: str, origin: str = ORIGIN
    ):
        self._deployment = deployment
        self._s3 = deployment.client("s3")
        self._apis = deployment.client("apigatewayv2")
        self._asked = 0.0
        self.source, self.thumbnails = deployment.bucket("uploads"), deployment.bucket("thumbs")
        self._functions = [
            self._function("app", files, SOURCE_BUCKET=self.source, DEST_BUCKET=self.thumbnails),
            self._function("authorizer", files, TOKEN=token),
        ]
        app, authorizer = (self._arn(name) for name in self._functions)
        definition = deployment.fill(
            files["api.yaml"], FunctionArn=app, AuthorizerArn=authorizer, PageOrigin=origin
        )
        made = self._apis.import_api(Body=definition)
        self._id, self.address = made["ApiId"], made["ApiEndpoint"]
        self._allow()
        self._apis.create_stage(ApiId=self._id, StageName="$default", AutoDeploy=True)

    def call(
        self, method: str, path: str, body: Any = None, *, origin: str = "", token: str = "",
        **headers: str,
    ) -> Reply:  # fmt: skip
        """Send a request to the API. `path` is sent as it is; a body that is no bytes is sent as JSON.

        Underscores in the names of headers are hyphens.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            named.setdefault("content-type", "application/json")
        if origin:
            named["Origin"] = origin
        if token:
            named["Authorization"] = token
        self._asked = time.time()
        return send(method, self.address + path, body, named)

    def ready(self) -> Reply:
        """The answer to GET /thumbnails, once the new API is there."""
        deadline = time.monotonic() + _STARTS_S
        while (reply := self.call("GET", "/thumbnails")).status in (403, 404):
            if time.monotonic() > deadline:
                break
            time.sleep(0.2)
        return reply

    def expect(
        self, reply: Reply, right: object, *, tried: str, expected: str, seen: str = ""
    ) -> None:
        """Go on if it is right. Raises Unmet with the answer, and with the log where a function failed."""
        if right:
            return
        log: list[str] = []
        words = reply.words
        if reply.status >= 500:
            log = self._failures()
            if not log:
                words += ": the function's answer is not of payload format 2.0, or the function was not found"
        raise Unmet(tried=tried, expected=expected, seen=seen or words, log=log)

    def put_thumbnail(self, name: str, body: bytes, content_type: str = "image/jpeg") -> None:
        """Put a thumbnail where the resizer would."""
        self.put_object(f"thumbnails/{name}", body, content_type)

    def put_object(self, key: str, body: bytes, content_type: str = "text/plain") -> None:
        """Put any object into the thumbnails' bucket."""
        self._s3.put_object(Bucket=self.thumbnails, Key=key, Body=body, ContentType=content_type)

    def has_thumbnail(self, name: str) -> bool:
        """Whether it is in the bucket."""
        key = f"thumbnails/{name}"
        found = self._s3.list_objects_v2(Bucket=self.thumbnails, Prefix=key)
        return any(each["Key"] == key for each in found.get("Contents", []))

    def uploaded(self) -> dict[str, bytes]:
        """What has been uploaded: key -> content."""
        found = self._s3.list_objects_v2(Bucket=self.source).get("Contents", [])
        return {
            each["Key"]: self._s3.get_object(Bucket=self.source, Key=each["Key"])["Body"].read()
            for each in found
        }

    def remove(self) -> None:
        """Delete the API. The rest is the deployment's to remove."""
        self._apis.delete_api(ApiId=self._id)

    def _function(self, word: str, files: Mapping[str, str], **environment: str) -> str:
        logs = self._deployment.fill("arn:${Partition}:logs:${Region}:${Account}:*")
        statements = [_allow("logs:*", logs)]
        if word == "app":
            buckets = [
                f"arn:{self._deployment.partition}:s3:::{name}"
                for name in (self.source, self.thumbnails)
            ]
            statements.append(_allow("s3:*", [*buckets, *(f"{arn}/*" for arn in buckets)]))
        role = self._deployment.role(
            f"{word}-role", {"Version": "2012-10-17", "Statement": statements}
        )
        return self._deployment.function(
            word, {f"{word}.py": files[f"{word}.py"]}, handler=f"{word}.handler", role=role,
            environment=environment, memory=512,
        )  # fmt: skip

    def _arn(self, function: str) -> str:
        return self._deployment.client("lambda").get_function_configuration(FunctionName=function)[
            "FunctionArn"
        ]

    def _allow(self) -> None:
        source = (
            self._deployment.fill("arn:${Partition}:execute-api:${Region}:${Account}:")
            + f"{self._id}/*"
        )
        for name in self._functions:
            self._deployment.client("lambda").add_permission(
                FunctionName=name, StatementId="api", Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com", SourceArn=source,
            )  # fmt: skip

    def _failures(self) -> list[str]:
        """What the functions have logged of their failure in the last request."""
        deadline = time.monotonic() + _LOG_S
        while time.monotonic() < deadline:
            for name in self._functions:
                errors = [line for line in self._log(name) if any(sign in line for sign in _SIGNS)]
                if errors:
                    return errors[-1:]
            time.sleep(0.1)
        return []

    def _log(self, name: str) -> list[str]:
        logs, since = self._deployment.client("logs"), int(self._asked * 1000)
        try:
            found = logs.filter_log_events(logGroupName=f"/aws/lambda/{name}", startTime=since)
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in found["events"]]


def path_of(name: str, **query: object) -> str:
    """The path of a thumbnail, or of the list without a name, with its query string."""
    path = f"/thumbnails/{quote(name, safe='')}" if name else "/thumbnails"
    return f"{path}?{urlencode(query)}" if query else path


def _allow(action: str, resource: str | list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}
