"""Mapping templates, tried with MOCK integrations, which need nothing behind them."""

import json

import pytest

from rest_apis import RestApi

TYPE = {"Content-Type": "application/json"}
OK = {"application/json": '{"statusCode": 200}'}


@pytest.fixture(scope="module")
def api(local_cloud):
    api = RestApi(local_cloud)
    api.method("GET", "/unused", "MOCK")
    return api


_paths = iter(f"/t{n}/{{id}}" for n in range(100))


def rendered(api, template, method="GET", path="7?q=a&q=b", body=None, headers=TYPE, **options):
    """What a method answers that has a template for its answer."""
    place = api.method(method, next(_paths), "MOCK", requestTemplates=OK, **options)
    api.answer(place, responseTemplates={"application/json": template})
    api.deploy(variables={"table": "pets"})
    where = {value: key for key, value in api.resources.items()}[place["resourceId"]]
    return api.call(f"/dev{where.replace('{id}', path)}", method, body, headers)


def test_variables(api):
    template = """{
        "path": "$input.params('id')", "query": "$input.params().querystring.get('q')",
        "header": "$input.params('X-Mine')", "none": "$input.params('nothing')",
        "stage": "$context.stage", "method": "$context.httpMethod", "ip": "$context.identity.sourceIp",
        "resource": "$context.resourcePath", "id": "$context.requestId", "caller": "$context.identity.caller",
        "claims": "$context.authorizer.claims.sub", "table": "$stageVariables.table"
    }"""
    reply = rendered(api, template, headers={"X-Mine": "yes"})
    answer = reply.json()
    assert answer.pop("id") == reply.headers["x-amzn-requestid"]
    assert answer.pop("resource").endswith("/{id}")
    assert answer == {
        "path": "7", "query": "a,b", "header": "yes", "none": "", "stage": "dev", "method": "GET",
        "ip": "127.0.0.1", "caller": "", "claims": "", "table": "pets",
    }  # fmt: skip


def test_directives(api):
    template = """#set($list = [1, 2, 3])#set($text = "a-b")#set($map = {"k": "v"})
        #foreach($each in $list)$foreach.count:$each#if($foreach.hasNext),#end#end
        |#if($list.size() > 2 && $text.contains("-"))many#elseif(false)no#else few#end
        |$text.split("-").get(1)$text.substring(0, 1).toUpperCase()$map.k$map.entrySet()[0].key|$list|$map
        |#macro(twice $x)$x$x#end#twice("m")#define($later)[$n]#end|## nothing
        #set($n = 1 + 2)$n|$n.equals(3)|$later|$missing|$!missing|\\$escaped|$5"""
    text = rendered(api, template).body.decode()
    assert "".join(text.split()) == (
        "1:1,2:2,3:3|many|bAvk|[1,2,3]|{k=v}|mm|3|true|[3]|$missing||$escaped|$5"
    )


def test_a_template_reaches_nothing_of_the_server(api):
    for expression in (
        "$util.__class__",
        "$util.getClass()",
        "$input._body",
        "$context.pop('stage')",
    ):
        text = rendered(api, f'"{expression}"').body.decode()
        assert "localcloud" not in text and "<class" not in text and '"dev"' not in text
    endless = "#foreach($i in [1..1001])x#end"
    assert rendered(api, endless).status == 500
    assert len(rendered(api, endless.replace("1001", "1000")).body) == 1000
    inner = endless.replace("1001", "1000")
    assert rendered(api, inner.replace("x", inner.replace("$i", "$j"))).status == 500


