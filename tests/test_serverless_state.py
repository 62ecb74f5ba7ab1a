"""A stack that SAM's transform made comes back with the server."""

from http_apis import request
from localcloud import LocalCloud
from stacks import delete, ended, events, outputs

BODY = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.12, Timeout: 10, MemorySize: 256}}
Resources:
  Echo:
    Type: AWS::Serverless::Function
    Properties:
      Handler: index.handler
      InlineCode: |
        import json
        def handler(event, context):
            return {"statusCode": 200, "body": json.dumps(event)}
      Events: {Rest: {Type: Api, Properties: {Path: /pets, Method: get}}}
Outputs: {Id: {Value: !Ref ServerlessRestApi}}
"""


def test_a_stack_outlives_its_server(tmp_path):
    with LocalCloud(port=0, state=tmp_path) as cloud:
        cfn = cloud.client("cloudformation")
        cfn.create_stack(
            StackName="kept", TemplateBody=BODY,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )  # fmt: skip
        stack = ended(cfn, "kept")
        assert stack["StackStatus"] == "CREATE_COMPLETE", events(cfn, "kept")
        host = f"{outputs(stack)['Id']}.execute-api.localhost"
    with LocalCloud(port=0, state=tmp_path) as cloud:
        assert request(cloud, host, "/Prod/pets").json()["resource"] == "/pets"
        cfn = cloud.client("cloudformation")
        original = cfn.get_template(StackName="kept", TemplateStage="Original")
        assert original["TemplateBody"] == BODY
        assert delete(cfn, "kept")["StackStatus"] == "DELETE_COMPLETE", events(cfn, "kept")
