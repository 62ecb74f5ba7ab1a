"""`lab deploy` and `lab destroy`: the whole course by one command each, in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import http_apis
from deployment import wait_for
from stacks import described

PHOTO = Path(__file__).parents[1] / "assets" / "photos" / "coffee.jpg"


@pytest.fixture(scope="module")
def environment(local_cloud, tmp_path_factory):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LAB_TARGET"))}
    work = str(tmp_path_factory.mktemp("work"))
    return kept | {"AWS_ENDPOINT_URL": local_cloud.endpoint_url, "LAB_WORK": work}


def lab(environment, *words):
    command = [sys.executable, "-m", "labkit.cli", *words]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def test_without_a_cloud_that_stays_nothing_is_made(environment):
    alone = {k: v for k, v in environment.items() if k != "AWS_ENDPOINT_URL"}
    done = lab(alone, "deploy")
    assert done.returncode == 3
    assert "lab start" in done.stdout


def test_a_parameter_that_is_not_there_is_named(environment):
    done = lab(environment, "deploy", "--set", "Size=3")
    assert done.returncode == 1
    assert "no parameter Size" in done.stdout and "ReservedConcurrency" in done.stdout
    done = lab(environment, "deploy", "--set", "Size")
    assert done.returncode == 1 and "NAME=VALUE" in done.stdout


def test_on_aws_nothing_is_made_before_somebody_says_yes(environment, local_cloud):
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    aws = environment | keys | {"LAB_TARGET": "aws", "AWS_DEFAULT_REGION": "us-east-1"}
    done = lab(aws, "deploy")
    assert done.returncode == 2, done.stdout
    assert "One run costs" in done.stdout and "amazon.nova-micro-v1:0 is ACTIVE" in done.stdout
    assert local_cloud.client("cloudformation").describe_stacks()["Stacks"] == []


def test_what_fails_is_named_and_rolled_back(environment, local_cloud):
    logs = local_cloud.client("logs")
    logs.create_log_group(logGroupName="/aws/lambda/lab-course-orders")
    done = lab(environment, "deploy")
    assert done.returncode == 1
    assert "ended as ROLLBACK_COMPLETE" in done.stdout
    assert "First to fail was Concurrency · OrderLogGroup" in done.stdout
    assert local_cloud.client("lambda").list_functions()["Functions"] == []
    logs.delete_log_group(logGroupName="/aws/lambda/lab-course-orders")


@pytest.fixture(scope="module")
def deployed(environment):
    """What the command printed as JSON, and what it said beside it; an earlier try has failed."""
    done = lab(environment, "deploy", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_the_course_stands(deployed, local_cloud):
    found, said = deployed
    assert found["status"] == "CREATE_COMPLETE"
    assert "✓ Resizer · ResizeFunction" in said and "✓ Api" in said
    tags = described(local_cloud.client("cloudformation"), "lab-course")["Tags"]
    assert {"Key": "project", "Value": "serverless-lab-kit"} in tags


def test_a_photograph_becomes_a_thumbnail_that_the_api_shows_and_deletes(deployed, local_cloud):
    outputs, s3 = deployed[0]["outputs"], local_cloud.client("s3")
    s3.put_object(Bucket=outputs["SourceBucket"], Key="raw/coffee.jpg", Body=PHOTO.read_bytes())
    host = urlsplit(outputs["ApiEndpoint"]).netloc
    listed = wait_for(
        lambda: http_apis.request(local_cloud, host, "/thumbnails").json()["thumbnails"]
    )
    assert [each["name"] for each in listed] == ["coffee.jpg"]
    for token, status in (("not-the-right-token", 403), (deployed[0]["token"], 204)):
        header = {"Authorization": f"Bearer {token}"}
        path = "/thumbnails/coffee.jpg"
        assert http_apis.request(local_cloud, host, path, "DELETE", None, header).status == status


def test_a_second_time_changes_what_is_set_and_keeps_the_rest(deployed, environment, local_cloud):
    same = lab(environment, "deploy")
    assert same.returncode == 0 and "Nothing has changed" in same.stdout
    changed = lab(environment, "deploy", "--set", "LogRetentionDays=7")
    assert changed.returncode == 0, changed.stdout
    assert "Bearer" not in changed.stdout
    groups = local_cloud.client("logs").describe_log_groups()["logGroups"]
    assert {group["retentionInDays"] for group in groups} == {7}
    environment_of = local_cloud.client("lambda").get_function_configuration(
        FunctionName="lab-course-api-authorizer"
    )["Environment"]
    assert environment_of["Variables"]["TOKEN"] == deployed[0]["token"]


def test_destroy_takes_all_of_it_away(deployed, environment, local_cloud):
    done = lab(environment, "destroy", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["left"] == []
    assert local_cloud.client("s3").list_buckets()["Buckets"] == []
    assert local_cloud.client("lambda").list_functions()["Functions"] == []
    assert local_cloud.client("apigatewayv2").get_apis()["Items"] == []
    assert local_cloud.client("logs").describe_log_groups()["logGroups"] == []
    assert "QueueUrls" not in local_cloud.client("sqs").list_queues()
    roles = local_cloud.client("iam").list_roles()["Roles"]
    assert [role["RoleName"] for role in roles if role["RoleName"].startswith("lab-")] == []
