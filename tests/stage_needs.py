"""What each stage asks of the cloud: its API calls, the IAM actions they need, what its functions cost.

    python tests/stage_needs.py [KEY…]     records it anew, of all stages or of these: `make policy`

It runs every stage's solution, `lab demo`, `lab deploy` and `lab destroy` on a local cloud, and hears each
request by a hook of botocore's. It writes src/labkit/stage_needs.json, which `lab check` reads before it
works in an AWS account, and docs/learner-policy.json, the policy of somebody who may do the course and
nothing else. test_learner_policy.py holds both to what the stages do: it grades as a user with exactly that
policy.
"""

import functools
import json
import os
import re
import sys
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from unittest import mock
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import cfnlint.data.schemas.resources

import test_destroy
from labkit import demo, deploy, destroy, preflight, project, tagging, target
from labkit.authoring import submissions
from labkit.grading.results import StageResult
from labkit.grading.stages import find, stages
from localcloud.actions import ApiRequest, credential_scope, needs

NEEDS = project.ROOT / "src" / "labkit" / "stage_needs.json"
POLICY = project.ROOT / "docs" / "learner-policy.json"
# Of a managed policy, without blanks (IAM User Guide, "IAM and AWS STS quotas").
MOST_CHARACTERS = 6144
# All that the kit makes has a name that begins so.
PREFIX = "lab-"
# What a create operation needs beside its own action where it is given tags: `tagging.permissions` in the
# resource types' schemas, and "Actions, resources, and condition keys" of the services.
_TAGS = {
    "iam:CreateRole": "iam:TagRole", "iam:CreatePolicy": "iam:TagPolicy",
    "lambda:CreateFunction": "lambda:TagResource",
    "lambda:CreateEventSourceMapping": "lambda:TagResource",
    "sqs:CreateQueue": "sqs:TagQueue", "sns:CreateTopic": "sns:TagResource",
    "dynamodb:CreateTable": "dynamodb:TagResource", "logs:CreateLogGroup": "logs:TagResource",
    "s3vectors:CreateVectorBucket": "s3vectors:TagResource",
    "s3vectors:CreateIndex": "s3vectors:TagResource",
    "bedrock:CreateKnowledgeBase": "bedrock:TagResource",
}  # fmt: skip
# Where the resources of a stack's types are.
_PLACES = {
    "AWS::S3::Bucket": ["arn:aws:s3:::lab-*"],
    "AWS::Lambda::LayerVersion": ["arn:aws:lambda:*:*:layer:lab-*"],
    "AWS::Lambda::": ["arn:aws:lambda:*:*:function:lab-*"],
    "AWS::IAM::Role": ["arn:aws:iam::*:role/lab-*"],
    "AWS::Logs::LogGroup": ["arn:aws:logs:*:*:log-group:*lab-*"],
    "AWS::SQS::Queue": ["arn:aws:sqs:*:*:lab-*"],
    "AWS::DynamoDB::Table": ["arn:aws:dynamodb:*:*:table/lab-*"],
    "AWS::CloudFormation::Stack": ["arn:aws:cloudformation:*:*:stack/lab-*"],
}
# What only properties that no template here has would need, and two that are no actions (Service
# Authorization Reference: S3 asks for PutEncryptionConfiguration and PutLifecycleConfiguration there).
_UNUSED = re.compile(
    r"Acl|Analytics|Inventory|Metrics|Replication|Website|Accelerate|ObjectLock|Logging|Ownership|Tiering|Metadata"
    r"|Abac|CORS|Cors|CodeSigning|Recursion|Scaling|Capacity|RuntimeM|RuntimeA|Boundary|Delivery|DataProtection|Index"
    r"|Import|Insights|Kinesis|Replica|ResourcePolic|Bearer|Kms|REST|DeletionProtection|DeleteBucketEncryption|DeleteBucketLifecycle"
)

_EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def begin_as_administrator() -> None:
    """Give this process a local cloud of its own."""
    from localcloud import LocalCloud

    target.apply(LocalCloud(port=0).start().endpoint_url, os.environ)


def begin_as_learner() -> None:
    """The same, and go on as a user of it who may do what docs/learner-policy.json says."""
    begin_as_administrator()
    become_learner(POLICY.read_text(encoding="utf-8"))


