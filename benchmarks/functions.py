"""The functions under measurement, and how they are deployed: through boto3, as anyone would."""

import contextlib
import io
import json
import time
import zipfile
from dataclasses import dataclass

from botocore.exceptions import ClientError

from .servers import Endpoint

# One vCPU on AWS (facts: 1,769 MB): with less, localcloud slows a function down on purpose.
MEMORY_MB = 1769
RUNTIME = "python3.11"
ROLE_NAME = "bench-role"

# A cold invocation is proved cold by the handler itself: its module was imported after the
# request was sent. A line is printed, because MiniStack waits 50 ms where none is.
TRIVIAL = """
import time
imported_at = time.time()

def handler(event, context):
    print("one line")
    return {"imported_at": imported_at}
"""

BOTO3_AT_IMPORT = """
import time
imported_at = time.time()
import boto3
s3 = boto3.client("s3")

def handler(event, context):
    print("one line")
    return {"imported_at": imported_at}
"""

SLEEP_50_MS = """
import time

def handler(event, context):
    time.sleep(0.05)
    print("one line")
    return {}
"""

# A tenth of a second of processor time, however long that takes. The answer is how long, and how
# much of it went by waiting behind this machine's other processes (schedstat's second number, ns).
BUSY = """
import time

def waited():
    try:
        return int(open("/proc/self/schedstat").read().split()[1]) / 1e9
    except OSError:
        return 0.0

def handler(event, context):
    queued, begun, used = waited(), time.perf_counter(), time.process_time()
    while time.process_time() - used < 0.1:
        sum(range(1000))
    seconds = time.perf_counter() - begun
    print("one line")
    return {"seconds": seconds, "waited": waited() - queued}
"""

THUMBNAIL = """
import io
import os
from urllib.parse import unquote_plus
import boto3
from PIL import Image

s3 = boto3.client("s3")

def handler(event, context):
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        image = Image.open(io.BytesIO(body))
        image.thumbnail((200, 200))
        out = io.BytesIO()
        image.save(out, "JPEG", quality=85)
        s3.put_object(
            Bucket=os.environ["DESTINATION"],
            Key=key.replace("raw/", "thumbnails/", 1),
            Body=out.getvalue(),
            ContentType="image/jpeg",
        )
        print("made", key)
"""

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
_PERMISSIONS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": "*",
        },
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"},
    ],
}


class InvocationFailed(RuntimeError):
    """A function answered with an error; the message is its payload."""


@dataclass(frozen=True)
class Function:
    """A deployed function on one endpoint."""

    endpoint: Endpoint
    name: str
    arn: str

    def invoke(self) -> dict:
        """Invoke with an empty event and return the decoded result."""
        answer = self.endpoint.client("lambda").invoke(FunctionName=self.name, Payload=b"{}")
        payload = answer["Payload"].read()
        if "FunctionError" in answer:
            raise InvocationFailed(payload.decode(errors="replace")[:400])
        return json.loads(payload)

    def replace_environments(self, turn: int) -> None:
        """Change the configuration, so that the next invocation needs a new environment."""
        self.endpoint.client("lambda").update_function_configuration(
            FunctionName=self.name, Environment={"Variables": {"TURN": str(turn)}}
        )
        wait_until_ready(self.endpoint, self.name)


def deploy(
    endpoint: Endpoint,
    name: str,
    source: str,
    layers: tuple[str, ...] = (),
    variables: dict[str, str] | None = None,
    memory_mb: int = MEMORY_MB,
) -> Function:
    """Create the function, in place of one that an interrupted run left; wait until active."""
    with contextlib.suppress(ClientError):
        endpoint.client("lambda").delete_function(FunctionName=name)
    created = endpoint.client("lambda").create_function(
        FunctionName=name,
        Runtime=RUNTIME,
        Role=role(endpoint),
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": source.encode()})},
        MemorySize=memory_mb,
        Timeout=30,
        Layers=list(layers),
        Environment={"Variables": variables or {}},
    )
    wait_until_ready(endpoint, name)
    return Function(endpoint, name, created["FunctionArn"])


def wait_until_ready(endpoint: Endpoint, name: str, limit_s: float = 30.0) -> None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        found = endpoint.client("lambda").get_function_configuration(FunctionName=name)
        state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
        if state == "Active" and update == "Successful":
            return
        if "Failed" in (state, update):
            raise InvocationFailed(f"{name} is {state}, its update {update}")
        time.sleep(0.01)
    raise InvocationFailed(f"{name} was not ready within {limit_s:.0f} s")


def role(endpoint: Endpoint) -> str:
    """The ARN of the role that every function here runs as, created on first use."""
    iam = endpoint.client("iam")
    try:
        return iam.get_role(RoleName=ROLE_NAME)["Role"]["Arn"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
    created = iam.create_role(RoleName=ROLE_NAME, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(
        RoleName=ROLE_NAME, PolicyName="bench", PolicyDocument=json.dumps(_PERMISSIONS)
    )
    return created["Role"]["Arn"]


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip archive whose files anyone may read, as Lambda asks."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return out.getvalue()
