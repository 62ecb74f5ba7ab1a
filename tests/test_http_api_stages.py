"""Stages: which one takes a request, what it serves, and its variables."""

import pytest

from http_apis import HttpApi, make_function
from refusals import refusal


@pytest.fixture(scope="module")
def echo(local_cloud):
    return make_function(local_cloud, "echo")


def test_a_named_stage_is_part_of_the_path(local_cloud, echo):
    api = HttpApi(local_cloud, stage="dev", stage_options={"StageVariables": {"table": "pets"}})
    api.route("GET /pets", api.integrate(echo))
    event = api.call("/dev/pets").json()
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/dev/pets"
    assert event["requestContext"]["stage"] == "dev"
    assert event["stageVariables"] == {"table": "pets"}
    assert api.call("/pets").status == 404, "there is no $default stage"
    api.client.create_stage(ApiId=api.id, StageName="$default", AutoDeploy=True)
    event = api.call("/pets").json()
    assert (event["rawPath"], event["requestContext"]["stage"]) == ("/pets", "$default")
    assert "stageVariables" not in event
    assert api.call("/dev/pets").json()["requestContext"]["stage"] == "dev"


def test_a_stage_serves_a_deployment(local_cloud, echo):
    api = HttpApi(local_cloud, auto_deploy=False)
    integration = api.integrate(echo)
    api.route("GET /one", integration)
    assert api.call("/one").status == 404, "nothing is deployed"
    first = api.client.create_deployment(
        ApiId=api.id, StageName="$default", Description="the first"
    )["DeploymentId"]
    assert api.call("/one").status == 200
    two = api.route("GET /two", integration)
    assert api.call("/two").status == 404, "a change isn't live until it is deployed"
    second = api.client.create_deployment(ApiId=api.id, StageName="$default")["DeploymentId"]
    assert api.call("/two").status == 200
    api.client.delete_route(ApiId=api.id, RouteId=two)
    assert api.call("/two").status == 200, "a deployment is a snapshot"
    api.client.update_stage(ApiId=api.id, StageName="$default", DeploymentId=first)
    assert (api.call("/one").status, api.call("/two").status) == (200, 404)
    assert api.client.get_stage(ApiId=api.id, StageName="$default")["DeploymentId"] == first
    found = {d["DeploymentId"]: d for d in api.client.get_deployments(ApiId=api.id)["Items"]}
    assert set(found) == {first, second} and found[first]["Description"] == "the first"
    assert found[first]["DeploymentStatus"] == "DEPLOYED" and not found[first]["AutoDeployed"]
    status, _, _ = refusal(api.client.delete_deployment, ApiId=api.id, DeploymentId=first)
    assert status == 400, "a stage serves it"
    api.client.delete_deployment(ApiId=api.id, DeploymentId=second)
    status, code, _ = refusal(api.client.get_deployment, ApiId=api.id, DeploymentId=second)
    assert (status, code) == (404, "NotFoundException")


def test_automatic_deployment(local_cloud, echo):
    api = HttpApi(local_cloud)
    api.route("GET /one", api.integrate(echo))
    assert api.call("/one").status == 200
    [deployment] = api.client.get_deployments(ApiId=api.id)["Items"]
    assert deployment["AutoDeployed"]
    stage = api.client.get_stage(ApiId=api.id, StageName="$default")
    assert stage["DeploymentId"] == deployment["DeploymentId"]
    status, code, _ = refusal(
        api.client.update_stage, ApiId=api.id, StageName="$default",
        DeploymentId=deployment["DeploymentId"],
    )  # fmt: skip
    assert (status, code) == (400, "BadRequestException")
    api.client.update_stage(ApiId=api.id, StageName="$default", AutoDeploy=False)
    api.route("GET /two", api.integrate(echo))
    assert api.call("/two").status == 404
    api.client.update_stage(ApiId=api.id, StageName="$default", AutoDeploy=True)
    assert api.call("/two").status == 200


def test_stage_variables_choose_the_function(local_cloud):
    source = "import os\ndef handler(event, context): return context.function_name\n"
    blue = make_function(local_cloud, "blue", source)
    make_function(local_cloud, "green", source)
    api = HttpApi(local_cloud, stage_options={"StageVariables": {"color": "blue"}})
    uri = (
        "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
        f"{blue.removesuffix('blue')}${{stageVariables.color}}/invocations"
    )
    api.route("$default", api.integrate(uri))
    assert api.call("/").body == b"blue"
    changed = {"StageVariables": {"color": "green"}}
    api.client.update_stage(ApiId=api.id, StageName="$default", **changed)
    assert api.call("/").body == b"green", "a stage's settings need no deployment"


def test_a_stage_is_made_once(local_cloud):
    api = HttpApi(local_cloud)
    status, code, _ = refusal(api.client.create_stage, ApiId=api.id, StageName="$default")
    assert (status, code) == (409, "ConflictException")


def test_quick_create(local_cloud, echo):
    client = local_cloud.client("apigatewayv2")
    made = client.create_api(Name="quick", ProtocolType="HTTP", Target=echo)
    api = HttpApi.__new__(HttpApi)
    api.cloud, api.host = local_cloud, f"{made['ApiId']}.execute-api.localhost"
    assert api.call("/what/ever").json()["routeKey"] == "$default"
    [stage] = client.get_stages(ApiId=made["ApiId"])["Items"]
    assert stage["StageName"] == "$default" and stage["AutoDeploy"]
    [integration] = client.get_integrations(ApiId=made["ApiId"])["Items"]
    assert integration["PayloadFormatVersion"] == "2.0"
