"""Documents that no parser gets to the end of: each is refused in the service's own way, and the next request
is answered.
"""

import json
from http.client import HTTPConnection
from urllib.parse import quote, urlencode

import pytest

from people import refusal
from stacks import create, delete, outputs

DEEP = 100_000
BRACKETS = "[" * DEEP
LISTS = BRACKETS + "]" * DEEP
OBJECTS = '{"a":' * DEEP + "1" + "}" * DEEP
RESOURCE = "Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n"
TOPIC = RESOURCE + "    Properties:\n      DisplayName: "
TEMPLATES = {
    "a NUL": (TOPIC + '"\0"', "(line 5, column 21): the character 0x0"),
    "an anchor in itself": (
        "Resources: &all\n  Topic:\n    Type: AWS::SNS::Topic\n    Properties: *all\n",
        "Template error: YAML aliases are not allowed in CloudFormation templates",
    ),
    "brackets": (BRACKETS, "nested more than 100 levels deep"),
    "lists": (f'{{"Resources": {LISTS}}}', "nested more than 100 levels deep"),
    "objects": (f'{{"Resources": {OBJECTS}}}', "nested more than 100 levels deep"),
    "lists behind a tab": (f'\t{{"Resources": {LISTS}}}', "nested too deeply"),
    "indented lists": ("Resources: \n" + "- " * 300 + "x", "nested more than 100 levels deep"),
    "no such day": (RESOURCE + "Metadata: 2026-02-31", "day is out of range"),
    "a key that is a list": ("{[1]: 2}", "found unhashable key"),
    "half a character": (TOPIC + '"\\ud83d"', "it has half a character"),
    "an attribute of nothing": (
        TOPIC + "{'Fn::GetAtt': 3}",
        "every Fn::GetAtt object requires two",
    ),
    "a text of no text": (TOPIC + "{'Fn::Sub': [1]}", "One or more Fn::Sub intrinsic functions"),
    "an unknown condition": (
        RESOURCE + "    Condition: Odd",
        "Unresolved condition dependency Odd",
    ),
    "nothing to compare": (
        f"Conditions: {{C: {{'Fn::Equals': 3}}}}\n{RESOURCE}",
        "every Fn::Equals object requires a list of 2 string parameters",
    ),
    "no transform": ("Transform: 3\n" + RESOURCE, "Transform must be a string or a list"),
}
PATTERN = "Parameters: {P: {Type: String, Default: x, AllowedPattern: '('}}\n" + RESOURCE


def sign(service):
    return {
        "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/{service}/aws4_request, "
        "SignedHeaders=host, Signature=0"
    }


def ask(cloud, service, method, path, body, headers):
    connection = HTTPConnection("127.0.0.1", cloud.port, timeout=60)
    connection.request(
        method, path, body.encode(), {**(sign(service) if service else {}), **headers}
    )
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found


@pytest.fixture
def says_no_error(cloud, caplog):
    """What was refused was nobody's fault here, and the cloud goes on."""
    cloud("s3").create_bucket(Bucket="there")
    caplog.clear()
    yield
    assert not [record for record in caplog.records if record.exc_info]
    assert cloud("sns").list_topics()["Topics"] == []


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template(cfn, says_no_error, name):
    template, words = TEMPLATES[name]
    code, message, status = refusal(cfn.create_stack, StackName="no", TemplateBody=template)
    assert (code, status) == ("ValidationError", 400)
    assert words in message


@pytest.mark.parametrize(
    "operation", ["create_change_set", "validate_template", "get_template_summary"]
)
def test_whatever_reads_a_template(cfn, says_no_error, operation):
    named = {"StackName": "no", "ChangeSetName": "no", "ChangeSetType": "CREATE"}
    given = named if operation == "create_change_set" else {}
    template, words = TEMPLATES["lists"]
    code, message, _ = refusal(getattr(cfn, operation), TemplateBody=template, **given)
    assert code == "ValidationError" and words in message


def test_a_pattern_that_is_none(cfn, says_no_error):
    code, message, _ = refusal(cfn.create_stack, StackName="no", TemplateBody=PATTERN)
    assert code == "ValidationError" and "AllowedPattern of parameter 'P'" in message


def test_characters_that_json_escapes_in_two_halves(cfn, cloud):
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "a \N{GRINNING FACE}"}}
    made = create(
        cfn,
        "faces",
        {"Resources": {"Topic": topic}, "Outputs": {"Arn": {"Value": {"Ref": "Topic"}}}},
    )
    attributes = cloud("sns").get_topic_attributes(TopicArn=outputs(made)["Arn"])["Attributes"]
    assert attributes["DisplayName"] == "a \N{GRINNING FACE}"
    delete(cfn, "faces")


def form(**fields):
    return urlencode(fields, quote_via=quote)


