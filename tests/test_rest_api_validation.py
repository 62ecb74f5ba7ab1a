"""REST APIs: request validators and models."""

import json

import pytest

from people import refusal
from rest_apis import RestApi

JSON = {"Content-Type": "application/json"}
PET = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "required": ["name"],
    "definitions": {"name": {"type": "string"}},
    "properties": {
        "name": {"$ref": "#/definitions/name"},
        "age": {"type": "integer", "minimum": 0},
    },
}


def validator(api, body=False, parameters=False):
    made = api.client.create_request_validator(
        restApiId=api.id,
        name="strict",
        validateRequestBody=body,
        validateRequestParameters=parameters,
    )
    return made["id"]


def model(api, name, schema):
    api.client.create_model(
        restApiId=api.id, name=name, schema=json.dumps(schema), contentType="application/json"
    )


@pytest.fixture(scope="module")
def api(local_cloud):
    api = RestApi(local_cloud)
    model(api, "Pet", PET)
    reference = f"https://apigateway.amazonaws.com/restapis/{api.id}/models/Pet"
    model(api, "Pets", {"type": "array", "items": {"$ref": reference}})
    both = validator(api, True, True)
    api.mock(
        "GET", "/pets/{id}", requestValidatorId=both,
        requestParameters={
            "method.request.querystring.qs1": True,
            "method.request.querystring.page": False,
            "method.request.header.X-Tenant": True,
            "method.request.path.id": True,
        },
    )  # fmt: skip
    by_type = {"application/json": "Pet", "application/xml": "Empty"}
    api.mock("POST", "/pets", requestValidatorId=both, requestModels=by_type)
    api.mock("POST", "/many", requestValidatorId=both, requestModels={"application/json": "Pets"})
    api.mock("POST", "/any", requestValidatorId=both, requestModels={"$default": "Pet"})
    only = validator(api, parameters=True)
    api.mock("POST", "/open", requestValidatorId=only, requestModels={"application/json": "Pet"})
    api.client.put_gateway_response(
        restApiId=api.id, responseType="BAD_REQUEST_BODY", statusCode="422",
        responseTemplates={
            "application/json": '{"message":$context.error.messageString,'
            '"why":"$context.error.validationErrorString"}'
        },
    )  # fmt: skip
    api.deploy()
    return api


def test_required_parameters(api):
    reply = api.call("/dev/pets/7")
    assert (reply.status, reply.headers["x-amzn-errortype"]) == (400, "BadRequestException")
    message = "Missing required request parameters: [X-Tenant, qs1]"
    assert reply.json() == {"message": message}
    reply = api.call("/dev/pets/7?qs1=", headers={"X-Tenant": "one"})
    assert reply.json() == {"message": "Missing required request parameters: [qs1]"}, "blank"
    assert api.call("/dev/pets/7?qs1=a", headers={"X-Tenant": "one"}).status == 200


@pytest.mark.parametrize(
    ("path", "body", "content_type", "status"),
    [
        ("/pets", b'{"name": "Rex", "age": 3}', "application/json", 200),
        ("/pets", b'{"age": 3}', "application/json", 422),
        ("/pets", b'{"name": "Rex", "age": -1}', "application/json", 422),
        ("/pets", b"no JSON", "application/json", 422),
        ("/pets", b"", "application/json", 422),
        ("/pets", b"{}", "application/json; charset=utf-8", 422),
        ("/pets", b"{}", None, 422),
        ("/pets", b"anything", "text/plain", 200),
        ("/any", b"anything", "text/plain", 422),
        ("/any", b'{"name": "Rex"}', "text/plain", 200),
        ("/many", b'[{"name": "Rex"}]', "application/json", 200),
        ("/many", b'[{"name": 7}]', "application/json", 422),
        ("/open", b"{}", "application/json", 200),
    ],
)
def test_bodies(api, path, body, content_type, status):
    headers = {"Content-Type": content_type} if content_type else {}
    reply = api.call(f"/dev{path}", "POST", body, headers)
    assert reply.status == status
    if status == 422:
        assert reply.json()["message"] == "Invalid request body"


def test_what_is_wrong_with_a_body(api):
    reply = api.call("/dev/pets", "POST", b"{}", JSON)
    assert "'name' is a required property" in reply.json()["why"]


def test_a_validator_is_live_when_it_is_deployed(local_cloud):
    api = RestApi(local_cloud)
    place = api.mock("GET", "/pets", requestParameters={"method.request.querystring.q": True})
    api.deploy()
    assert api.call("/dev/pets").status == 200
    changes = [
        {"op": "replace", "path": "/requestValidatorId", "value": validator(api, False, True)}
    ]
    changed = api.client.update_method(**place, patchOperations=changes)
    assert changed["requestValidatorId"] == changes[0]["value"]
    assert api.call("/dev/pets").status == 200
    api.deploy()
    assert api.call("/dev/pets").status == 400


def test_what_is_refused(local_cloud):
    api = RestApi(local_cloud)
    place = {
        "restApiId": api.id, "resourceId": api.root, "httpMethod": "GET",
        "authorizationType": "NONE",
    }  # fmt: skip
    put = api.client.put_method
    said = "Invalid Request Validator identifier specified"
    assert refusal(put, **place, requestValidatorId="none")[1] == said
    said = "Invalid model identifier specified: Cat"
    assert refusal(put, **place, requestModels={"application/json": "Cat"})[1] == said
    wrong = {"method.request.cookie.x": True}
    assert "[Invalid mapping expression parameter specified: method.request.cookie.x]" in refusal(
        put, **place, requestParameters=wrong
    )[1]  # fmt: skip
    assert refusal(put, **{**place, "authorizationType": "OAUTH"})[0] == "BadRequestException"
    new = {"restApiId": api.id, "contentType": "application/json"}
    model(api, "Pet", PET)
    create = api.client.create_model
    assert refusal(create, **new, name="Pet", schema="{}")[0] == "ConflictException"
    assert refusal(create, **new, name="my-pet", schema="{}")[2] == 400
    elsewhere = json.dumps({"$ref": "https://apigateway.amazonaws.com/restapis/x/models/Pet"})
    for schema in ("{", '{"type": "text"}', '{"required": []}', elsewhere):
        said = refusal(create, **new, name="Bad", schema=schema)[1]
        assert said.startswith("Invalid model specified: Validation Result"), schema
    api.mock("POST", "/pets", requestModels={"application/json": "Pet"})
    said = "Cannot delete model, is referenced in method: POST//pets"
    assert refusal(api.client.delete_model, restApiId=api.id, modelName="Pet")[1] == said
    again = {**place, "resourceId": api.resources["/pets"], "httpMethod": "POST"}
    said = ("ConflictException", "Method already exists for this resource", 409)
    assert refusal(put, **again) == said
    unknown = api.client.delete_request_validator
    assert refusal(unknown, restApiId=api.id, requestValidatorId="none")[2] in (400, 404)