def test_the_status_of_a_mock_is_in_its_request_template(api):
    template = """#set($wanted = $input.params("status"))
        {"statusCode": #if($wanted == "404")404#{else}$input.json("$.status")#end}"""
    place = api.method("POST", "/mock", "MOCK", requestTemplates={"application/json": template})
    api.answer(place, 200, responseTemplates={"application/json": "fine"})
    api.answer(place, 404, selectionPattern="404", headers={"X-Why": "'gone'"})
    api.answer(place, 503, selectionPattern="5\\d{2}")
    api.deploy()
    assert api.call("/dev/mock", "POST", b'{"status": 201}', TYPE).body == b"fine"
    missing = api.call("/dev/mock?status=404", "POST", b"{}", TYPE)
    assert (missing.status, missing.headers["x-why"], missing.body) == (404, "gone", b"")
    assert api.call("/dev/mock", "POST", b'{"status": 500}', TYPE).status == 503
    assert api.call("/dev/mock", "POST", b'{"status": "no"}', TYPE).status == 500
    broken = api.call("/dev/mock", "POST", b"no json", TYPE)
    assert broken.status == 400
    assert broken.json()["message"].startswith("Could not parse request body into json")


def test_overrides(api):
    template = """#set($context.responseOverride.status = 418)
        #set($context.responseOverride.header.X-Tea = "yes")#set($name = "X-Pot")
        #set($context.responseOverride.header["$name"] = "also")short and stout"""
    reply = rendered(api, template)
    assert (reply.status, reply.headers["x-tea"], reply.headers["x-pot"]) == (418, "yes", "also")
    wrong = "#set($context.responseOverride.status = 99999)x"
    assert (rendered(api, wrong).status, rendered(api, wrong).json()["message"]) == (
        500,
        "Internal server error",
    )


@pytest.mark.parametrize(
    ("behavior", "templates", "content_type", "status"),
    [
        ("WHEN_NO_MATCH", OK, "text/plain", 200),
        ("WHEN_NO_TEMPLATES", OK, "text/plain", 415),
        ("WHEN_NO_TEMPLATES", OK, "application/json; charset=utf-8", 200),
        ("WHEN_NO_TEMPLATES", {}, "text/plain", 200),
        ("NEVER", {}, "text/plain", 415),
        ("NEVER", {}, None, 415),
        ("NEVER", OK, None, 200),
    ],
)
def test_passthrough_behaviour(api, behavior, templates, content_type, status):
    place = api.method(
        "POST", next(_paths), "MOCK", requestTemplates=templates, passthroughBehavior=behavior
    )
    api.answer(place)
    api.deploy()
    where = {value: key for key, value in api.resources.items()}[place["resourceId"]]
    headers = {"Content-Type": content_type} if content_type else {}
    reply = api.call(f"/dev{where}".replace("{id}", "1"), "POST", b'{"statusCode": 200}', headers)
    assert reply.status == status
    if status == 415:
        assert reply.json() == {"message": "Unsupported Media Type"}


def test_the_answers_template_is_the_one_that_is_accepted(api):
    place = api.method("GET", "/types", "MOCK", requestTemplates=OK)
    api.answer(place, responseTemplates={"application/json": "{}", "application/xml": "<x/>"})
    api.deploy()
    for accept, wanted in (
        ("application/xml", ("application/xml", b"<x/>")),
        ("application/json,application/xml", ("application/json", b"{}")),
        ("image/png", ("application/json", b"{}")),
    ):
        reply = api.call("/dev/types", headers={"Accept": accept})
        assert (reply.headers["content-type"], reply.body) == wanted


def test_a_method_without_the_response_that_is_chosen(api):
    place = api.method("GET", "/half", "MOCK", requestTemplates=OK)
    api.client.put_integration_response(**place, statusCode="200")
    none = api.method("GET", "/none", "MOCK", requestTemplates=OK)
    api.answer(none, 404, selectionPattern="404")
    unnamed = {"integration.request.header": "'of no header'"}
    api.answer(api.method("GET", "/odd", "MOCK", requestTemplates=OK, requestParameters=unnamed))
    api.deploy()
    for path in ("/dev/half", "/dev/none", "/dev/odd"):
        reply = api.call(path)
        assert (reply.status, json.loads(reply.body)) == (500, {"message": "Internal server error"})
