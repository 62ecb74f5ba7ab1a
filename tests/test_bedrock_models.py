"""Which models there are: ListFoundationModels, GetFoundationModel and inference profiles."""

import tomllib
from datetime import UTC, date
from importlib.resources import files

import pytest

from refusals import refusal

NEEDED = {"id", "name", "provider", "family", "status", "source"}


@pytest.fixture(scope="module")
def client(local_cloud):
    return local_cloud.client("bedrock")


def ids(answer):
    return {model["modelId"]: model for model in answer["modelSummaries"]}


def test_the_data_file_dates_and_sources_every_model():
    data = tomllib.loads(files("localcloud.foundation_models").joinpath("models.toml").read_text())
    assert isinstance(data["checked"], date)
    for model in data["model"]:
        assert set(model) >= NEEDED
        assert model["status"] in ("ACTIVE", "LEGACY", "EOL")
        assert model.get("on_demand") or model.get("profiles")
    names = [model["id"] for model in data["model"]]
    assert len(names) == len(set(names))


def test_models_by_region_and_what_they_answer_with(client, local_cloud):
    east = ids(client.list_foundation_models())
    nova = east["amazon.nova-micro-v1:0"]
    assert nova["inferenceTypesSupported"] == ["ON_DEMAND", "INFERENCE_PROFILE"]
    assert nova["modelLifecycle"]["status"] == "ACTIVE"
    haiku = east["anthropic.claude-haiku-4-5-20251001-v1:0"]
    assert haiku["inferenceTypesSupported"] == ["INFERENCE_PROFILE"]
    # Ended models are in no list, and no picture model is in us-east-1.
    assert "amazon.titan-text-express-v1" not in east
    assert not ids(client.list_foundation_models(byOutputModality="IMAGE"))
    west = local_cloud.session().client(
        "bedrock", endpoint_url=local_cloud.endpoint_url, region_name="us-west-2"
    )
    pictures = ids(west.list_foundation_models(byOutputModality="IMAGE"))
    assert {model["providerName"] for model in pictures.values()} == {"Stability AI"}
    anthropic = ids(client.list_foundation_models(byProvider="anthropic"))
    assert anthropic and all(name.startswith("anthropic.") for name in anthropic)
    assert set(ids(client.list_foundation_models(byInferenceType="ON_DEMAND"))) < set(east)


def test_a_models_lifecycle(client):
    name = "anthropic.claude-sonnet-4-5-20250929-v1:0"
    details = client.get_foundation_model(modelIdentifier=name)["modelDetails"]
    lifecycle = details["modelLifecycle"]
    assert lifecycle["status"] == "LEGACY"
    assert lifecycle["legacyTime"].astimezone(UTC).date() == date(2026, 10, 8)
    assert lifecycle["endOfLifeTime"].astimezone(UTC).date() == date(2027, 4, 8)
    by_arn = client.get_foundation_model(modelIdentifier=details["modelArn"])
    assert by_arn["modelDetails"] == details
    ended = "anthropic.claude-3-haiku-20240307-v1:0"
    assert refusal(client.get_foundation_model, modelIdentifier=ended)[:2] == (
        404, "ResourceNotFoundException",
    )  # fmt: skip


def test_inference_profiles(client):
    found = client.list_inference_profiles()["inferenceProfileSummaries"]
    by_id = {profile["inferenceProfileId"]: profile for profile in found}
    assert "us.amazon.nova-micro-v1:0" in by_id
    assert not any(name.startswith("eu.") for name in by_id)
    pages = client.get_paginator("list_inference_profiles").paginate(
        PaginationConfig={"PageSize": 3}
    )
    assert [p for page in pages for p in page["inferenceProfileSummaries"]] == found
    profile = by_id["us.anthropic.claude-haiku-4-5-20251001-v1:0"]
    for name in (profile["inferenceProfileId"], profile["inferenceProfileArn"]):
        answer = client.get_inference_profile(inferenceProfileIdentifier=name)
        assert answer["models"] == profile["models"]
    assert all(":foundation-model/anthropic." in model["modelArn"] for model in profile["models"])
    assert not client.list_inference_profiles(typeEquals="APPLICATION")["inferenceProfileSummaries"]
    assert refusal(client.get_inference_profile, inferenceProfileIdentifier="us.none")[0] == 404
