"""CloudWatch's metrics of HTTP APIs, as boto3 reads them."""

import datetime

import pytest

from http_apis import HttpApi, make_function


@pytest.fixture(scope="module")
def api(local_cloud):
    settings = {"RouteSettings": {"GET /pets/{id}": {"DetailedMetricsEnabled": True}}}
    api = HttpApi(local_cloud, stage="dev", stage_options=settings)
    source = "def handler(event, context): return {'statusCode': 200, 'body': 'pet'}\n"
    works = api.integrate(make_function(local_cloud, "works", source))
    api.route("GET /pets/{id}", works)
    api.route("GET /shops", works)
    fails = make_function(local_cloud, "fails", "def handler(event, context): return 1 / 0\n")
    api.route("GET /fails", api.integrate(fails))
    for path in ("/pets/1", "/pets/2", "/shops", "/fails", "/nowhere"):
        api.call(f"/dev{path}")
    return api


def statistics(api, metric, **dimensions):
    now = datetime.datetime.now(datetime.UTC)
    span = datetime.timedelta(minutes=10)
    points = api.cloud.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/ApiGateway", MetricName=metric, StartTime=now - span, EndTime=now + span,
        Period=1200, Statistics=["Sum", "SampleCount", "Maximum"],
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
    )["Datapoints"]  # fmt: skip
    return {name: sum(point[name] for point in points) for name in ("Sum", "SampleCount")}


def test_by_api_and_stage(api):
    for dimensions in ({"ApiId": api.id}, {"ApiId": api.id, "Stage": "dev"}):
        assert statistics(api, "Count", **dimensions)["Sum"] == 5
        assert statistics(api, "4xx", **dimensions) == {"Sum": 1, "SampleCount": 5}
        assert statistics(api, "5xx", **dimensions) == {"Sum": 1, "SampleCount": 5}
        assert statistics(api, "Latency", **dimensions)["SampleCount"] == 5
        assert statistics(api, "IntegrationLatency", **dimensions)["SampleCount"] == 4
        errors = len(b'{"message":"Internal Server Error"}') + len(b'{"message":"Not Found"}')
        assert statistics(api, "DataProcessed", **dimensions)["Sum"] == 3 * len(b"pet") + errors


def test_detailed_metrics_of_the_routes_that_ask_for_them(api):
    place = {"ApiId": api.id, "Stage": "dev", "Method": "GET"}
    assert statistics(api, "Count", **place, Resource="/pets/{id}")["Sum"] == 2
    assert statistics(api, "Count", **place, Resource="/shops")["Sum"] == 0
