"""HTTP APIs outlive a server that keeps its state."""

import pytest

from http_apis import HttpApi, make_function, request
from localcloud import LocalCloud


@pytest.mark.parametrize("asks_first", ["traffic", "the control plane"])
def test_an_api_comes_back_with_its_deployments(tmp_path, asks_first):
    with LocalCloud(port=0, state=tmp_path) as cloud:
        api = HttpApi(cloud, stage="live", auto_deploy=False)
        integration = api.integrate(make_function(cloud, "echo"))
        api.route("GET /one", integration)
        made = api.client.create_deployment(ApiId=api.id, StageName="live")["DeploymentId"]
        api.route("GET /two", integration)
    with LocalCloud(port=0, state=tmp_path) as cloud:
        client = cloud.client("apigatewayv2")
        if asks_first == "the control plane":
            endpoint = f"http://{api.host}:{cloud.port}"
            assert client.get_api(ApiId=api.id)["ApiEndpoint"] == endpoint
        assert request(cloud, api.host, "/live/one").json()["routeKey"] == "GET /one"
        assert request(cloud, api.host, "/live/two").status == 404, "it wasn't deployed"
        [deployment] = client.get_deployments(ApiId=api.id)["Items"]
        assert deployment["DeploymentId"] == made
        client.update_stage(ApiId=api.id, StageName="live", AutoDeploy=True)
        assert request(cloud, api.host, "/live/two").status == 200
