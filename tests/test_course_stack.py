"""cloudformation/course.yaml: what fails, in it or in a nested stack, leaves what was there before."""

import json

import pytest

from deployment import RUNTIME
from labkit import packages
from stacks import IN_PROGRESS, delete, ended, left, outputs, parameters, reason
from template_files import TEMPLATES, broken, text_of

BUCKET = "course-templates"


@pytest.fixture(scope="module")
def values(cloud):
    """A function that gives the stack's parameters; `folder` has the nested templates: whole or broken.

    In the broken one concurrency.yaml fails.
    """
    s3 = cloud("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="layer.zip", Body=packages.pillow_layer_zip())
    for name in TEMPLATES:
        s3.put_object(Bucket=BUCKET, Key=f"whole/{name}.yaml", Body=text_of(name))
        text = broken(name) if name == "concurrency" else text_of(name)
        s3.put_object(Bucket=BUCKET, Key=f"broken/{name}.yaml", Body=text)

    def given(folder="whole", **more):
        templates = f"https://{BUCKET}.s3.us-east-1.amazonaws.com/{folder}"
        layer = {"ArtifactBucket": BUCKET, "LayerKey": "layer.zip"}
        return parameters({"Runtime": RUNTIME, "Templates": templates} | layer | more)

    return given


def deploy(operation, values, text):
    """Make or change the stack; returns it when that has ended."""
    made = operation(
        StackName="course", TemplateBody=text, Parameters=values, Capabilities=["CAPABILITY_IAM"]
    )
    return made["StackId"]


FAILURES = pytest.mark.parametrize(
    ("text", "folder", "failed"),
    [(broken("course"), "whole", "Broken"), (text_of("course"), "broken", "Concurrency")],
    ids=["in the course", "in a nested stack"],
)


@pytest.fixture(scope="module")
def course(cloud, values):
    """The stack, made whole, with nothing beside it."""
    cfn = cloud("cloudformation")
    deploy(cfn.create_stack, values(), text_of("course"))
    made = ended(cfn, "course")
    assert made["StackStatus"] == "CREATE_COMPLETE"
    yield made
    assert delete(cfn, "course")["StackStatus"] == "DELETE_COMPLETE"


def nested(cfn):
    """The id of each nested stack's every resource, under both logical names."""
    return {
        (outer, inner): resource_id
        for outer, stack_id in physical(cfn, "course")
        if ":stack/" in stack_id
        for inner, resource_id in physical(cfn, stack_id)
    }


def physical(cfn, stack):
    """The resources that are there: logical and physical id."""
    found = cfn.describe_stack_resources(StackName=stack)["StackResources"]
    return [
        (each["LogicalResourceId"], each["PhysicalResourceId"])
        for each in found
        if "PhysicalResourceId" in each
    ]


def retentions(cloud):
    return {group["retentionInDays"] for group in cloud("logs").describe_log_groups()["logGroups"]}


@FAILURES
def test_a_creation_that_fails_leaves_nothing(cloud, values, text, folder, failed):
    cfn, before = cloud("cloudformation"), left(cloud)
    deploy(cfn.create_stack, values(folder), text)
    assert ended(cfn, "course")["StackStatus"] == "ROLLBACK_COMPLETE"
    assert reason(cfn, "course", failed, "CREATE_FAILED")
    assert left(cloud) == before
    assert delete(cfn, "course")["StackStatus"] == "DELETE_COMPLETE"
    assert cfn.describe_stacks()["Stacks"] == []


@FAILURES
def test_an_update_that_fails_brings_back_what_was_there(
    cloud, course, values, text, folder, failed
):
    cfn, before = cloud("cloudformation"), left(cloud)
    resources = nested(cfn)
    deploy(cfn.update_stack, values(folder, LogRetentionDays=7), text)
    after = ended(cfn, "course")
    assert after["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert reason(cfn, "course", failed, "UPDATE_FAILED" if folder == "broken" else "CREATE_FAILED")
    assert outputs(after) == outputs(course)
    assert (nested(cfn), left(cloud), retentions(cloud)) == (resources, before, {14})
    for stack in cfn.describe_stacks()["Stacks"]:
        assert not stack["StackStatus"].endswith((IN_PROGRESS, "FAILED")), stack["StackName"]
    answer = cloud("lambda").invoke(
        FunctionName=outputs(after)["OrderFunction"], Qualifier="live",
        Payload=json.dumps({"order": "42"}),
    )  # fmt: skip
    assert json.load(answer["Payload"])["order"] == "42"


def test_after_a_rollback_the_course_can_be_changed(cloud, course, values):
    cfn = cloud("cloudformation")
    deploy(cfn.update_stack, values(LogRetentionDays=7), text_of("course"))
    assert ended(cfn, "course")["StackStatus"] == "UPDATE_COMPLETE"
    assert retentions(cloud) == {7}
