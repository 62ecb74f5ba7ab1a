"""Outputs of stacks that name APIs by AWS's addresses: here they have those at which the APIs answer."""

from urllib.parse import urlsplit

import pytest

from http_apis import request
from stacks import create, delete, outputs

AWS = "https://${%s}.execute-api.${AWS::Region}.${AWS::URLSuffix}"


def part(kind, **properties):
    return {"Type": f"AWS::{kind}", "Properties": properties}


def answering(status):
    return {
        "Type": "MOCK",
        "RequestTemplates": {"application/json": f'{{"statusCode": {status}}}'},
        "IntegrationResponses": [{"StatusCode": str(status)}],
    }


def template(url):
    sub = {
        "Rest": AWS % "Rest" + "/dev/?a=b",
        "Plain": "https://${Rest}.execute-api.${AWS::Region}.amazonaws.com/dev",
        "Http": AWS % "Http",
        "Sockets": AWS.replace("https", "wss") % "Sockets" + "/live",
        "Strange": "https://strange.execute-api.${AWS::Region}.amazonaws.com/dev",
        "Elsewhere": "https://${Rest}.execute-api.mars-north-1.amazonaws.com/dev",
        "Longer": "https://${Rest}.execute-api.${AWS::Region}.amazonaws.com.example.test/dev",
        "Sentence": "Open " + AWS % "Rest" + "/dev and " + AWS % "Http" + " in a browser",
    }
    made = {name: {"Value": {"Fn::Sub": text}} for name, text in sub.items()}
    made["Rest"]["Export"] = {"Name": "rest-address"}
    made["Endpoint"] = {"Value": {"Fn::GetAtt": ["Http", "ApiEndpoint"]}}
    return {
        "Resources": {
            "Rest": part("ApiGateway::RestApi", Name="rest"),
            "Root": part(
                "ApiGateway::Method", RestApiId={"Ref": "Rest"}, HttpMethod="GET",
                ResourceId={"Fn::GetAtt": ["Rest", "RootResourceId"]}, AuthorizationType="NONE",
                MethodResponses=[{"StatusCode": "200"}], Integration=answering(200),
            ),
            "Deployment": {
                **part("ApiGateway::Deployment", RestApiId={"Ref": "Rest"}, StageName="dev"),
                "DependsOn": "Root",
            },
            "Http": part("ApiGatewayV2::Api", Name="http", ProtocolType="HTTP", Target=url),
            "Sockets": part(
                "ApiGatewayV2::Api", Name="sockets", ProtocolType="WEBSOCKET",
                RouteSelectionExpression="$request.body.action",
            ),
        },
        "Outputs": made,
    }  # fmt: skip


@pytest.fixture(scope="module")
def stack(local_cloud):
    cfn = local_cloud.client("cloudformation")
    yield create(cfn, "addresses", template(f"{local_cloud.endpoint_url}/_localcloud"))
    assert delete(cfn, "addresses")["StackStatus"] == "DELETE_COMPLETE"


def test_what_outputs_say_can_be_opened(stack, local_cloud):
    found = outputs(stack)
    port = f".execute-api.localhost:{local_cloud.port}"
    assert found["Rest"].endswith(port + "/dev/?a=b") and found["Plain"].endswith(port + "/dev")
    for name, further in (("Rest", ""), ("Plain", ""), ("Http", "/settings")):
        address = urlsplit(found[name] + further)
        assert (address.scheme, address.port) == ("http", local_cloud.port)
        path = f"{address.path}?{address.query}" if address.query else address.path
        assert request(local_cloud, address.hostname, path).status == 200, name
    assert found["Http"] == found["Endpoint"]
    assert found["Sockets"].startswith("ws://") and found["Sockets"].endswith(port + "/live")
    rest = found["Plain"].removesuffix("/dev")
    assert found["Sentence"] == f"Open {rest}/dev and {found['Http']} in a browser"


def test_exports_say_the_same(stack, local_cloud):
    [export] = local_cloud.client("cloudformation").list_exports()["Exports"]
    assert (export["Name"], export["Value"]) == ("rest-address", outputs(stack)["Rest"])


def test_other_addresses_stay(stack):
    found = outputs(stack)
    region = "us-east-1"
    assert found["Strange"] == f"https://strange.execute-api.{region}.amazonaws.com/dev"
    assert found["Elsewhere"].endswith(".execute-api.mars-north-1.amazonaws.com/dev")
    assert found["Longer"].endswith(f".execute-api.{region}.amazonaws.com.example.test/dev")
