"""HTTP and WebSocket APIs from templates: made, answered, changed and deleted with their stack."""

import copy
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from deployment import make_role
from http_apis import request
from json_web_tokens import issuer
from stacks import create, delete, events, function_parts, outputs, update

EXECUTE = "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"
SOURCE = "def handler(event, context): return event"


def api_part(kind, **properties):
    return {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": properties}


def template_of(role, **more):
    """A function behind `GET /pets/{id}` of a $default stage that deploys by itself."""
    api = {"Ref": "Api"}
    return {
        "Resources": {
            **function_parts(role, SOURCE, SourceArn={"Fn::Sub": EXECUTE}),
            "Api": api_part("Api", Name="pets", ProtocolType="HTTP"),
            "Stage": api_part(
                "Stage", ApiId=api, StageName="$default", AutoDeploy="true",
                StageVariables={"table": "one"},
            ),
            "Integration": api_part(
                "Integration", ApiId=api, IntegrationType="AWS_PROXY",
                IntegrationUri={"Fn::GetAtt": ["Function", "Arn"]}, PayloadFormatVersion="2.0",
            ),
            "Route": api_part(
                "Route", ApiId=api, RouteKey="GET /pets/{id}",
                Target={"Fn::Sub": "integrations/${Integration}"},
            ),
            **more,
        },
        "Outputs": {
            "Endpoint": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}},
            "Id": {"Value": {"Fn::GetAtt": ["Api", "ApiId"]}},
            "StageName": {"Value": {"Ref": "Stage"}},
            "RouteId": {"Value": {"Ref": "Route"}},
        },
    }  # fmt: skip


def call(cloud, stack, path, headers=()):
    address = urlsplit(outputs(stack)["Endpoint"])
    assert address.port == cloud.port
    return request(cloud, address.hostname, path, headers=headers)


def test_an_api_lives_with_its_stack(local_cloud, cfn):
    template = template_of(make_role(local_cloud, "pets-role"))
    stack = create(cfn, "pets", template)
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "pets")
    given = outputs(stack)
    assert given["StageName"] == "$default"
    event = call(local_cloud, stack, "/pets/7").json()
    assert event["stageVariables"] == {"table": "one"} and event["pathParameters"] == {"id": "7"}
    client = local_cloud.client("apigatewayv2")
    [route] = client.get_routes(ApiId=given["Id"])["Items"]
    assert route["RouteId"] == given["RouteId"]

    changed = copy.deepcopy(template)
    parts = changed["Resources"]
    parts["Route"]["Properties"]["RouteKey"] = "GET /animals/{id}"
    parts["Stage"]["Properties"]["StageVariables"] = {"table": "two"}
    detailed = {"GET /more": {"DetailedMetricsEnabled": "true"}}
    parts["Stage"]["Properties"]["RouteSettings"] = detailed
    parts["Integration"]["Properties"]["RequestParameters"] = {"append:header.x-new": "yes"}
    parts["Api"]["Properties"]["CorsConfiguration"] = {"AllowOrigins": ["*"]}
    parts["More"] = api_part(
        "Route", ApiId={"Ref": "Api"}, RouteKey="GET /more",
        Target={"Fn::Sub": "integrations/${Integration}"},
    )  # fmt: skip
    stack = update(cfn, "pets", changed)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "pets")
    assert outputs(stack) == given, "nothing was replaced"
    assert call(local_cloud, stack, "/pets/7").status == 404
    reply = call(local_cloud, stack, "/animals/7", {"Origin": "http://a.example"})
    event = reply.json()
    assert event["stageVariables"] == {"table": "two"} and event["headers"]["x-new"] == "yes"
    assert reply.headers["access-control-allow-origin"] == "*"
    assert call(local_cloud, stack, "/more").status == 200

    def route_settings():
        return client.get_stage(ApiId=given["Id"], StageName="$default")["RouteSettings"]

    assert route_settings() == {"GET /more": {"DetailedMetricsEnabled": True}}

    stack = update(cfn, "pets", template)
    assert call(local_cloud, stack, "/more").status == 404
    reply = call(local_cloud, stack, "/pets/7", {"Origin": "http://a.example"})
    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] is None
    assert route_settings() == {}
    delete(cfn, "pets")
    assert call(local_cloud, stack, "/pets/7").status == 404
    assert given["Id"] not in {api["ApiId"] for api in client.get_apis()["Items"]}


def test_quick_create(local_cloud, cfn):
    template = template_of(make_role(local_cloud, "quick-role"))
    for name in ("Stage", "Integration", "Route"):
        del template["Resources"][name]
    del template["Outputs"]["StageName"], template["Outputs"]["RouteId"]
    template["Resources"]["Api"]["Properties"]["Target"] = {"Fn::GetAtt": ["Function", "Arn"]}
    stack = create(cfn, "quick", template)
    assert call(local_cloud, stack, "/any/thing").json()["routeKey"] == "$default"


