"""Stage 12: the template, deployed, used, updated and deleted, and what is left of it."""

import base64
import contextlib
import hashlib
import json

import pytest

from labkit import packages, project, thumbnails
from labkit.grading import Unmet, expect

from .deployment import empty_bucket
from .other_rights import expect_no_other_rights
from .role_probe import expect_nothing_allowed
from .role_questions import Places
from .stacks import Stack

TEMPLATE = "template.yaml"
ARRIVAL_S = 40


@pytest.fixture(scope="module")
def parts(deployment):
    """The parameters that every stack needs, and a bucket with the kit's function and layer in it."""
    bucket, s3 = deployment.bucket("parts"), deployment.client("s3")
    s3.put_object(Bucket=bucket, Key="function.zip", Body=function_zip())
    s3.put_object(Bucket=bucket, Key="pillow-layer.zip", Body=packages.pillow_layer_zip())
    return {
        "ArtifactBucket": bucket,
        "FunctionKey": "function.zip",
        "LayerKey": "pillow-layer.zip",
        "Runtime": packages.runtime(),
        "Architecture": packages.architecture(),
    }


def function_zip():
    """The kit's function: what is deployed here is the learner's, what it does is stage 09's."""
    return packages.function_zip(project.SOLUTIONS / "09-function" / "app.py")


class Resizer:
    """A stack of the learner's template, as its user sees it."""

    def __init__(self, deployment, template, parts, word):
        # A bucket's name takes 23 letters of the stack's, and the account's and region's besides.
        name = f"lab-{word}-{deployment.name('')[-9:-1]}"
        self._deployment = deployment
        self.stack = Stack(deployment, name, template, {**parts, "Name": name})

    @property
    def source(self):
        return self.stack.outputs["SourceBucket"]

    @property
    def destination(self):
        return self.stack.outputs["DestinationBucket"]

    @property
    def function(self):
        return self.stack.outputs["FunctionName"]

    def upload(self, key, body):
        """Put an object into the source bucket."""
        self._deployment.client("s3").put_object(Bucket=self.source, Key=key, Body=body)

    def thumbnail(self, key, seconds=ARRIVAL_S):
        """The size in pixels of the thumbnail of an upload, once it is there; None if it never comes."""
        s3 = self._deployment.client("s3")
        place = {"Bucket": self.destination, "Key": "thumbnails/" + key.removeprefix("raw/")}

        def look():
            with contextlib.suppress(s3.exceptions.NoSuchKey):
                return thumbnails.read(s3.get_object(**place)["Body"].read()).size

        try:
            return self._deployment.wait_for(look, seconds)
        except Unmet:
            return None

    def invoke_for(self, key):
        """Invoke the function with the event of an upload."""
        place = {"bucket": {"name": self.source}, "object": {"key": key}}
        event = {
            "Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": place}]
        }
        return self._deployment.invoke(self.function, event)

    def remove(self):
        """Empty the buckets and delete the stack, in whatever state it is; return its last status."""
        s3 = self._deployment.client("s3")
        with contextlib.suppress(s3.exceptions.ClientError):
            for bucket in self.stack.ids("AWS::S3::Bucket"):
                empty_bucket(bucket)
            return self.stack.delete()
        return ""


@pytest.fixture(scope="module")
def resizer(deployment, workspace, parts):
    """The learner's template as a stack."""
    made = Resizer(deployment, workspace.text(TEMPLATE), parts, "a")
    try:
        made.stack.create()
        missing = {"SourceBucket", "DestinationBucket", "FunctionName"} - made.stack.outputs.keys()
        expect(
            not missing,
            tried=f"created a stack of {TEMPLATE}",
            expected="the outputs SourceBucket, DestinationBucket and FunctionName",
            seen=f"there is no output {', '.join(sorted(missing))}",
        )
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def role(resizer):
    """The ARN of the role that the function has."""
    functions = resizer._deployment.client("lambda")
    return functions.get_function_configuration(FunctionName=resizer.function)["Role"]


@pytest.fixture(scope="module")
def questions(deployment, resizer):
    """What the function's role might be allowed besides."""
    group = f"/aws/lambda/{resizer.function}"
    other = f"{resizer.source}-other"
    places = Places(resizer.source, resizer.destination, other, group, deployment)
    return [
        *places.source_questions(), *places.destination_questions(),
        *places.log_questions(), *places.other_questions(),
    ]  # fmt: skip


