"""Templates of AWS SAM: what the transform makes of them, deployed and called."""

from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from deployment import wait_for
from http_apis import request
from stacks import delete, ended, events, outputs

ALL = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
HEAD = "AWSTemplateFormatVersion: '2010-09-09'\nTransform: AWS::Serverless-2016-10-31\n"
ECHO = """
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      InlineCode: |
        import json
        def handler(event, context):
            print("got", json.dumps(event))
            return {"statusCode": 200, "body": json.dumps(event)}
"""
GLOBALS = "Globals: {Function: {Runtime: python3.12, Timeout: 10, MemorySize: 256}}\n"


def template_of(more="", outputs="", head=HEAD):
    """The echo function with more properties and resources behind it."""
    return f"{head}{GLOBALS}Resources:{ECHO}{more}{outputs}"


def make(cfn, name, body, capabilities=ALL, **options):
    cfn.create_stack(StackName=name, TemplateBody=body, Capabilities=capabilities, **options)
    stack = ended(cfn, name)
    failed = [each for each in events(cfn, name) if each[1].endswith("FAILED")]
    assert stack["StackStatus"] == "CREATE_COMPLETE", failed
    return stack


EVENTS = """
      AutoPublishAlias: live
      Policies:
        - S3ReadPolicy: {BucketName: !Sub "pictures-${AWS::AccountId}"}
        - SQSPollerPolicy: {QueueName: !GetAtt Queue.QueueName}
        - AWSLambdaBasicExecutionRole
      Events:
        Rest: {Type: Api, Properties: {Path: "/pets/{id}", Method: get}}
        Http: {Type: HttpApi, Properties: {Path: "/pets/{id}", Method: any}}
        Queue: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn, BatchSize: 1}}
        Topic: {Type: SNS, Properties: {Topic: !Ref Topic}}
        Upload: {Type: S3, Properties: {Bucket: !Ref Bucket, Events: "s3:ObjectCreated:*"}}
        Daily: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
  Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 60}}
  Topic: {Type: AWS::SNS::Topic}
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub "pictures-${AWS::AccountId}"}
  Table: {Type: AWS::Serverless::SimpleTable, Properties: {PrimaryKey: {Name: id, Type: String}}}
"""
EVENT_OUTPUTS = """
Outputs:
  Rest: {Value: !Sub "https://${ServerlessRestApi}.execute-api.${AWS::Region}.amazonaws.com/Prod"}
  Http: {Value: !Sub "https://${ServerlessHttpApi}.execute-api.${AWS::Region}.amazonaws.com"}
  Function: {Value: !Ref Echo}
  Alias: {Value: !Ref Echo.Alias}
  Queue: {Value: !Ref Queue}
  Topic: {Value: !Ref Topic}
  Bucket: {Value: !Ref Bucket}
"""


def test_a_function_hears_all_of_its_events(local_cloud, cfn):
    stack = make(cfn, "sam-events", template_of(EVENTS, EVENT_OUTPUTS))
    given = outputs(stack)

    def call(kind):
        address = urlsplit(given[kind])
        return request(local_cloud, address.hostname, address.path + "/pets/7").json()

    rest, http = call("Rest"), call("Http")
    assert (rest["resource"], rest["pathParameters"]) == ("/pets/{id}", {"id": "7"})
    assert (http["version"], http["pathParameters"]) == ("2.0", {"id": "7"})
    assert given["Alias"].endswith(f"{given['Function']}:live")
    local_cloud.client("sqs").send_message(QueueUrl=given["Queue"], MessageBody="by queue")
    local_cloud.client("sns").publish(TopicArn=given["Topic"], Message="by topic")
    local_cloud.client("s3").put_object(Bucket=given["Bucket"], Key="by-upload", Body=b"x")
    logs = local_cloud.client("logs")
    group = f"/aws/lambda/{given['Function']}"

    def heard():
        found = logs.filter_log_events(logGroupName=group, filterPattern='"got"')["events"]
        text = " ".join(each["message"] for each in found)
        return all(f"by{sign}" in text for sign in (" queue", " topic", "-upload"))

    wait_for(heard)
    described = local_cloud.client("lambda").get_function(FunctionName=given["Function"])
    assert described["Configuration"]["MemorySize"] == 256, "from Globals"
    [rule] = local_cloud.client("events").list_rules()["Rules"]
    assert rule["ScheduleExpression"] == "rate(1 day)"
    local_cloud.client("s3").delete_object(Bucket=given["Bucket"], Key="by-upload")
    assert delete(cfn, "sam-events")["StackStatus"] == "DELETE_COMPLETE"


GUARDED = """
      Events:
        Pet:
          Type: Api
          Properties:
            Path: "/pets"
            Method: post
            RestApiId: !Ref Api
            RequestModel: {Model: Pet, Required: true, ValidateBody: true}
        Open:
          Type: Api
          Properties:
            Path: "/open"
            Method: get
            RestApiId: !Ref Api
            Auth: {ApiKeyRequired: true, Authorizer: NONE}
  Guard:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            allowed = "Allow" if event["authorizationToken"] == "ana" else "Deny"
            statement = {"Action": "execute-api:Invoke", "Effect": allowed, "Resource": "*"}
            document = {"Version": "2012-10-17", "Statement": [statement]}
            return {"principalId": "ana", "policyDocument": document}
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      Variables: {kind: VALUE}
      Cors: "'*'"
      Models: {Pet: {type: object, required: [name]}}
      Auth:
        DefaultAuthorizer: Guarded
        AddDefaultAuthorizerToCorsPreflight: false
        Authorizers: {Guarded: {FunctionArn: !GetAtt Guard.Arn}}
      GatewayResponses:
        UNAUTHORIZED:
          StatusCode: 401
          ResponseTemplates: {application/json: '{"told": "no"}'}
Outputs:
  Url: {Value: !Sub "https://${Api}.execute-api.${AWS::Region}.amazonaws.com/dev"}
"""


