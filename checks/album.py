"""The learner's album as its users see it: a stack, its two APIs, and what its functions have logged."""

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labkit import packages
from labkit.grading import Unmet, expect

from .deployment import Deployment, empty_bucket
from .live_page import LivePage
from .played_model import VARIABLE
from .stacks import Stack
from .web_calls import Reply, send

SOURCES = ("uploads.py", "photos.py", "connections.py")
OUTPUTS = {
    "HttpEndpoint", "SocketEndpoint", "SourceBucket", "ThumbnailBucket", "ConnectionTable",
    "UploadFunction", "PhotoFunction", "ConnectionFunction",
}  # fmt: skip
ARRIVAL_S = 40
_WATCHED = (Path(__file__).parent / "wrappers" / "model.py").read_bytes()
_FAILED = ("[ERROR]", "Task timed out")


def function_zip(files: dict[str, bytes]) -> bytes:
    """The functions' zip, in which the end of photos.py is told."""
    given = dict(files)
    return packages.zipped(
        {**given, "learner/photos.py": given["photos.py"], "photos.py": _WATCHED}
    )


class Album:
    """A stack of the learner's template, and the calls that pages make."""

    def __init__(self, deployment: Deployment, template: str, parameters: dict[str, str]):
        # A bucket's name takes 23 letters of the stack's, and the account's and region's besides.
        name = f"lab-{deployment.name('')[-9:-1]}"
        self.deployment = deployment
        self.stack = Stack(deployment, name, template, {**parameters, "Name": name})
        self._log_groups: dict[str, str] = {}

    def create(self) -> None:
        """Create the stack. Raises Unmet where it fails, or has not the outputs that it should have."""
        self.stack.create()
        self.outputs = self.stack.outputs
        missing = OUTPUTS - self.outputs.keys()
        expect(
            not missing,
            tried="created a stack of template.yaml",
            expected=f"the outputs {', '.join(sorted(OUTPUTS))}",
            seen=f"there is no output {', '.join(sorted(missing))}",
        )

    def call(self, method: str, path: str, body: Any = None) -> Reply:
        """Send a request to the HTTP API; a body is sent as JSON."""
        content = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        # On AWS a new stage is not everywhere at once.
        for _ in range(10):
            reply = send(method, self.outputs["HttpEndpoint"] + path, content, headers)
            if reply.status not in (403, 404):
                break
            time.sleep(0.5)
        return reply

    def page(self) -> LivePage:
        """Open a page that is connected. Raises Unmet where it is not let in."""
        try:
            return LivePage(self.outputs["SocketEndpoint"])
        except Unmet as unmet:
            unmet.log = tuple(self.last_failure("ConnectionFunction"))
            raise

    def upload(self, name: str, body: bytes) -> None:
        """Put a photograph into the source bucket."""
        self._s3.put_object(Bucket=self.outputs["SourceBucket"], Key=f"raw/{name}", Body=body)

    def handled(self, *names: str) -> bool:
        """Wait until the function has come to its end with each of these uploads; whether it has."""
        ends = {f"CHECK-END {json.dumps(f'raw/{name}')}" for name in names}

        def look() -> bool:
            lines = self.lines("PhotoFunction")
            failed = any("INIT_REPORT" in line and "Status: error" in line for line in lines)
            return failed or ends <= set(lines)

        try:
            self.deployment.wait_for(look, ARRIVAL_S)
        except Unmet:
            return False
        return ends <= set(self.lines("PhotoFunction"))

    def taken_care_of(self, *photographs: tuple[str, bytes]) -> bool:
        """Upload photographs, each when the function is done with the one before; whether it is with all.

        All at once they would start an execution environment each.
        """
        for name, body in photographs:
            self.upload(name, body)
            if not self.handled(name):
                return False
        return True

    def ask(self, address: str | None) -> None:
        """Have the function ask the model at this address; the one on Bedrock without."""
        name, functions = self.outputs["PhotoFunction"], self.deployment.client("lambda")
        found = functions.get_function_configuration(FunctionName=name)
        variables = dict(found.get("Environment", {}).get("Variables", {}))
        variables.pop(VARIABLE, None)
        if address:
            variables[VARIABLE] = address
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": variables}
        )
        self.deployment.wait_until_active(name)

    def thumbnail(self, name: str) -> dict[str, Any] | None:
        """The thumbnail's object, with its bytes as Body, or None."""
        place = {"Bucket": self.outputs["ThumbnailBucket"], "Key": f"thumbnails/{name}"}
        try:
            found = self._s3.get_object(**place)
        except self._s3.exceptions.NoSuchKey:
            return None
        return found | {"Body": found["Body"].read()}

    def photos(self, tried: str) -> dict[str, dict[str, Any]]:
        """What GET /photos answers, by the photographs' names. Raises Unmet where it is no such list."""
        reply = self.call("GET", "/photos")
        found = reply.json() if reply.status == 200 else None
        listed = found.get("photos") if isinstance(found, dict) else None
        expect(
            isinstance(listed, list) and all(isinstance(each, dict) for each in listed),
            tried=f"{tried}, and called GET /photos",
            expected='200 and {"photos": [{"name": …, "alt": …, "alt_by": …, "picture": …}, …]}',
            seen=reply.words,
            log=self.last_failure("UploadFunction"),
        )
        return {str(each.get("name")): each for each in listed}

    def photo(self, name: str, tried: str) -> dict[str, Any]:
        """One of them. Raises Unmet where it is not there."""
        found = self.photos(tried)
        expect(
            name in found,
            tried=f"{tried}, and called GET /photos",
            expected=f"{name} among them",
            seen=f"it is not there: {', '.join(found) or 'the list is empty'}",
            log=self.last_failure("PhotoFunction"),
        )
        return found[name]

    def connections(self) -> list[dict[str, Any]]:
        """The items of the table of connections, as DynamoDB writes them."""
        return self._tables.scan(TableName=self.outputs["ConnectionTable"], ConsistentRead=True)[
            "Items"
        ]

    def put_connection(self, item: dict[str, Any]) -> None:
        """Put an item into the table of connections, just as `connections` gave it."""
        self._tables.put_item(TableName=self.outputs["ConnectionTable"], Item=item)

    def lines(self, output: str) -> list[str]:
        """All that a function has logged."""
        logs = self.deployment.client("logs")
        pages = logs.get_paginator("filter_log_events")
        try:
            found = [
                event["message"].rstrip("\n")
                for page in pages.paginate(logGroupName=self._log_group(output))
                for event in page["events"]
            ]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return found

    def failures(self, output: str) -> list[str]:
        """What a function has logged of its failures."""
        return [line for line in self.lines(output) if any(sign in line for sign in _FAILED)]

    def last_failure(self, output: str) -> Iterator[str]:
        """The last of these lines, looked for when it is asked for: a check that passes doesn't need it."""
        yield from self.failures(output)[-1:]

    def remove(self) -> str:
        """Empty the buckets and delete the stack, in whatever state it is; return its last status."""
        with contextlib.suppress(self._s3.exceptions.ClientError):
            for bucket in self.stack.ids("AWS::S3::Bucket"):
                empty_bucket(bucket)
            return self.stack.delete()
        return ""

    def _log_group(self, output: str) -> str:
        """Where a function logs to: no check changes that."""
        if output not in self._log_groups:
            name, functions = self.outputs[output], self.deployment.client("lambda")
            found = functions.get_function_configuration(FunctionName=name)
            settings = found.get("LoggingConfig", {})
            self._log_groups[output] = settings.get("LogGroup", f"/aws/lambda/{name}")
        return self._log_groups[output]

    @property
    def _s3(self) -> Any:
        return self.deployment.client("s3")

    @property
    def _tables(self) -> Any:
        return self.deployment.client("dynamodb")
