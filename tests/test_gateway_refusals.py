"""What API Gateway can do and localcloud can't is refused where it is asked for."""

import pytest
from botocore.exceptions import ClientError

from http_apis import HttpApi, make_function
from rest_apis import RestApi, invocation_uri
from stacks import create, reason
from websocket_apis import WebSocketApi

CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/a"
TRUSTED = {"truststoreUri": "s3://bucket/certificates.pem"}


@pytest.fixture(scope="module")
def arn(local_cloud):
    source = 'def handler(event, context): return {"statusCode": 200}'
    return make_function(local_cloud, "behind", source)


@pytest.fixture(scope="module")
def rest(local_cloud, arn):
    api = RestApi(local_cloud)
    api.proxy("GET", "/", arn)
    api.deploy()
    return api


@pytest.fixture(scope="module")
def http(local_cloud):
    return HttpApi(local_cloud)


def patch(path, value):
    return {"patchOperations": [{"op": "replace", "path": path, "value": value}]}


def of_rest(api, arn):
    method = {"restApiId": api.id, "resourceId": api.root, "httpMethod": "GET"}
    link = {"connectionType": "VPC_LINK", "connectionId": "abc"}
    stage = {"restApiId": api.id, "stageName": "dev"}
    new_stage = {**stage, "stageName": "next", "deploymentId": api.deploy()}
    linked = {"type": "HTTP_PROXY", "integrationHttpMethod": "GET", "uri": "http://inside"}
    proxy = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": invocation_uri(arn)}
    name = {"regionalCertificateArn": CERTIFICATE, "endpointConfiguration": {"types": ["REGIONAL"]}}
    return [
        ("create_vpc_link", {"name": "link", "targetArns": ["arn"]}, "VPC links"),
        ("put_integration", {**method, **linked, **link}, "VPC links"),
        ("update_integration", {**method, **patch("/connectionType", "VPC_LINK")}, "VPC links"),
        ("put_integration", {**method, **proxy, "responseTransferMode": "STREAM"}, "streaming"),
        ("create_rest_api", {"name": "small", "minimumCompressionSize": 0}, "compression"),
        (
            "update_rest_api",
            {"restApiId": api.id, **patch("/minimumCompressionSize", "0")},
            "compression",
        ),
        ("update_stage", {**stage, **patch("/clientCertificateId", "abc")}, "client certificates"),
        ("create_domain_name", {
            "domainName": "mutual.test", **name, "mutualTlsAuthentication": TRUSTED,
        }, "mutual TLS"),
        ("generate_client_certificate", {}, "no operation"),
        ("get_sdk", {**stage, "sdkType": "javascript"}, "no operation"),
        ("create_stage", {**new_stage, "documentationVersion": "1"}, None),
    ]  # fmt: skip


def of_http(api, arn):
    link = {"ConnectionType": "VPC_LINK", "ConnectionId": "abc", "PayloadFormatVersion": "1.0"}
    queue = {
        "IntegrationSubtype": "SQS-SendMessage", "PayloadFormatVersion": "1.0",
        "CredentialsArn": "arn:aws:iam::000000000000:role/queue",
        "RequestParameters": {"QueueUrl": "url", "MessageBody": "$request.body"},
    }  # fmt: skip
    kind = {"ApiId": api.id, "IntegrationType": "AWS_PROXY"}
    known = {"ApiId": api.id, "IntegrationId": api.integrate(arn)}
    trusted = {"TruststoreUri": "s3://bucket/certificates.pem"}
    return [
        ("create_vpc_link", {"Name": "link", "SubnetIds": ["subnet-1"]}, "VPC links"),
        ("create_integration", {**kind, "IntegrationUri": "arn:aws:x", **link}, "VPC links"),
        ("update_integration", {**known, "ConnectionType": "VPC_LINK"}, "VPC links"),
        ("create_integration", {**kind, **queue}, "service integrations"),
        ("create_domain_name", {
            "DomainName": "mutual.test",
            "DomainNameConfigurations": [{"CertificateArn": CERTIFICATE}],
            "MutualTlsAuthentication": trusted,
        }, "mutual TLS"),
        ("update_integration", {**known, "ConnectionType": "INTERNET"}, None),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["rest", "http"])
def test_what_is_asked_for_in_vain(kind, arn, request):
    api = request.getfixturevalue(kind)
    for operation, given, missing in (of_rest if kind == "rest" else of_http)(api, arn):
        call = getattr(api.client, operation)
        if missing is None:
            call(**given)
            continue
        with pytest.raises(ClientError, match=rf"localcloud has no .*|{missing}") as refused:
            call(**given)
        assert missing in refused.value.response["Error"]["Message"]


def test_a_websocket_api(local_cloud, arn):
    api = WebSocketApi(local_cloud)
    echo = api.integrate(arn)
    known = api.route("$default", echo)
    guarded = {"ApiId": api.id, "ApiKeyRequired": True}
    for operation, given, missing in (
        ("create_route", {**guarded, "RouteKey": "join"}, "API keys of WebSocket APIs"),
        ("update_route", {**guarded, "RouteId": known}, "API keys of WebSocket APIs"),
        (
            "create_integration",
            {"ApiId": api.id, "IntegrationType": "AWS", "IntegrationUri": arn},
            "AWS integrations of WebSocket APIs",
        ),
    ):
        with pytest.raises(ClientError, match=f"localcloud has no {missing}"):
            getattr(api.client, operation)(**given)
    [route] = api.client.get_routes(ApiId=api.id)["Items"]
    assert route["ApiKeyRequired"] is False


def test_nothing_is_left_of_it(rest, http, arn):
    assert "mutual.test" not in str(rest.client.get_domain_names()["items"])
    found = rest.client.get_integration(restApiId=rest.id, resourceId=rest.root, httpMethod="GET")
    assert found["uri"] == invocation_uri(arn)
    types = [
        each["ConnectionType"] for each in http.client.get_integrations(ApiId=http.id)["Items"]
    ]
    assert set(types) <= {"INTERNET"}


def test_no_firewall_stands_before_an_api(rest):
    firewall = rest.cloud.client("wafv2")
    made = firewall.create_web_acl(
        Name="wall", Scope="REGIONAL", DefaultAction={"Block": {}},
        VisibilityConfig={
            "SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "wall",
        },
    )["Summary"]  # fmt: skip
    stage = f"arn:aws:apigateway:us-east-1::/restapis/{rest.id}/stages/dev"
    with pytest.raises(ClientError, match="localcloud has no WAF in front of APIs"):
        firewall.associate_web_acl(WebACLArn=made["ARN"], ResourceArn=stage)
    assert rest.call("/dev").status == 200


def test_a_stack_says_it_too(local_cloud):
    resources = {
        "Api": {
            "Type": "AWS::ApiGateway::RestApi",
            "Properties": {"Name": "small", "MinimumCompressionSize": 1024},
        }
    }
    cfn = local_cloud.client("cloudformation")
    create(cfn, "refused", {"Resources": resources})
    told = reason(cfn, "refused", "Api", "CREATE_FAILED")
    assert "localcloud has no compression" in told