def target(name, version="1.0"):
    return {"X-Amz-Target": name, "Content-Type": f"application/x-amz-json-{version}"}


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
STATEMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*",' \
    '"Resource":"arn:aws:s3:::there/*","Condition":%s}]}'  # fmt: skip
OPENAPI = '{"openapi":"3.0.1","info":{"title":"x"},"paths":{"/a":{"get":%s}}}'
ALIASES = "openapi: 3.0.1\nx0: &x0 [x]\n" + "".join(
    f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 20)}]\n" for n in range(1, 9)
)
# Service, method, path, body and headers of a request, and what the answer says.
REQUESTS = {
    "a policy to simulate": (
        "iam", "POST", "/",
        form(Action="SimulateCustomPolicy", Version="2010-05-08") + "&ActionNames.member.1=s3:GetObject"
        "&PolicyInputList.member.1=" + quote(LISTS), FORM, "<Code>",
    ),
    "a policy": ("iam", "POST", "/", form(Action="CreatePolicy", Version="2010-05-08", PolicyName="p",
                 PolicyDocument=LISTS), FORM, "<Code>MalformedPolicyDocument"),
    "a bucket's policy": ("s3", "PUT", "/there?policy", STATEMENT % OBJECTS, {}, "<Code>"),
    "a lifecycle": ("s3", "PUT", "/there?lifecycle", "<a>" * 1000 + "</a>" * 1000, {},
                    "<Code>MalformedXML"),
    "an item": ("dynamodb", "POST", "/", '{"TableName":"t","Item":{"v":' + '{"L":[' * DEEP + "]}" * DEEP
                + "}}", target("DynamoDB_20120810.PutItem"), "SerializationException"),
    "an expression": (
        "dynamodb", "POST", "/", json.dumps({"TableName": "t", "Key": {"id": {"S": "x"}},
        "UpdateExpression": "SET a = " + "(" * 900 + ":b" + ")" * 900}),
        target("DynamoDB_20120810.UpdateItem"), "Exception",
    ),
    "a list for an object": ("dynamodb", "POST", "/", "[1]", target("DynamoDB_20120810.PutItem"),
                             "not a JSON object"),
    "too little": ("dynamodb", "POST", "/", "{}", target("DynamoDB_20120810.PutItem"), "TableName"),
    "a function": ("lambda", "POST", "/2015-03-31/functions", LISTS, {}, "Exception"),
    "an event": ("lambda", "POST", "/2015-03-31/functions/f/invocations", LISTS, {}, "Exception"),
    "a conversation": ("bedrock", "POST", "/model/amazon.nova-lite-v1:0/converse", OBJECTS, {},
                       "Exception"),
    "a tool": (
        "bedrock", "POST", "/model/amazon.nova-lite-v1:0/converse", json.dumps({
        "messages": [{"role": "user", "content": [{"text": "hello"}]}], "toolConfig": {"tools": [{
        "toolSpec": {"name": "t", "description": "d", "inputSchema": {"json": {"type": "object",
        "properties": [1]}}}}]}}), {}, "properties must be an object of schemas",
    ),
    "a filter": ("s3vectors", "POST", "/QueryVectors", '{"vectorBucketName":"bucket","indexName":"index",'
                 '"topK":1,"queryVector":{"float32":[1]},"filter":' + '{"$and":[' * DEEP + "]}" * DEEP
                 + "}", {}, "Exception"),
    "an HTTP API": ("apigateway", "PUT", "/v2/apis", json.dumps({"body": OPENAPI % LISTS}), {},
                    "nested more than 100 levels deep"),
    "an HTTP API of lists": ("apigateway", "PUT", "/v2/apis", json.dumps({"body": OPENAPI % "[1]"}), {},
                             "not OpenAPI"),
    "an HTTP API of aliases": ("apigateway", "PUT", "/v2/apis", json.dumps({"body": ALIASES}), {},
                               "larger than 1,000,000 values"),
    "an HTTP API in itself": ("apigateway", "PUT", "/v2/apis", json.dumps({"body": "&a [*a]"}), {},
                              "stands within what it is an alias of"),
    "a REST API": ("apigateway", "POST", "/restapis?mode=import", OPENAPI % LISTS, {}, "Exception"),
    "a REST API of lists": ("apigateway", "POST", "/restapis?mode=import", OPENAPI % "[1]", {},
                            "not OpenAPI"),
    "a machine of states": ("states", "POST", "/", LISTS, target("AWSStepFunctions.CreateStateMachine"),
                            "Exception"),
    "no credentials": (None, "POST", "/", LISTS,
                       target("AWSCognitoIdentityProviderService.InitiateAuth", "1.1"), "Exception"),
    "a setting": (None, "PUT", "/_localcloud/settings", LISTS, {}, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request(local_cloud, says_no_error, name):
    service, method, path, body, headers, words = REQUESTS[name]
    status, text = ask(local_cloud, service, method, path, body, headers)
    assert 400 <= status < 500, text
    assert words in text
