"""REST APIs from templates: made, answered, changed and deleted with their stack."""

import copy
from urllib.parse import urlsplit

import pytest

from deployment import make_role
from http_apis import request
from rest_apis import invocation_uri
from stacks import create, delete, events, function_parts, outputs, update

SOURCE = """
import json
def handler(event, context):
    if event.get("type") in ("TOKEN", "REQUEST"):
        statement = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        return {"principalId": "ana", "policyDocument": document}
    return {"statusCode": 200, "body": json.dumps(event)}
"""
API = {"Ref": "Api"}


@pytest.fixture(scope="module")
def role(local_cloud):
    return make_role(local_cloud, "rest-stacks")


def part(kind, depends=None, **properties):
    made = {"Type": f"AWS::ApiGateway::{kind}", "Properties": properties}
    return {**made, "DependsOn": depends} if depends else made


def failures(cfn, name):
    return [each for each in events(cfn, name) if each[1].endswith("FAILED")]


URI = {"Fn::Sub": invocation_uri("${Function.Arn}")}
INTEGRATION = {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": URI}


def call(cloud, stack, path, method="GET", body=None, headers=()):
    address = urlsplit(outputs(stack)["Endpoint"])
    return request(cloud, address.hostname, address.path + path, method, body, headers)


ENDPOINT = {
    "Endpoint": {
        "Value": {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}"}
    }
}


def template_of(role):
    """A method behind an authorizer, a validator and an API key; a mock; a stage with settings."""
    resource = {"Ref": "Pet"}
    return {
        "Resources": {
            **function_parts(role, SOURCE),
            "Api": part("RestApi", Name="pets", EndpointConfiguration={"Types": ["REGIONAL"]}),
            "Pets": part(
                "Resource", RestApiId=API, PathPart="pets",
                ParentId={"Fn::GetAtt": ["Api", "RootResourceId"]},
            ),
            "Pet": part("Resource", RestApiId=API, PathPart="{id}", ParentId={"Ref": "Pets"}),
            "Guard": part(
                "Authorizer", RestApiId=API, Name="guard", Type="TOKEN", AuthorizerUri=URI,
                IdentitySource="method.request.header.Authorization",
                AuthorizerResultTtlInSeconds="0",
            ),
            "Validator": part("RequestValidator", RestApiId=API, ValidateRequestBody="true"),
            "Shape": part(
                "Model", RestApiId=API, Name="Pet", ContentType="application/json",
                Schema={"type": "object", "required": ["name"]},
            ),
            "Denied": part(
                "GatewayResponse", RestApiId=API, ResponseType="UNAUTHORIZED", StatusCode="401",
                ResponseTemplates={"application/json": '{"told": "who are you"}'},
            ),
            "GetPet": part(
                "Method", RestApiId=API, ResourceId=resource, HttpMethod="GET",
                AuthorizationType="CUSTOM", AuthorizerId={"Ref": "Guard"}, Integration=INTEGRATION,
            ),
            "PutPet": part(
                "Method", RestApiId=API, ResourceId=resource, HttpMethod="PUT",
                AuthorizationType="NONE", ApiKeyRequired="true", Integration=INTEGRATION,
                RequestValidatorId={"Ref": "Validator"},
                RequestModels={"application/json": {"Ref": "Shape"}},
            ),
            "ListPets": part(
                "Method", RestApiId=API, ResourceId={"Ref": "Pets"}, HttpMethod="GET",
                AuthorizationType="NONE",
                Integration={
                    "Type": "MOCK",
                    "RequestTemplates": {"application/json": '{"statusCode": 200}'},
                    "IntegrationResponses": [
                        {
                            "StatusCode": 200,
                            "ResponseParameters": {"method.response.header.X-Kind": "'mock'"},
                            "ResponseTemplates": {"application/json": '["$stageVariables.kind"]'},
                        }
                    ],
                },
                MethodResponses=[
                    {
                        "StatusCode": 200,
                        "ResponseParameters": {"method.response.header.X-Kind": False},
                    }
                ],
            ),
            "Deployment": part("Deployment", ["GetPet", "PutPet", "ListPets"], RestApiId=API),
            "Stage": part(
                "Stage", RestApiId=API, StageName="dev", DeploymentId={"Ref": "Deployment"},
                Variables={"kind": "cat"},
                MethodSettings=[
                    {"ResourcePath": "/*", "HttpMethod": "*", "ThrottlingRateLimit": 50},
                    {"ResourcePath": "/pets/{id}", "HttpMethod": "GET", "MetricsEnabled": "true"},
                ],
            ),
            "Key": part("ApiKey", Enabled="true", Value="a-key-of-twenty-letters"),
            "Plan": part(
                "UsagePlan", UsagePlanName="basic",
                ApiStages=[{"ApiId": API, "Stage": {"Ref": "Stage"}}],
                Quota={"Limit": "100", "Period": "DAY"},
            ),
            "PlanKey": part(
                "UsagePlanKey", KeyId={"Ref": "Key"}, KeyType="API_KEY", UsagePlanId={"Ref": "Plan"}
            ),
        },
        "Outputs": {**ENDPOINT, "Id": {"Value": API}, "Method": {"Value": {"Ref": "GetPet"}}},
    }  # fmt: skip


def test_an_api_lives_with_its_stack(local_cloud, cfn, role):
    template = template_of(role)
    stack = create(cfn, "rest-pets", template)
    assert stack["StackStatus"] == "CREATE_COMPLETE", failures(cfn, "rest-pets")
    refused = call(local_cloud, stack, "/pets/7")
    assert (refused.status, refused.json()) == (401, {"told": "who are you"})
    event = call(local_cloud, stack, "/pets/7", headers={"Authorization": "x"}).json()
    assert event["requestContext"]["authorizer"]["principalId"] == "ana"
    assert event["pathParameters"] == {"id": "7"} and event["stageVariables"] == {"kind": "cat"}
    listed = call(local_cloud, stack, "/pets")
    assert (listed.json(), listed.headers["x-kind"]) == (["cat"], "mock")
    key = {"x-api-key": "a-key-of-twenty-letters", "Content-Type": "application/json"}
    assert call(local_cloud, stack, "/pets/7", "PUT", b"{}").status == 403
    assert call(local_cloud, stack, "/pets/7", "PUT", b"{}", key).status == 400
    assert call(local_cloud, stack, "/pets/7", "PUT", b'{"name": "a"}', key).status == 200
    client = local_cloud.client("apigateway")
    api_id = outputs(stack)["Id"]
    stage = client.get_stage(restApiId=api_id, stageName="dev")
    assert stage["methodSettings"]["*/*"]["throttlingRateLimit"] == 50
    assert stage["methodSettings"]["~1pets~1{id}/GET"]["metricsEnabled"] is True

    changed = copy.deepcopy(template)
    parts = changed["Resources"]
    parts["ListPets"]["Properties"]["Integration"]["IntegrationResponses"][0][
        "ResponseTemplates"
    ] = {"application/json": '["dog"]'}
    parts["Stage"]["Properties"]["Variables"] = {"kind": "dog"}
    parts["Shape"]["Properties"]["Schema"] = {"type": "object"}
    parts["Guard"]["Properties"]["IdentitySource"] = "method.request.header.X-Token"
    parts["Plan"]["Properties"]["Quota"]["Limit"] = 200
    stack = update(cfn, "rest-pets", changed)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", failures(cfn, "rest-pets")
    assert outputs(stack)["Id"] == api_id, "nothing was replaced"
    assert call(local_cloud, stack, "/pets").json() == ["dog"], "a stage variable is live at once"
    token = {"X-Token": "x"}
    assert call(local_cloud, stack, "/pets/7", headers=token).status == 401, "not yet deployed"
    parts["Second"] = part("Deployment", ["GetPet", "PutPet", "ListPets"], RestApiId=API)
    parts["Stage"]["Properties"]["DeploymentId"] = {"Ref": "Second"}
    del parts["Deployment"]
    stack = update(cfn, "rest-pets", changed)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", failures(cfn, "rest-pets")
    assert call(local_cloud, stack, "/pets/7", headers=token).status == 200
    assert call(local_cloud, stack, "/pets/7", "PUT", b"{}", key).status == 200

    assert delete(cfn, "rest-pets")["StackStatus"] == "DELETE_COMPLETE"
    assert api_id not in [api["id"] for api in client.get_rest_apis()["items"]]
    assert "basic" not in [plan["name"] for plan in client.get_usage_plans()["items"]]


def small(**more):
    """A mock at the API's root, deployed to a stage that the deployment describes."""
    method = part(
        "Method", RestApiId=API, ResourceId={"Fn::GetAtt": ["Api", "RootResourceId"]},
        HttpMethod="GET", AuthorizationType="NONE",
        Integration={
            "Type": "MOCK",
            "RequestTemplates": {"application/json": '{"statusCode": 200}'},
            "IntegrationResponses": [{"StatusCode": "200"}],
        },
        MethodResponses=[{"StatusCode": "200"}],
    )  # fmt: skip
    described = {"LoggingLevel": "INFO", "Variables": {"kind": "cat"}, "CachingEnabled": "false"}
    return {
        "Resources": {
            "Api": part("RestApi", Name="small"),
            "Root": method,
            "Account": part("Account", CloudWatchRoleArn="arn:aws:iam::000000000000:role/logs"),
            "Deployment": part(
                "Deployment", ["Root", "Account"], RestApiId=API, StageName="dev",
                StageDescription=described,
            ),
            **more,
        },
        "Outputs": {"Id": {"Value": API}},
    }  # fmt: skip


def test_a_deployment_describes_its_stage(local_cloud, cfn):
    stack = create(cfn, "rest-small", small())
    assert stack["StackStatus"] == "CREATE_COMPLETE", failures(cfn, "rest-small")
    client, api_id = local_cloud.client("apigateway"), outputs(stack)["Id"]
    stage = client.get_stage(restApiId=api_id, stageName="dev")
    assert stage["variables"] == {"kind": "cat"}
    assert stage["methodSettings"]["*/*"]["loggingLevel"] == "INFO"
    assert request(local_cloud, f"{api_id}.execute-api.localhost", "/dev").status == 200
    assert delete(cfn, "rest-small")["StackStatus"] == "DELETE_COMPLETE"


def test_what_the_api_refuses_is_rolled_back(local_cloud, cfn):
    guarded = part(
        "Method", RestApiId=API, ResourceId={"Fn::GetAtt": ["Api", "RootResourceId"]},
        HttpMethod="POST", AuthorizationType="CUSTOM", AuthorizerId="nobody",
    )  # fmt: skip
    create(cfn, "rest-refused", small())
    stack = update(cfn, "rest-refused", small(Guarded=guarded))
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    [(_, _, told)] = [each for each in failures(cfn, "rest-refused") if each[0] == "Guarded"]
    assert "Invalid authorizer ID specified" in told and "Service: ApiGateway" in told
    host = f"{outputs(stack)['Id']}.execute-api.localhost"
    assert request(local_cloud, host, "/dev").status == 200
    assert delete(cfn, "rest-refused")["StackStatus"] == "DELETE_COMPLETE"


def test_what_is_changed_keeps_the_name_that_it_was_given(local_cloud, cfn):
    client = local_cloud.client("apigateway")

    def names(stack):
        validators = client.get_request_validators(restApiId=outputs(stack)["Id"])["items"]
        plans = client.get_usage_plans()["items"]
        mine = [each["name"] for each in plans if each["name"].startswith("rest-named-Plan-")]
        return [each["name"] for each in validators], mine

    def template(word, is_on):
        validator = part("RequestValidator", RestApiId=API, ValidateRequestBody=is_on)
        return small(Validator=validator, Plan=part("UsagePlan", Description=word))

    before = names(create(cfn, "rest-named", template("one", False)))
    assert [len(each) for each in before] == [1, 1]
    assert names(update(cfn, "rest-named", template("two", True))) == before
    delete(cfn, "rest-named")
