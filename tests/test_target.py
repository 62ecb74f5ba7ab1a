"""The one place that chooses between the local cloud and AWS."""

import json
import os

import boto3
import pytest

from labkit import cloud_state, project, target


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path):
    monkeypatch.setattr(project, "WORK", tmp_path)
    monkeypatch.setattr(project, "CLOUD", tmp_path / "cloud")
    for name in [name for name in os.environ if name.startswith(("AWS_", "LAB_TARGET"))]:
        monkeypatch.delenv(name)


def test_local_settings_lead_past_every_setting_of_the_learners():
    misleading = {
        "AWS_PROFILE": "work",
        "AWS_SESSION_TOKEN": "secret",
        "AWS_ENDPOINT_URL_S3": "https://somewhere.example",
        "AWS_REGION": "eu-west-1",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "AWS_BEARER_TOKEN_BEDROCK": "bedrock-api-key-secret",
    }
    environment = {"HOME": "/home/me", **misleading}
    target.apply("http://127.0.0.1:4566", environment)
    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert environment["AWS_ACCESS_KEY_ID"] == environment["AWS_SECRET_ACCESS_KEY"] == "test"
    assert environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert environment["HOME"] == "/home/me"
    assert not misleading.keys() & environment.keys()


def test_the_environments_programs_come_first(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin")
    first, *rest = target.settings("http://127.0.0.1:1")["PATH"].split(os.pathsep)
    assert os.path.exists(os.path.join(first, "python"))
    assert rest == ["/usr/bin"]


def test_an_unknown_target_is_refused(monkeypatch):
    monkeypatch.setenv("LAB_TARGET", "azure")
    with pytest.raises(target.UnknownTarget, match="local or aws, not 'azure'"):
        target.name()


def test_aws_changes_nothing(monkeypatch):
    monkeypatch.setenv("LAB_TARGET", "aws")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    before = dict(os.environ)
    with target.cloud() as words:
        assert words == "your AWS account"
        assert dict(os.environ) == before
    first, *_ = target.enter_notebook().splitlines()
    assert first == "This notebook works in your AWS account."
    assert dict(os.environ) == before


def test_the_choice_is_kept_and_lab_target_wins(monkeypatch):
    assert target.name() == "local"
    target.choose("aws")
    assert target.chosen() == ("aws", "`lab target aws` was said")
    monkeypatch.setenv("LAB_TARGET", "local")
    assert target.chosen() == ("local", "LAB_TARGET says so") and target.kept() == "aws"
    monkeypatch.delenv("LAB_TARGET")
    target.choose("local")
    assert target.name() == "local"


def test_the_cloud_of_the_state_file_is_used(local_cloud):
    cloud_state.write(local_cloud.port)
    before = dict(os.environ)
    with target.cloud() as words:
        assert words == f"the local cloud at {local_cloud.endpoint_url}"
        assert os.environ["AWS_ENDPOINT_URL"] == local_cloud.endpoint_url
    assert dict(os.environ) == before


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "https://s3.example.org", "nonsense"])
def test_an_endpoint_that_is_no_running_local_cloud_is_not_used(monkeypatch, address):
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    assert target.running_endpoint() is None


def test_the_state_of_another_process_on_the_port_is_not_believed(local_cloud):
    cloud_state.path().write_text(
        json.dumps({"pid": 2**22 + 1, "port": local_cloud.port, "endpoint_url": "x"})
    )
    assert cloud_state.read() is not None
    assert cloud_state.running() is None


@pytest.mark.parametrize(
    "setting", ["AWS_BEARER_TOKEN_BEDROCK", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]
)
def test_boto3_asks_the_local_cloud_whatever_is_set(local_cloud, monkeypatch, setting):
    environment = {**os.environ, setting: "true"}
    target.apply(local_cloud.endpoint_url, environment)
    monkeypatch.setattr(os, "environ", environment)
    client = boto3.Session().client("bedrock-runtime")
    counted = client.count_tokens(
        modelId="amazon.nova-micro-v1:0",
        input={"converse": {"messages": [{"role": "user", "content": [{"text": "Hello"}]}]}},
    )
    assert counted["inputTokens"] > 0
