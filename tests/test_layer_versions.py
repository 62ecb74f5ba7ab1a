"""Layers and their versions as resources."""

import json

import pytest

from deployment import unchecked, zip_of
from refusals import refusal

ARN = "arn:aws:lambda:us-east-1:000000000000:layer"
ZIP = zip_of({"python/one.py": "value = 1\n"})
NOT_FOUND = "ResourceNotFoundException"
MISSING = (404, NOT_FOUND, "The resource you requested does not exist.")


@pytest.fixture(scope="module")
def layers(local_cloud):
    return unchecked(local_cloud, "lambda")


def publish(layers, name, **given):
    return layers.publish_layer_version(LayerName=name, Content={"ZipFile": ZIP}, **given)


def test_publish(layers):
    made = publish(layers, "published", Description="mine", CompatibleRuntimes=["python3.13"],
                   CompatibleArchitectures=["x86_64"])  # fmt: skip
    assert made.pop("ResponseMetadata")["HTTPStatusCode"] == 201
    content = made.pop("Content")
    assert content["CodeSize"] == len(ZIP) and content["CodeSha256"]
    assert made.pop("CreatedDate").endswith("+0000")
    assert made == {
        "LayerArn": f"{ARN}:published",
        "LayerVersionArn": f"{ARN}:published:1",
        "Version": 1,
        "Description": "mine",
        "CompatibleRuntimes": ["python3.13"],
        "CompatibleArchitectures": ["x86_64"],
    }
    assert publish(layers, "published")["Version"] == 2
    assert publish(layers, f"{ARN}:published")["LayerVersionArn"] == f"{ARN}:published:3"


def test_get(layers):
    made = publish(layers, "got")
    arn = made["LayerVersionArn"]
    for found in (
        layers.get_layer_version(LayerName="got", VersionNumber=1),
        layers.get_layer_version(LayerName=f"{ARN}:got", VersionNumber=1),
        layers.get_layer_version_by_arn(Arn=arn),
    ):
        assert found["LayerVersionArn"] == arn
        assert found["Content"]["CodeSha256"] == made["Content"]["CodeSha256"]
    assert refusal(layers.get_layer_version, LayerName="got", VersionNumber=2) == MISSING
    assert refusal(layers.get_layer_version, LayerName="none", VersionNumber=1) == MISSING
    assert refusal(layers.get_layer_version_by_arn, Arn=f"{ARN}:none:1") == MISSING
    assert refusal(layers.get_layer_version, LayerName="got", VersionNumber=0) == (
        400, "InvalidParameterValueException", "Layer Version Cannot be less than 1"
    )  # fmt: skip
    _, code, message = refusal(layers.get_layer_version_by_arn, Arn=f"{ARN}:got")
    assert code == "ValidationException"
    assert f"Value '{ARN}:got' at 'arn' failed to satisfy constraint" in message


def test_list(layers):
    for runtime in ("python3.12", "python3.13"):
        publish(layers, "listed", CompatibleRuntimes=[runtime])
    versions = layers.list_layer_versions(LayerName="listed")["LayerVersions"]
    assert [each["Version"] for each in versions] == [2, 1], "the newest first"
    assert "Content" not in versions[0]
    only = layers.list_layer_versions(LayerName="listed", CompatibleRuntime="python3.12")
    assert [each["Version"] for each in only["LayerVersions"]] == [1]
    first = layers.list_layer_versions(LayerName="listed", MaxItems=1)
    assert len(first["LayerVersions"]) == 1 and first["NextMarker"]
    assert layers.list_layer_versions(LayerName="none")["LayerVersions"] == []

    def newest(**asked):
        found = layers.list_layers(**asked)["Layers"]
        return {each["LayerName"]: each["LatestMatchingVersion"]["Version"] for each in found}

    assert newest()["listed"] == 2
    assert newest(CompatibleRuntime="python3.12")["listed"] == 1
    assert "listed" not in newest(CompatibleRuntime="python3.11")


def test_delete(layers):
    publish(layers, "deleted")
    given = {"LayerName": "deleted", "VersionNumber": 1}
    for _ in range(2):  # once more is no fault
        answer = layers.delete_layer_version(**given)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(layers.get_layer_version, **given) == MISSING
    layers.delete_layer_version(LayerName="never-there", VersionNumber=1)
    assert publish(layers, "deleted")["Version"] == 2, "a number is not used again"


def test_archive_that_is_refused(layers):
    broken = {"LayerName": "broken", "Content": {"ZipFile": b"junk"}}
    assert refusal(layers.publish_layer_version, **broken) == (
        400, "InvalidParameterValueException",
        "Could not unzip uploaded file. Please check your file, then try to upload again.",
    )  # fmt: skip
    assert layers.list_layer_versions(LayerName="broken")["LayerVersions"] == []
    runtimes = [f"python3.{minor}" for minor in range(16)]
    answer = refusal(publish, layers=layers, name="broken", CompatibleRuntimes=runtimes)
    assert answer[1] == "ValidationException"


def test_permissions(layers):
    publish(layers, "permitted")
    given = {"LayerName": "permitted", "VersionNumber": 1}
    allow = {**given, "StatementId": "s", "Action": "lambda:GetLayerVersion", "Principal": "*"}
    none = (404, NOT_FOUND, "No policy is associated with the given resource.")
    assert refusal(layers.get_layer_version_policy, **given) == none
    made = layers.add_layer_version_permission(**allow)
    statement = {
        "Sid": "s",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "lambda:GetLayerVersion",
        "Resource": f"{ARN}:permitted:1",
    }
    assert json.loads(made["Statement"]) == statement
    found = layers.get_layer_version_policy(**given)
    assert json.loads(found["Policy"])["Statement"] == [statement]
    assert found["RevisionId"] == made["RevisionId"]
    assert refusal(layers.add_layer_version_permission, **allow)[:2] == (
        409, "ResourceConflictException"
    )  # fmt: skip
    stale = {**given, "StatementId": "s", "RevisionId": "other"}
    assert refusal(layers.remove_layer_version_permission, **stale) == (
        412, "PreconditionFailedException",
        "The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to "
        "retrieve the latest Revision Id",
    )  # fmt: skip
    layers.remove_layer_version_permission(**given, StatementId="s")
    assert refusal(layers.get_layer_version_policy, **given) == none
    assert refusal(layers.remove_layer_version_permission, **given, StatementId="s") == (
        404, NOT_FOUND, "Statement s is not found in resource policy."
    )  # fmt: skip
    missing = {**allow, "LayerName": "none"}
    assert refusal(layers.add_layer_version_permission, **missing) == (
        404, NOT_FOUND, f"Layer version {ARN}:none:1 does not exist."
    )  # fmt: skip
    assert refusal(layers.add_layer_version_permission, **{**allow, "Action": "lambda:*"})[2] == (
        "1 validation error detected: Value 'lambda:*' at 'action' failed to satisfy constraint: Member "
        "must satisfy regular expression pattern: lambda:GetLayerVersion"
    )