def test_an_api_with_an_authorizer_models_and_cors(local_cloud, cfn):
    stack = make(cfn, "sam-api", template_of(GUARDED.replace("VALUE", "one")))

    def call(path, method="GET", body=None, **headers):
        address = urlsplit(outputs(stack)["Url"])
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return request(local_cloud, address.hostname, f"/dev{path}", method, body, given)

    json_type = {"Content_Type": "application/json", "Authorization": "ana"}
    assert call("/pets", "POST", b'{"name": "a"}').json() == {"told": "no"}
    assert call("/pets", "POST", b'{"name": "a"}', Authorization="bo").status == 403
    assert call("/pets", "POST", b"{}", **json_type).status == 400
    made = call("/pets", "POST", b'{"name": "a"}', **json_type)
    assert made.status == 200 and made.json()["stageVariables"] == {"kind": "one"}
    assert call("/pets", "OPTIONS").headers["access-control-allow-origin"] == "*"
    assert call("/open").json() == {"message": "Forbidden"}
    changed = template_of(GUARDED.replace("VALUE", "two").replace("/open", "/closed"))
    cfn.update_stack(StackName="sam-api", TemplateBody=changed, Capabilities=ALL)
    stack = ended(cfn, "sam-api")
    assert stack["StackStatus"] == "UPDATE_COMPLETE", events(cfn, "sam-api")
    assert call("/closed").json() == {"message": "Forbidden"}
    assert call("/open").json() == {"message": "Missing Authentication Token"}
    assert call("/pets", "POST", b'{"name": "a"}', **json_type).json()["stageVariables"] == {
        "kind": "two"
    }


def test_a_change_set_tells_what_the_transform_makes(cfn):
    body = template_of()
    name = {"StackName": "sam-looked-at", "ChangeSetName": "first"}
    cfn.create_change_set(
        **name, TemplateBody=body, ChangeSetType="CREATE", Capabilities=["CAPABILITY_IAM"]
    )
    found = cfn.describe_change_set(**name)
    types = {change["ResourceChange"]["ResourceType"] for change in found["Changes"]}
    assert types == {"AWS::Lambda::Function", "AWS::IAM::Role"}
    processed = cfn.get_template(**name, TemplateStage="Processed")["TemplateBody"]
    assert processed["Resources"]["Echo"]["Type"] == "AWS::Lambda::Function"
    assert cfn.get_template(**name, TemplateStage="Original")["TemplateBody"] == body
    cfn.execute_change_set(**name)
    assert ended(cfn, "sam-looked-at")["StackStatus"] == "CREATE_COMPLETE"
    whole = cfn.get_template(StackName="sam-looked-at")
    assert whole["TemplateBody"]["Resources"]["EchoRole"]["Type"] == "AWS::IAM::Role"
    assert set(whole["StagesAvailable"]) == {"Original", "Processed"}
    original = cfn.get_template(StackName="sam-looked-at", TemplateStage="Original")
    assert original["TemplateBody"] == body
    with pytest.raises(ClientError, match="No updates are to be performed"):
        cfn.update_stack(StackName="sam-looked-at", TemplateBody=body, Capabilities=ALL)


@pytest.mark.parametrize(
    ("capabilities", "told"),
    [
        ([], r"Requires capabilities : \[CAPABILITY_AUTO_EXPAND\]"),
        (["CAPABILITY_AUTO_EXPAND"], r"Requires capabilities : \[CAPABILITY_IAM\]"),
    ],
)
def test_capabilities_are_asked_for(cfn, capabilities, told):
    with pytest.raises(ClientError, match=told) as error:
        cfn.create_stack(StackName="sam-no", TemplateBody=template_of(), Capabilities=capabilities)
    assert error.value.response["Error"]["Code"] == "InsufficientCapabilitiesException"


def test_a_change_set_fails_with_the_words_of_the_transform(cfn):
    name = {"StackName": "sam-wrong", "ChangeSetName": "first"}
    body = template_of("      Events: {Http: {Type: Rumour}}\n")
    cfn.create_change_set(**name, TemplateBody=body, ChangeSetType="CREATE", Capabilities=ALL)
    found = cfn.describe_change_set(**name)
    assert (found["Status"], found["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert found["StatusReason"].startswith(
        "Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application "
        "Specification document. Number of errors found: 1. Resource with id [Echo] is invalid."
    )


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (template_of(head="Transform: AWS::LanguageExtensions\n"), "the transform AWS::LanguageEx"),
        (
            template_of(
                "  App: {Type: AWS::Serverless::Application, Properties: "
                "{Location: {ApplicationId: x, SemanticVersion: 1.0.0}}}\n"
            ),
            "no Serverless Application Repository",
        ),
        (template_of("  Machine: {Type: AWS::Serverless::Unheard}\n"), "Unheard"),
    ],
)
def test_what_is_not_supported_is_said(cfn, body, told):
    with pytest.raises(ClientError, match=told):
        cfn.create_stack(StackName="sam-not", TemplateBody=body, Capabilities=ALL)