def test_a_quick_create_that_is_refused_leaves_nothing(local_cloud, cfn):
    client = local_cloud.client("apigatewayv2")
    before = client.get_apis()["Items"]
    given = {"ProtocolType": "HTTP", "Target": "http://localhost/", "RouteKey": "pets"}
    with pytest.raises(ClientError, match="The provided route key is not formatted properly"):
        client.create_api(Name="refused", **given)
    api = {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "refused", **given}}
    assert create(cfn, "refused", {"Resources": {"Api": api}})["StackStatus"] == "ROLLBACK_COMPLETE"
    assert client.get_apis()["Items"] == before


def test_a_deployment_and_throttles(local_cloud, cfn):
    throttle = {"ThrottlingRateLimit": 0.001, "ThrottlingBurstLimit": "1"}
    stage = api_part(
        "Stage", ApiId={"Ref": "Api"}, StageName="live", DeploymentId={"Ref": "Deployment"},
        DefaultRouteSettings=throttle,
    )  # fmt: skip
    deployment = {**api_part("Deployment", ApiId={"Ref": "Api"}), "DependsOn": ["Route"]}
    role = make_role(local_cloud, "deployed-role")
    template = template_of(role, Stage=stage, Deployment=deployment)
    stack = create(cfn, "deployed", template)
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "deployed")
    assert call(local_cloud, stack, "/live/pets/7").status == 200
    assert call(local_cloud, stack, "/live/pets/7").status == 429


def test_authorizers(local_cloud, cfn):
    with issuer() as provider:
        jwt = api_part(
            "Authorizer", ApiId={"Ref": "Api"}, AuthorizerType="JWT", Name="jwt",
            IdentitySource=["$request.header.Authorization"],
            JwtConfiguration={"Issuer": provider.address, "Audience": ["pets"]},
        )  # fmt: skip
        template = template_of(make_role(local_cloud, "guarded-role"), Jwt=jwt)
        template["Resources"]["Route"]["Properties"] |= {
            "AuthorizationType": "JWT",
            "AuthorizerId": {"Ref": "Jwt"},
            "AuthorizationScopes": ["read"],
        }
        stack = create(cfn, "guarded", template)
        assert call(local_cloud, stack, "/pets/7").status == 401

        def status(**claims):
            token = {"Authorization": provider.token(**claims)}
            return call(local_cloud, stack, "/pets/7", token).status

        assert (status(), status(scope="read")) == (403, 200)
        template["Resources"]["Jwt"]["Properties"]["JwtConfiguration"]["Audience"] = ["others"]
        update(cfn, "guarded", template)
        assert status(scope="read") == 401
        assert status(scope="read", aud="others") == 200


def test_a_bad_route_rolls_the_stack_back(local_cloud, cfn):
    template = template_of(make_role(local_cloud, "bad-role"))
    template["Resources"]["Route"]["Properties"]["RouteKey"] = "pets"
    stack = create(cfn, "bad", template)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    [why] = [r for i, s, r in events(cfn, "bad") if (i, s) == ("Route", "CREATE_FAILED")]
    assert "The provided route key is not formatted properly for HTTP protocol" in why


def test_a_body_elsewhere_is_refused_in_plain_words(cfn):
    place = {"Bucket": "b", "Key": "k"}
    create(cfn, "body", {"Resources": {"Api": api_part("Api", BodyS3Location=place)}})
    [why] = [r for i, s, r in events(cfn, "body") if (i, s) == ("Api", "CREATE_FAILED")]
    assert "localcloud doesn't read BodyS3Location: use Body" in why


ANSWERS_WHO = """
import json
def handler(event, context):
    return {"statusCode": 200, "body": event["requestContext"]["routeKey"]}
"""


def test_a_websocket_api(local_cloud, cfn):
    template = template_of(make_role(local_cloud, "sockets-role"))
    parts = template["Resources"]
    parts["Function"]["Properties"]["Code"]["ZipFile"] = ANSWERS_WHO
    api, target = {"Ref": "Api"}, {"Fn::Sub": "integrations/${Integration}"}
    parts["Api"] = api_part(
        "Api",
        Name="live",
        ProtocolType="WEBSOCKET",
        RouteSelectionExpression="$request.body.action",
    )
    parts["Stage"] = api_part("Stage", ApiId=api, StageName="live", AutoDeploy=True)
    function = "${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"
    uri = {"Fn::Sub": f"arn:aws:apigateway:{function}"}
    parts["Integration"] = api_part(
        "Integration", ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=uri
    )
    parts["Route"] = api_part("Route", ApiId=api, RouteKey="$connect", Target=target)
    stack = create(cfn, "sockets", template)
    assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "sockets")
    endpoint = outputs(stack)["Endpoint"]
    assert endpoint.startswith("ws://")
    client = local_cloud.client("apigatewayv2")
    [found] = [each for each in client.get_apis()["Items"] if each["Name"] == "live"]
    assert found["ApiEndpoint"] == endpoint
    there = {"address": ("127.0.0.1", local_cloud.port), "proxy": None}
    with connect(f"{endpoint}/live", **there) as page:
        page.ping().wait(60)
    delete(cfn, "sockets")
    with pytest.raises(InvalidStatus), connect(f"{endpoint}/live", **there):
        pass