def become_learner(policy: str) -> None:
    """Go on as a user of an account who may do what the policy says, and no more."""
    iam = boto3.client("iam")
    arn = iam.create_policy(PolicyName="learner", PolicyDocument=policy)["Policy"]["Arn"]
    iam.create_user(UserName="learner")
    iam.attach_user_policy(UserName="learner", PolicyArn=arn)
    key = iam.create_access_key(UserName="learner")["AccessKey"]
    endpoint, region = os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_DEFAULT_REGION"]
    target.leave(os.environ)
    os.environ |= {
        "LAB_TARGET": "aws", "AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }  # fmt: skip
    boto3.DEFAULT_SESSION = None


class Calls:
    """Hears every request of boto3's default session while it is in use; a context manager."""

    def __init__(self) -> None:
        self.operations: Counter[str] = Counter()
        self.needs: dict[str, set[str]] = defaultdict(set)
        self.memory: dict[str, int] = {}
        self.models: set[str] = set()
        self.reserved = 0

    def __enter__(self) -> "Calls":
        install = tagging.install

        def install_both() -> None:
            install()
            boto3.DEFAULT_SESSION.events.register("before-send", self._hear)

        # The checks keep their clients, and those of an earlier run tell an earlier one of these.
        if deployment := sys.modules.get("checks.deployment"):
            deployment.client.cache_clear()
            deployment.invoker.cache_clear()
        self._patch = mock.patch.object(tagging, "install", install_both)
        self._patch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._patch.stop()

    def _hear(self, request, event_name: str, **_: object) -> None:
        _, service, operation = event_name.split(".")
        self.operations[f"{service}:{operation}"] += 1
        address = urlsplit(request.url)
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        body = request.body if isinstance(request.body, bytes) else b""
        if isinstance(request.body, str):
            body = request.body.encode()
        asked = ApiRequest(request.method, address.path, address.query, headers, body)
        scope = credential_scope(asked)
        for need in needs(asked, scope, "000000000000") if scope else ():
            self._add(need.action, place(need.resource))
        if operation in ("CreateFunction", "UpdateFunctionConfiguration"):
            given = json.loads(body)
            name = given.get("FunctionName") or address.path.split("/")[-2]
            size = given.get("MemorySize", 128)
            self.memory[name] = max(size, self.memory.get(name, 0))
        if operation == "PutFunctionConcurrency":
            self.reserved = max(self.reserved, json.loads(body)["ReservedConcurrentExecutions"])
        if service == "bedrock-runtime":
            self.models.add(unquote(address.path).split("/")[2])
        if operation in ("CreateStack", "UpdateStack", "CreateChangeSet"):
            self.add_stack(parse_qs(body.decode()).get("TemplateBody", [""])[0])

    def _add(self, action: str, resource: str) -> None:
        self.needs[action].add(resource)
        if action in _TAGS:
            self.needs[_TAGS[action]].add(resource)

    def add_stack(self, template: str) -> None:
        """What CloudFormation needs for a template's types."""
        # Without a role of its own CloudFormation does what the caller may do.
        for kind in re.findall(r"\bType:\s*(AWS::\w+::\w+)", template):
            found = next((v for k, v in _PLACES.items() if kind.startswith(k)), ["*"])
            for action in type_actions(kind):
                places = ["arn:aws:iam::*:role/lab-*"] if action == "iam:PassRole" else found
                places = ["arn:aws:s3:::lab-*"] if action.startswith("s3:") else places
                self.needs[action].update(places)

    def as_json(self) -> dict:
        """Operations with how often, and actions with where; both sorted."""
        return {
            "calls": dict(sorted(self.operations.items())),
            "actions": {action: sorted(self.needs[action]) for action in sorted(self.needs)},
            "models": sorted(self.models),
            "reserved": self.reserved,
        }


def place(resource: str) -> str:
    """A resource's ARN as a policy names it: any region and account, any name that begins as the kit's do."""
    if PREFIX not in resource or not resource.startswith("arn:"):
        return "*"
    head = resource[: resource.index(PREFIX)].split(":", 5)
    head[3:5] = ["*" if part else "" for part in head[3:5]]
    return ":".join(head) + f"{PREFIX}*"


@functools.cache
def type_actions(kind: str) -> tuple[str, ...]:
    """The actions of a type's handlers in its schema: those of its own service, PassRole, S3's reads."""
    folder = Path(cfnlint.data.schemas.resources.__path__[0])
    for path in folder.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        if f'"typeName":"{kind}"' in text.replace('": "', '":"'):
            handlers = json.loads(text).get("handlers", {})
            break
    else:
        return ()
    own = kind.split("::")[1].lower()
    asked = {a for name in ("create", "read", "update", "delete")
             for a in handlers.get(name, {}).get("permissions", ())}  # fmt: skip
    return tuple(
        sorted(
            action for action in asked
            if not _UNUSED.search(action)
            and (action.startswith(f"{own}:") or action in ("iam:PassRole", "s3:GetObject"))
        )
    )  # fmt: skip


def recorded(submission: submissions.Submission) -> tuple[StageResult, dict]:
    """Grade a submission in this process, and what it asked of the cloud."""
    with Calls() as calls:
        before = _last_entry()
        result = submissions.graded(submission)
        return result, calls.as_json() | _usage(calls, before)


def policy(listed: Iterable[dict]) -> dict:
    """The policy that allows all of this."""
    where: dict[str, set[str]] = defaultdict(set)
    for one in listed:
        for action, resources in one["actions"].items():
            where[action] |= set(resources)
    grouped: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for action, resources in sorted(where.items()):
        grouped[("*",) if "*" in resources else tuple(sorted(resources))].append(action)
    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": list(resources)}
        for resources, actions in sorted(grouped.items())
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _usage(calls: Calls, since: int) -> dict:
    """Invocations, and GB-seconds by each function's largest size in MB."""
    ends = [entry for entry in _entries(since) if entry["type"] == "invoke.end"]
    gb_seconds = sum(
        calls.memory.get(end["function"].split(":")[6], 512) / 1024 * end["billed_ms"] / 1000
        for end in ends
    )
    return {"invocations": len(ends), "gb_seconds": round(gb_seconds, 1)}


def _last_entry() -> int:
    entries = _entries(0)
    return entries[-1]["sequence"] if entries else 0


def _entries(since: int) -> list[dict]:
    address = f"{os.environ['AWS_ENDPOINT_URL']}/_localcloud/events?since={since}"
    with urllib.request.urlopen(address, timeout=30) as answer:
        return json.load(answer)


def _of_a_stage(key: str) -> tuple[StageResult, dict]:
    return recorded(submissions.Submission("solution", key, "solution"))


def _of_the_commands() -> dict[str, dict]:
    """What `lab demo`, `lab deploy`, `lab destroy` and `lab target aws` ask for; destroy finds one thing of
    each kind.
    """
    os.chdir(Path(__file__).parent)
    with Calls() as calls:
        assert demo.run(as_json=False, keep=True, yes=True) == 0
        of_demo = calls.as_json() | _usage(calls, 0)
    of_deploy = _of_deploy()
    exec(test_destroy.MAKES.replace("made-", f"{PREFIX}made-"), {})
    with Calls() as calls:
        assert destroy.run(yes=True, as_json=False) == 0
        found = calls.as_json() | {"invocations": 0, "gb_seconds": 0}
    # It looks at all that is in the account, to see the tags.
    for action, resources in found["actions"].items():
        if re.match(r"\w+:(List|Get|Describe)", action):
            resources[:] = ["*"]
    become_learner(json.dumps(_EVERYTHING))
    with Calls() as calls, target.cloud():
        assert all(finding.sign == "✓" for finding in preflight.look(["demo"]))
        looked = calls.as_json() | {"invocations": 0, "gb_seconds": 0}
    return {"demo": of_demo, "deploy": of_deploy, "destroy": found, "target": looked}


def _of_deploy() -> dict:
    """What `lab deploy` asks for, and CloudFormation for it by the nested templates."""
    before = _last_entry()
    with Calls() as calls:
        assert deploy.run(bucket=None, values=[], yes=True, as_json=False) == 0
        for name in ("course", "image-resizer", "api", "concurrency", "bedrock"):
            calls.add_stack((project.TEMPLATE.parent / f"{name}.yaml").read_text(encoding="utf-8"))
        found = calls.as_json() | _usage(calls, before)
    with target.cloud():
        [stack] = boto3.client("cloudformation").describe_stacks(StackName=deploy.STACK)["Stacks"]
    chosen = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    return found | {"models": [chosen["ModelId"]], "reserved": int(chosen["ReservedConcurrency"])}


def main(chosen: list[str]) -> int:
    """Record all of it, or these stages and the commands; return 0 if every solution passes."""
    keys = [find(key).key for key in chosen] or [stage.key for stage in stages()]
    found = json.loads(NEEDS.read_text(encoding="utf-8")) if chosen else {}
    # As the administrator: the learner's policy is what comes of it.
    alone = {"max_workers": 2, "mp_context": get_context("spawn"), "max_tasks_per_child": 1}
    with ProcessPoolExecutor(**alone, initializer=begin_as_administrator) as pool:
        commands = pool.submit(_of_the_commands)
        for key, (result, needed) in zip(keys, pool.map(_of_a_stage, keys), strict=True):
            print(f"{key}: {result.earned} of {result.points} points", flush=True)
            if not result.passed:
                return 1
            found[key] = needed
        found |= commands.result()
    NEEDS.write_text(json.dumps(dict(sorted(found.items())), indent=1) + "\n", encoding="utf-8")
    POLICY.write_text(json.dumps(policy(found.values()), indent=1) + "\n", encoding="utf-8")
    size = len(re.sub(r"\s", "", POLICY.read_text(encoding="utf-8")))
    print(f"docs/learner-policy.json has {size} of {MOST_CHARACTERS} characters")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