@pytest.mark.check(points=2, section="5 · The layer", timeout=330)
def check_layer(deployment, resizer):
    """The stack is created, and its function has a layer that brings Pillow."""
    answer = deployment.invoke(resizer.function, {"Records": []})
    answer.must_work(
        "created the stack and invoked its function with an event without uploads", "an answer"
    )
    found = deployment.client("lambda").get_function_configuration(FunctionName=resizer.function)
    digest = base64.b64encode(hashlib.sha256(function_zip()).digest()).decode()
    expect(
        found["CodeSha256"] == digest,
        tried="created the stack and asked Lambda for the function's CodeSha256",
        expected="that of the zip at ArtifactBucket and FunctionKey",
        seen="it runs other code",
    )


@pytest.mark.check(points=2, section="6 · The role", needs=("check_layer",))
def check_role_is_enough(resizer, rng, images):
    """The function's role lets it read an upload and write the thumbnail."""
    key = f"raw/direct {rng.randrange(10**6)}.jpg"
    resizer.upload(key, images.jpeg((640, 360)))
    answer = resizer.invoke_for(key.replace(" ", "+"))
    answer.must_work(f"uploaded {key} and invoked the function with its event", "a thumbnail")
    size = resizer.thumbnail(key, 5)
    expect(
        size == (128, 72),
        tried=f"uploaded {key}, 640 by 360 pixels, and invoked the function with its event",
        expected="a thumbnail of 128 by 72 pixels in the destination bucket",
        seen=f"{size[0]} by {size[1]} pixels" if size else "there is none",
    )


@pytest.mark.check(points=1, section="6 · The role", needs=("check_role_is_enough",))
def check_role_logs(deployment, resizer):
    """The function's role lets it write its log."""
    pages = deployment.client("logs").get_paginator("filter_log_events")
    group = f"/aws/lambda/{resizer.function}"

    def look():
        found = pages.paginate(logGroupName=group)
        return any("REPORT " in event["message"] for page in found for event in page["events"])

    deployment.wait_for(look, ARRIVAL_S, words=f"lines of the function in {group}")


@pytest.mark.check(
    points=2, section="6 · The role", needs=("check_role_is_enough", "check_role_logs")
)
def check_role_is_not_more(deployment, resizer, role, questions):
    """The function's role allows nothing else."""
    who = "the function's role"
    expect_nothing_allowed(deployment, role, questions, who)
    expect_no_other_rights(deployment, role, (resizer.source, resizer.destination), who)


@pytest.mark.check(points=3, section="8 · The notification", needs=("check_layer",), timeout=90)
def check_upload(resizer, rng, images):
    """An upload to raw/ gives a thumbnail, without anybody calling the function."""
    key = f"raw/2026/été {rng.randrange(10**6)}.jpg"
    resizer.upload(key, images.jpeg((300, 600)))
    size = resizer.thumbnail(key)
    expect(
        size == (64, 128),
        tried=f"uploaded {key}, 300 by 600 pixels",
        expected="a thumbnail of 64 by 128 pixels in the destination bucket",
        seen=f"{size[0]} by {size[1]} pixels" if size else f"none after {ARRIVAL_S} s",
    )


@pytest.mark.check(points=1, section="8 · The notification", needs=("check_upload",), timeout=90)
def check_only_raw(resizer, deployment, rng, images):
    """Uploads outside raw/ do not call the function."""
    others = [
        f"{place}{rng.randrange(10**6)}.jpg" for place in ("raw", "thumbnails/", "other/raw/", "")
    ]
    for key in others:
        resizer.upload(key, images.jpeg((640, 360)))
    last = f"raw/last {rng.randrange(10**6)}.jpg"
    resizer.upload(last, images.jpeg((640, 360)))
    expect(
        resizer.thumbnail(last),
        tried=f"uploaded {last}", expected="its thumbnail", seen="there is none",
    )  # fmt: skip
    # A call for another upload fails, as the role may not read it, and an asynchronous call that fails is
    # a line in the log.
    events = deployment.client("logs").filter_log_events(
        logGroupName=f"/aws/lambda/{resizer.function}", filterPattern="AccessDenied"
    )["events"]
    called = [key for key in others if resizer.thumbnail(key, 0)]
    expect(
        not events and not called,
        tried=f"uploaded {', '.join(others)}",
        expected="no call of the function",
        seen=f"it was called for {called[0]}"
        if called
        else "it was called, and could not read them",
    )


