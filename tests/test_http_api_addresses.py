"""How an HTTP API is reached: by host name, by path, and by the address that it gives."""

import json
import subprocess

import pytest

from http_apis import HttpApi, make_function, request


@pytest.fixture(scope="module")
def api(local_cloud):
    api = HttpApi(local_cloud)
    api.route("$default", api.integrate(make_function(local_cloud, "echo")))
    api.client.create_stage(ApiId=api.id, StageName="dev", AutoDeploy=True)
    return api


@pytest.mark.parametrize(
    "domain", ["localhost", "us-east-1.localhost", "us-east-1.amazonaws.com", "LOCALHOST"]
)
def test_by_host_name(api, local_cloud, domain):
    reply = request(local_cloud, f"{api.id}.execute-api.{domain}:{local_cloud.port}", "/a")
    assert reply.status == 200
    context = reply.json()["requestContext"]
    assert context["domainName"] == f"{api.id}.execute-api.{domain.lower()}"
    assert (context["domainPrefix"], context["apiId"]) == (api.id, api.id)


def test_by_path(api, local_cloud):
    prefix = f"/_aws/execute-api/{api.id}"
    event = request(local_cloud, "127.0.0.1", f"{prefix}/dev/a%20b?x=1").json()
    assert event["rawPath"] == "/dev/a b" and event["requestContext"]["stage"] == "dev"
    assert event["requestContext"]["domainName"] == f"{api.id}.execute-api.localhost"
    event = request(local_cloud, "127.0.0.1", f"{prefix}/a").json()
    assert event["rawPath"] == "/a" and event["requestContext"]["stage"] == "$default"
    assert request(local_cloud, "127.0.0.1", prefix).json()["rawPath"] == "/"


@pytest.mark.needs("curl")
def test_the_endpoint_works_as_it_stands(api, local_cloud):
    assert api.endpoint == f"http://{api.id}.execute-api.localhost:{local_cloud.port}"
    assert api.client.get_api(ApiId=api.id)["ApiEndpoint"] == api.endpoint
    # curl takes *.localhost to this machine by itself, as browsers do.
    command = ["curl", "--silent", "--noproxy", "*", f"{api.endpoint}/dev/hello"]
    event = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert event["rawPath"] == "/dev/hello"


def test_an_unknown_api_says_so(local_cloud):
    reply = request(local_cloud, "nothing.execute-api.localhost", "/")
    assert (reply.status, reply.json()) == (404, {"message": "localcloud has no API nothing"})


def test_a_disabled_endpoint_is_not_found(local_cloud):
    api = HttpApi(local_cloud, DisableExecuteApiEndpoint=True)
    api.route("$default", api.integrate(make_function(local_cloud, "hidden")))
    assert api.call("/").status == 404
