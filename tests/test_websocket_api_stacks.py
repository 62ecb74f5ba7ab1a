"""WebSocket APIs from templates: made, answered, changed and deleted with their stack; and domain names."""

import copy
import json

from websockets.sync.client import connect

from deployment import make_role
from http_apis import request
from stacks import create, delete, events, function_parts, outputs, update
from websocket_apis import ECHO

API = {"Ref": "Api"}


def part(kind, depends=None, **properties):
    made = {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": properties}
    return {**made, "DependsOn": depends} if depends else made


def failures(cfn, name):
    return [each for each in events(cfn, name) if each[1].endswith("FAILED")]


def template_of(role, answer):
    """`$connect` and `$default` with a function, `ping` answered by a mock."""
    invocation = "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
    return {
        "Resources": {
            **function_parts(role, ECHO),
            "Api": part(
                "Api", Name="chat", ProtocolType="WEBSOCKET",
                RouteSelectionExpression="$request.body.action",
            ),
            "Echo": part(
                "Integration", ApiId=API, IntegrationType="AWS_PROXY",
                IntegrationUri={"Fn::Sub": invocation + "${Function.Arn}/invocations"},
            ),
            "Pong": part(
                "Integration", ApiId=API, IntegrationType="MOCK",
                RequestTemplates={"200": '{"statusCode": 200}'},
            ),
            "PongAnswer": part(
                "IntegrationResponse", ApiId=API, IntegrationId={"Ref": "Pong"},
                IntegrationResponseKey="$default", ResponseTemplates={"200": answer},
            ),
            "Connect": part(
                "Route", ApiId=API, RouteKey="$connect",
                Target={"Fn::Sub": "integrations/${Echo}"},
            ),
            "Default": part(
                "Route", ApiId=API, RouteKey="$default", RouteResponseSelectionExpression="$default",
                Target={"Fn::Sub": "integrations/${Echo}"},
            ),
            "DefaultAnswer": part(
                "RouteResponse", ApiId=API, RouteId={"Ref": "Default"}, RouteResponseKey="$default"
            ),
            "Ping": part(
                "Route", ApiId=API, RouteKey="ping", RouteResponseSelectionExpression="$default",
                Target={"Fn::Sub": "integrations/${Pong}"},
            ),
            "PingAnswer": part(
                "RouteResponse", ApiId=API, RouteId={"Ref": "Ping"}, RouteResponseKey="$default"
            ),
            "Deployment": part(
                "Deployment", ["Connect", "DefaultAnswer", "PingAnswer", "PongAnswer"], ApiId=API
            ),
            "Stage": part(
                "Stage", ApiId=API, StageName="dev", DeploymentId={"Ref": "Deployment"},
                StageVariables={"room": "tea"},
            ),
        },
        "Outputs": {
            "Endpoint": {"Value": {"Fn::GetAtt": ["Api", "ApiEndpoint"]}},
            "Id": {"Value": API},
        },
    }  # fmt: skip


def ask(cloud, stack, message):
    address, place = outputs(stack)["Endpoint"] + "/dev", ("127.0.0.1", cloud.port)
    with connect(address, address=place, proxy=None, compression=None) as connection:
        connection.send(json.dumps(message))
        return json.loads(connection.recv(timeout=60))


def test_an_api_lives_with_its_stack(local_cloud, cfn):
    role = make_role(local_cloud, "chat-role")
    template = template_of(role, '{"pong": 1}')
    stack = create(cfn, "chat", template)
    assert stack["StackStatus"] == "CREATE_COMPLETE", failures(cfn, "chat")
    given = outputs(stack)
    assert given["Endpoint"].startswith(f"ws://{given['Id']}.")
    assert ask(local_cloud, stack, {"action": "ping"}) == {"pong": 1}
    event = ask(local_cloud, stack, {"action": "else"})
    assert event["stageVariables"] == {"room": "tea"}

    changed = copy.deepcopy(template_of(role, '{"pong": 2}'))
    parts = changed["Resources"]
    parts["Pong"]["Properties"]["TimeoutInMillis"] = "1000"
    parts["Ping"]["Properties"]["OperationName"] = "ping"
    parts["Deployment"]["Properties"]["Description"] = "the second"
    stack = update(cfn, "chat", changed)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", failures(cfn, "chat")
    assert outputs(stack) == given, "nothing was replaced but the deployment"
    assert ask(local_cloud, stack, {"action": "ping"}) == {"pong": 2}
    assert delete(cfn, "chat")["StackStatus"] == "DELETE_COMPLETE"
    apis = local_cloud.client("apigatewayv2").get_apis()["Items"]
    assert given["Id"] not in [api["ApiId"] for api in apis]


def test_domain_names_of_both_kinds(local_cloud, cfn):
    """A REST API behind a base path of one name, an HTTP API behind a key of the other."""
    certificate = "arn:aws:acm:us-east-1:123456789012:certificate/abc"

    def rest(kind, **properties):
        return {"Type": f"AWS::ApiGateway::{kind}", "Properties": properties}

    mock = {"Type": "MOCK", "RequestTemplates": {"application/json": '{"statusCode": 200}'},
            "IntegrationResponses": [{"StatusCode": "200"}]}  # fmt: skip
    template = {
        "Resources": {
            "Rest": rest("RestApi", Name="rest"),
            "Method": rest(
                "Method", RestApiId={"Ref": "Rest"}, HttpMethod="GET", AuthorizationType="NONE",
                ResourceId={"Fn::GetAtt": ["Rest", "RootResourceId"]}, Integration=mock,
                MethodResponses=[{"StatusCode": "200"}],
            ),
            "Deployment": {
                **rest("Deployment", RestApiId={"Ref": "Rest"}, StageName="dev"),
                "DependsOn": "Method",
            },
            "RestName": rest(
                "DomainName", DomainName="rest.example.com", RegionalCertificateArn=certificate,
                EndpointConfiguration={"Types": ["REGIONAL"]},
            ),
            "RestMapping": {
                **rest(
                    "BasePathMapping", DomainName={"Ref": "RestName"}, BasePath="v1",
                    RestApiId={"Ref": "Rest"}, Stage="dev",
                ),
                "DependsOn": "Deployment",
            },
            "Http": part("Api", Name="http", ProtocolType="HTTP"),
            "Stage": part("Stage", ApiId={"Ref": "Http"}, StageName="$default", AutoDeploy=True),
            "HttpName": part(
                "DomainName", DomainName="http.example.com",
                DomainNameConfigurations=[{"CertificateArn": certificate}],
            ),
            "HttpMapping": part(
                "ApiMapping", DomainName={"Ref": "HttpName"}, ApiId={"Ref": "Http"},
                Stage={"Ref": "Stage"}, ApiMappingKey="v2",
            ),
        },
        "Outputs": {
            "Rest": {"Value": {"Fn::GetAtt": ["RestName", "RegionalDomainName"]}},
            "Http": {"Value": {"Fn::GetAtt": ["HttpName", "RegionalDomainName"]}},
        },
    }  # fmt: skip
    stack = create(cfn, "names", template)
    assert stack["StackStatus"] == "CREATE_COMPLETE", failures(cfn, "names")
    assert all(value.endswith(".amazonaws.com") for value in outputs(stack).values())
    assert request(local_cloud, "rest.example.com", "/v1").status == 200
    assert request(local_cloud, "http.example.com", "/v2/x").json() == {"message": "Not Found"}
    template["Resources"]["HttpMapping"]["Properties"]["ApiMappingKey"] = "v3"
    assert update(cfn, "names", template)["StackStatus"] == "UPDATE_COMPLETE"
    assert request(local_cloud, "http.example.com", "/v2/x").status == 403
    assert request(local_cloud, "http.example.com", "/v3/x").status == 404
    assert delete(cfn, "names")["StackStatus"] == "DELETE_COMPLETE", failures(cfn, "names")