@pytest.mark.check(points=2, section="7 · The permission", needs=("check_upload",))
def check_permission_is_narrow(deployment, resizer):
    """Only the stack's source bucket, and only in this account, may call the function."""
    policy = json.loads(
        deployment.client("lambda").get_policy(FunctionName=resizer.function)["Policy"]
    )
    arn = f"arn:{deployment.partition}:s3:::{resizer.source}"
    wanted = {"aws:sourcearn": arn, "aws:sourceaccount": deployment.account}
    for statement in policy["Statement"]:
        found = {
            key.lower(): value
            for test in statement.get("Condition", {}).values()
            for key, value in test.items()
        }
        expect(
            found == wanted,
            tried="read the function's policy with get_policy",
            expected=f"the conditions aws:SourceArn {arn} and aws:SourceAccount {deployment.account}",
            seen=f"{found or 'no condition'}",
        )
    s3, other = deployment.client("s3"), deployment.bucket("stranger")
    function = deployment.client("lambda").get_function_configuration(FunctionName=resizer.function)
    target = {"LambdaFunctionArn": function["FunctionArn"], "Events": ["s3:ObjectCreated:*"]}
    try:
        s3.put_bucket_notification_configuration(
            Bucket=other, NotificationConfiguration={"LambdaFunctionConfigurations": [target]}
        )
    except s3.exceptions.ClientError:
        return
    raise Unmet(
        tried="let another bucket of the account call the function",
        expected="S3 to refuse it: the function's policy names one bucket",
        seen="S3 accepted it",
    )


@pytest.mark.check(
    points=2, section="11 · A change without a gap", needs=("check_upload",), timeout=330
)
def check_update(resizer, rng, images):
    """An update to smaller thumbnails keeps what is in the buckets, and holds for the next upload."""
    before = {name: resizer.stack.outputs[name] for name in ("SourceBucket", "DestinationBucket")}
    kept = f"raw/kept {rng.randrange(10**6)}.jpg"
    resizer.upload(kept, images.jpeg((640, 360)))
    expect(resizer.thumbnail(kept), tried=f"uploaded {kept}", expected="its thumbnail", seen="none")
    resizer.stack.update(ThumbnailSize="64")
    after = {name: resizer.stack.outputs[name] for name in before}
    expect(
        after == before and resizer.thumbnail(kept, 0),
        tried="updated the stack with ThumbnailSize=64",
        expected="the same buckets, and the thumbnail from before in its place",
        seen="other buckets" if after != before else "the thumbnail from before is gone",
    )
    key = f"raw/smaller {rng.randrange(10**6)}.jpg"
    resizer.upload(key, images.jpeg((640, 360)))
    size = resizer.thumbnail(key)
    expect(
        size == (64, 36),
        tried=f"updated the stack with ThumbnailSize=64 and uploaded {key}, 640 by 360 pixels",
        expected="a thumbnail of 64 by 36 pixels",
        seen=f"{size[0]} by {size[1]} pixels" if size else "there is none",
    )


@pytest.mark.check(points=2, section="10 · Names", needs=("check_upload",), timeout=330)
def check_second_stack(deployment, workspace, parts, resizer):
    """A second stack of the same template, with another Name, can stand beside the first."""
    second = Resizer(deployment, workspace.text(TEMPLATE), parts, "b")
    try:
        second.stack.create()
        shared = {r["PhysicalResourceId"] for r in resizer.stack.resources} & {
            r["PhysicalResourceId"] for r in second.stack.resources
        }
        expect(
            not shared,
            tried="created a second stack of the template with another Name",
            expected="two stacks that have nothing in common",
            seen=f"both have {', '.join(sorted(shared)[:3])}",
        )
    finally:
        second.remove()


@pytest.mark.check(points=3, section="12 · The way back", needs=("check_upload",), timeout=330)
def check_nothing_left(deployment, resizer):
    """With its buckets emptied, the stack can be deleted, and nothing of it is left."""
    function, buckets = resizer.function, (resizer.source, resizer.destination)
    layers = resizer.stack.ids("AWS::Lambda::LayerVersion")
    roles = resizer.stack.ids("AWS::IAM::Role")
    status = resizer.remove()
    expect(
        status == "DELETE_COMPLETE",
        tried="emptied the buckets and deleted the stack",
        expected="DELETE_COMPLETE",
        seen=f"{status}. First to fail was {resizer.stack.failure()}",
    )
    s3, functions = deployment.client("s3"), deployment.client("lambda")
    groups = deployment.client("logs").describe_log_groups(
        logGroupNamePrefix=f"/aws/lambda/{function}"
    )
    left = [name for name in buckets if _is_there(s3.head_bucket, Bucket=name)]
    left += [group["logGroupName"] for group in groups["logGroups"]]
    left += [arn for arn in layers if _is_there(functions.get_layer_version_by_arn, Arn=arn)]
    left += [role for role in roles if _is_there(deployment.client("iam").get_role, RoleName=role)]
    if _is_there(functions.get_function, FunctionName=function):
        left.append(function)
    expect(
        not left,
        tried="emptied the buckets and deleted the stack",
        expected="nothing of it to be left",
        seen=f"still there: {', '.join(left)}",
    )


def _is_there(look, **names):
    """Whether a call finds what it asks for."""
    try:
        look(**names)
    except look.__self__.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True
