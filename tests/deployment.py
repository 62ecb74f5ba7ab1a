"""How the tests bring a function into a cloud, through boto3 alone."""

import base64
import io
import json
import sys
import textwrap
import time
import zipfile

from botocore.config import Config

RUNTIME = f"python3.{sys.version_info.minor}"
BASIC_EXECUTION = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def trust_of(service: str) -> str:
    """A trust policy that lets an AWS service, such as lambda.amazonaws.com, assume a role."""
    statement = {
        "Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"
    }  # fmt: skip
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


TRUST = trust_of("lambda.amazonaws.com")


def zip_of(files: dict[str, str | bytes]) -> bytes:
    """A zip of the given files, sources dedented."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(
                name, textwrap.dedent(content) if isinstance(content, str) else content
            )
    return buffer.getvalue()


def unchecked(cloud, service: str):
    """A client that sends bad parameters too, which boto3 would refuse itself."""
    return cloud.client(service, config=Config(parameter_validation=False))


def policy_of(*statements: dict) -> str:
    """A policy document of Allow statements, unless they say otherwise."""
    allowed = [{"Effect": "Allow", **statement} for statement in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": allowed})


def make_role(cloud, name: str, *statements: dict, logs: bool = True) -> str:
    """Create a role for Lambda and return its ARN."""
    iam = cloud.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    if logs:
        iam.attach_role_policy(RoleName=name, PolicyArn=BASIC_EXECUTION)
    if statements:
        iam.put_role_policy(
            RoleName=name, PolicyName="inline", PolicyDocument=policy_of(*statements)
        )
    return arn


def deploy(cloud, name: str, source: str | dict[str, str], role: str | None = None, **options):
    """Create a function from a source (app.py) or from files; return its configuration."""
    files = {"app.py": source} if isinstance(source, str) else source
    settings = {"Runtime": RUNTIME, "Handler": "app.handler", "Timeout": 10, **options}
    return cloud.client("lambda").create_function(
        FunctionName=name,
        Role=role or make_role(cloud, f"{name}-role"),
        Code={"ZipFile": zip_of(files)},
        **settings,
    )


def invoke(cloud, name: str, event: object = None, **options) -> tuple[object, str | None, str]:
    """Invoke and return the payload, the FunctionError and the log's tail."""
    answer = cloud.client("lambda").invoke(
        FunctionName=name, Payload=json.dumps(event or {}), LogType="Tail", **options
    )
    payload = json.loads(answer["Payload"].read() or b"null")
    tail = base64.b64decode(answer.get("LogResult", "")).decode()
    return payload, answer.get("FunctionError"), tail


def wait_for(condition, seconds: float = 90.0):
    """Ask until the condition gives something true, and return that."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{condition} did not come true within {seconds} s")


def log_messages(cloud, group: str, until: str) -> list[str]:
    """All messages of a log group, as soon as one of them contains `until`."""
    logs = cloud.client("logs")

    def messages():
        try:
            found = logs.filter_log_events(logGroupName=group)["events"]
        except logs.exceptions.ResourceNotFoundException:
            return None
        texts = [event["message"] for event in found]
        return texts if any(until in text for text in texts) else None

    return wait_for(messages)
