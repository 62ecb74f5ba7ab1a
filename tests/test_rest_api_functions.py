"""Functions behind templates: AWS integrations that are no proxies."""

import pytest

from deployment import wait_for
from http_apis import make_function
from rest_apis import RestApi

TYPE = {"Content-Type": "application/json"}
SOURCE = """
    import time
    def handler(event, context):
        if "error" in event:
            raise Exception(event["error"])
        time.sleep(event.get("sleep", 0))
        return event
"""


@pytest.fixture(scope="module")
def arn(local_cloud):
    return make_function(local_cloud, "behind", SOURCE)


@pytest.fixture
def api(local_cloud):
    return RestApi(local_cloud)


def test_what_goes_in_and_what_comes_out(api, arn):
    template = """#set($inputRoot = $input.path('$'))
    {"name": "$inputRoot.pet.name", "all": $input.json('$.pet'), "tags": [#foreach($t in $inputRoot.pet.tags)
      "$util.escapeJavaScript($t)"#if($foreach.hasNext),#end
    #end], "id": "$input.params('id')"}"""
    place = api.function("POST", "/pets/{id}", arn, requestTemplates={"application/json": template})
    mapped = {
        "X-Name": "integration.response.body.name",
        "X-Stage": "context.stage",
        "X-Tag": "integration.response.body.all.tags[1]",
    }
    answer = {"application/json": '{"hello": $input.json("$.name"), "id": $input.path("$.id")}'}
    api.answer(place, 201, headers=mapped, responseTemplates=answer)
    api.deploy()
    body = b'{"pet": {"name": "Bo", "tags": ["a\\nb", "b"]}}'
    reply = api.call("/dev/pets/7", "POST", body, TYPE)
    assert (reply.status, reply.json()) == (201, {"hello": "Bo", "id": 7})
    headers = reply.headers
    assert (headers["x-name"], headers["x-stage"], headers["x-tag"]) == ("Bo", "dev", "b")
    assert headers["content-type"] == "application/json"
    assert headers["x-amzn-trace-id"].startswith("Root=1-")


def test_without_templates_bodies_pass(api, arn):
    api.answer(api.function("POST", "/pets", arn))
    api.answer(api.function("GET", "/pets", arn))
    api.deploy()
    assert api.call("/dev/pets", "POST", b'{"a": 1}', TYPE).json() == {"a": 1}
    assert api.call("/dev/pets").json() == {}


def test_an_event_that_is_no_json_invokes_nothing(api, arn):
    api.answer(api.function("POST", "/pets", arn))
    api.deploy()
    reply = api.call("/dev/pets", "POST", b"{no", TYPE)
    assert (reply.status, reply.json()["Type"]) == (200, "User")
    assert reply.json()["message"].startswith("Could not parse request body into json: ")


def test_errors_choose_by_their_message(api, arn):
    place = api.function("POST", "/pets", arn)
    template = {"application/json": '{"why": $input.json("$.errorMessage")}'}
    api.answer(place, 200)
    api.answer(place, 404, selectionPattern=".*not found.*", responseTemplates=template)
    api.answer(place, 500, selectionPattern="(\\n|.)+", responseTemplates=template)
    api.deploy()

    def called(error):
        return api.call("/dev/pets", "POST", f'{{"error": "{error}"}}'.encode(), TYPE)

    missing, other = called("pet not found here"), called("line\\none")
    assert (missing.status, missing.json()) == (404, {"why": "pet not found here"})
    assert (other.status, other.json()) == (500, {"why": "line\none"})
    # A pattern is held against errors alone.
    assert api.call("/dev/pets", "POST", b'{"errorMessage": "not found"}', TYPE).status == 200


def test_an_error_that_nothing_takes_is_the_default_answer(api, arn):
    api.answer(api.function("POST", "/pets", arn), 200)
    api.deploy()
    reply = api.call("/dev/pets", "POST", b'{"error": "no"}', TYPE)
    assert (reply.status, reply.json()["errorMessage"]) == (200, "no")


def test_asynchronous_invocation(api, local_cloud):
    source = "def handler(event, context): print('seen', event['n'])\n"
    arn = make_function(local_cloud, "later", source)
    header = {"integration.request.header.X-Amz-Invocation-Type": "'Event'"}
    place = api.function("POST", "/later", arn, requestParameters=header)
    api.answer(place, 202)
    api.deploy()
    reply = api.call("/dev/later", "POST", b'{"n": 41}', TYPE)
    assert (reply.status, reply.body) == (202, b"")
    logs = local_cloud.client("logs")

    def seen():
        found = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/later")["logGroups"]
        if not found:
            return False
        events = logs.filter_log_events(logGroupName="/aws/lambda/later")["events"]
        return any("seen 41" in event["message"] for event in events)

    wait_for(seen)


def test_the_timeout_of_an_integration(api, arn):
    api.answer(api.function("POST", "/slow", arn, timeoutInMillis=100))
    api.deploy()
    reply = api.call("/dev/slow", "POST", b'{"sleep": 2}', TYPE)
    assert (reply.status, reply.json()) == (504, {"message": "Endpoint request timed out"})
    for wrong in (49, 29_001):
        with pytest.raises(api.client.exceptions.BadRequestException, match="50 ms"):
            api.function("POST", f"/slow-{wrong}", arn, timeoutInMillis=wrong)


def test_an_integration_is_changed_in_part(api, arn):
    place = api.function("POST", "/pets", arn, requestTemplates={"application/json": '{"a": 1}'})
    api.answer(place)

    def change(update, *operations, **more):
        patches = [
            {"op": op, "path": path, **({"value": value} if value else {})}
            for op, path, value in operations
        ]
        return update(**place, patchOperations=patches, **more)

    changed = change(
        api.client.update_integration,
        ("replace", "/requestTemplates/application~1json", '{"b": 2}'),
        ("replace", "/timeoutInMillis", "5000"),
        ("add", "/cacheKeyParameters/method.request.path.id", None),
    )
    assert changed["requestTemplates"] == {"application/json": '{"b": 2}'}
    assert changed["cacheKeyParameters"] == ["method.request.path.id"]
    change(
        api.client.update_integration_response,
        ("add", "/responseTemplates/application~1json", "b is $input.path('$.b')"),
        statusCode="200",
    )
    api.deploy()
    assert api.call("/dev/pets", "POST", b"{}", TYPE).body == b"b is 2"
    change(api.client.update_integration, ("remove", "/requestTemplates/application~1json", None))
    api.deploy()
    assert api.call("/dev/pets", "POST", b'{"b": 3}', TYPE).body == b"b is 3"
    for path, value in (("/timeoutInMillis", "30000"), ("/nothing", "1")):
        with pytest.raises(api.client.exceptions.BadRequestException):
            change(api.client.update_integration, ("replace", path, value))


def test_only_declared_headers_can_be_mapped(api, arn):
    place = api.function("GET", "/pets", arn)
    header = "method.response.header.X-Mine"
    mapped = {"statusCode": "200", "responseParameters": {header: "'yes'"}}
    for declared in (None, {}):
        if declared is not None:
            api.client.put_method_response(**place, statusCode="200", responseParameters=declared)
        with pytest.raises(api.client.exceptions.BadRequestException, match=header):
            api.client.put_integration_response(**place, **mapped)


def test_the_function_by_a_stage_variable(api, arn):
    uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${stageVariables.arn}/invocations"
    api.answer(api.method("GET", "/pets", "AWS", uri=uri, integrationHttpMethod="POST"))
    api.deploy(variables={"arn": arn})
    assert api.call("/dev/pets").json() == {}
