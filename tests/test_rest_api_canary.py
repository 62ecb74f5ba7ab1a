"""Canaries: a share of a stage's requests goes to another deployment, until it is promoted or taken away."""

import pytest

from rest_apis import RestApi

OK = {"application/json": '{"statusCode": 200}'}
CANARY = {"percentTraffic": 100.0, "stageVariableOverrides": {"color": "yellow"}}


@pytest.fixture
def api(local_cloud):
    api = RestApi(local_cloud)
    api.place = api.method("GET", "/", "MOCK", requestTemplates=OK)
    say(api, "old")
    api.deploy(variables={"color": "black", "size": "1"})
    return api


def say(api, text):
    template = f"{text} $stageVariables.color$stageVariables.size $context.isCanaryRequest"
    api.answer(api.place, responseTemplates={"application/json": template})


def canary(api, **changes):
    say(api, "new")
    made = api.client.create_deployment(
        restApiId=api.id, stageName="dev", canarySettings={**CANARY, **changes}
    )
    return made["id"]


def answers(api, times=1):
    return {api.call("/dev/").body.decode() for _ in range(times)}


def test_its_deployment_and_variables(api):
    before = api.client.get_stage(restApiId=api.id, stageName="dev")["deploymentId"]
    new = canary(api)
    stage = api.client.get_stage(restApiId=api.id, stageName="dev")
    assert stage["deploymentId"] == before
    assert stage["canarySettings"] == {**CANARY, "deploymentId": new, "useStageCache": False}
    assert answers(api) == {"new yellow1 true"}
    api.patch("/canarySettings/percentTraffic", "0.0")
    assert answers(api, 20) == {"old black1 false"}
    api.patch("/canarySettings/percentTraffic", "50.0")
    # Forty of one kind alone would be a chance in a trillion.
    assert answers(api, 40) == {"new yellow1 true", "old black1 false"}
    api.patch("/canarySettings/percentTraffic", "100")
    api.patch("/canarySettings/stageVariableOverrides/size", "2")
    assert answers(api) == {"new yellow2 true"}


def test_promotion(api):
    new = canary(api)
    promote = [
        {"op": "copy", "from": "/canarySettings/stageVariableOverrides", "path": "/variables"},
        {"op": "copy", "from": "/canarySettings/deploymentId", "path": "/deploymentId"},
        {"op": "remove", "path": "/canarySettings"},
    ]
    stage = api.client.update_stage(restApiId=api.id, stageName="dev", patchOperations=promote)
    assert (stage["deploymentId"], "canarySettings" in stage) == (new, False)
    assert answers(api, 20) == {"new yellow1 false"}


def test_taking_it_away(api):
    canary(api)
    api.patch("/canarySettings", op="remove")
    assert answers(api, 20) == {"old black1 false"}


def test_a_stage_that_begins_with_one(api):
    deployments = api.client.get_deployments(restApiId=api.id)["items"]
    made = api.client.create_stage(
        restApiId=api.id, stageName="prod", deploymentId=deployments[0]["id"],
        variables={"color": "white"}, canarySettings=CANARY,
    )  # fmt: skip
    assert made["canarySettings"]["percentTraffic"] == 100.0
    assert api.call("/prod/").body.decode().startswith("old yellow")


def test_a_canary_needs_its_stage(api):
    with pytest.raises(api.client.exceptions.NotFoundException):
        api.client.create_deployment(restApiId=api.id, stageName="no", canarySettings=CANARY)
