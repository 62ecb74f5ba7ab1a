"""Which models there are: ListFoundationModels, GetFoundationModel and inference profiles."""

import tomllib
from datetime import UTC, date
from importlib.resources import files

import pytest

from bedrock import runtime
from refusals import refusal

NEEDED = {"id", "name", "provider", "family", "status", "source"}


@pytest.fixture(scope="module")
def client(local_cloud):
    return local_cloud.client("bedrock")


def models():
    """The data file's models by id."""
    text = files("localcloud.foundation_models").joinpath("models.toml").read_text()
    return {model["id"]: model for model in tomllib.loads(text)["model"]}


def called(model):
    """The id by which a model is invoked in us-east-1."""
    return model["id"] if "us-east-1" in model.get("on_demand", ()) else f"us.{model['id']}"


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


# "Model lifecycle (Legacy)", as published in October 2026 (facts H7): status, legacy, extended access, end.
LIFECYCLES = {
    "anthropic.claude-sonnet-4-5-20250929-v1:0": ("LEGACY", "2026-10-08", None, "2027-04-08"),
    "anthropic.claude-opus-4-1-20250805-v1:0": (
        "LEGACY", "2026-07-08", "2026-10-08", "2027-01-08",
    ),
    "amazon.nova-micro-v1:0": ("ACTIVE", None, None, None),
}  # fmt: skip
ENDED = {
    "anthropic.claude-sonnet-4-20250514-v1:0": ("2026-04-14", "2026-10-14"),
    "anthropic.claude-3-haiku-20240307-v1:0": ("2026-03-10", "2026-09-10"),
    "amazon.nova-canvas-v1:0": ("2026-03-30", "2026-09-30"),
}


@pytest.mark.parametrize("name", LIFECYCLES)
def test_a_models_lifecycle(client, name):
    details = client.get_foundation_model(modelIdentifier=name)["modelDetails"]
    lifecycle = details["modelLifecycle"]

    def day(member):
        return str(lifecycle[member].astimezone(UTC).date()) if member in lifecycle else None

    assert LIFECYCLES[name] == (
        lifecycle["status"], day("legacyTime"), day("publicExtendedAccessTime"), day("endOfLifeTime"),
    )  # fmt: skip
    by_arn = client.get_foundation_model(modelIdentifier=details["modelArn"])
    assert by_arn["modelDetails"] == details
    elsewhere = details["modelArn"].replace("us-east-1", "eu-west-1")
    assert refusal(client.get_foundation_model, modelIdentifier=elsewhere)[0] == 404


@pytest.mark.parametrize("name", ENDED)
def test_a_model_that_has_ended(client, local_cloud, name):
    assert refusal(client.get_foundation_model, modelIdentifier=name)[:2] == (
        404, "ResourceNotFoundException",
    )  # fmt: skip
    model = models()[name]
    assert (model["status"], str(model["legacy"]), str(model["end_of_life"])) == (
        "EOL",
        *ENDED[name],
    )
    status, code, message = refusal(
        runtime(local_cloud).invoke_model, modelId=called(model), body=b"{}"
    )
    assert (status, code) == (404, "ResourceNotFoundException")
    assert message.startswith("This model version has reached the end of its life.")


def test_output_burns_fivefold_for_claude_from_3_7_on_and_for_nobody_else():
    older = {"anthropic.claude-3-haiku-20240307-v1:0"}
    for name, model in models().items():
        is_newer_claude = model["family"] == "anthropic" and name not in older
        assert model.get("burndown", 1) == (5 if is_newer_claude else 1), name


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
