"""A template is read, never run: tags that make Python's objects are refused wherever a template is read, and
so are aliases, by which it would grow without end.
"""

import json

import pytest
from botocore.exceptions import ClientError

TEMPLATE = """
Resources:
  Bucket:
    Type: AWS::S3::Bucket
Attack: !!python/{tag} {value}
"""
TAGS = {
    "object/apply:os.mkdir": "['{path}']",
    "object/new:os.mkdir": "{{args: ['{path}']}}",
    "object/apply:pathlib.Path.touch": "[!!python/object/apply:pathlib.PosixPath ['{path}']]",
    "name:os.system": "",
    "module:antigravity": "",
}
BOMB = (
    "Resources: {Topic: {Type: AWS::SNS::Topic}}\nMetadata:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
)
FORMS = """
Parameters:
  Word: {Type: String, Default: word}
Conditions:
  Always: !Equals [!Ref Word, word]
Resources:
  Topic:
    Type: AWS::SNS::Topic
    Condition: Always
    Properties:
      DisplayName: !Join ["-", [!Sub "${Word}s", !Select [0, [a, b]], !If [Always, yes-it-is, no]]]
Outputs:
  Name: {Value: !GetAtt Topic.TopicName}
"""


def reads(client):
    """Every operation that reads a template."""
    stack, change = {"StackName": "tags"}, {"ChangeSetName": "tags", "ChangeSetType": "CREATE"}
    return {
        "create_stack": lambda body: client.create_stack(**stack, TemplateBody=body),
        "create_change_set": lambda body: client.create_change_set(**stack, **change, TemplateBody=body),
        "validate_template": lambda body: client.validate_template(TemplateBody=body),
        "get_template_summary": lambda body: client.get_template_summary(TemplateBody=body),
    }  # fmt: skip


OPERATIONS = ["create_stack", "create_change_set", "validate_template", "get_template_summary"]


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_tag_of_python_is_refused_and_runs_nothing(local_cloud, tmp_path, operation, tag):
    path = tmp_path / "attacked"
    body = TEMPLATE.format(tag=tag, value=TAGS[tag].format(path=path))
    with pytest.raises(ClientError) as caught:
        reads(local_cloud.client("cloudformation"))[operation](body)
    assert not path.exists()
    assert caught.value.response["Error"]["Code"] in ("ValidationError", "InternalFailure")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_aliases_are_refused_in_awss_words(local_cloud, operation):
    with pytest.raises(ClientError) as caught:
        reads(local_cloud.client("cloudformation"))[operation](BOMB)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationError"
    assert error["Message"] == (
        "Template error: YAML aliases are not allowed in CloudFormation templates"
    )


@pytest.mark.parametrize("deep", ["Resources: " + "[" * 5000 + "]" * 5000,
                                  '{"Resources":' + "[" * 5000 + "]" * 5000 + "}"],
                         ids=["yaml", "json"])  # fmt: skip
def test_a_template_that_is_too_deep_is_refused(local_cloud, deep):
    with pytest.raises(ClientError, match="unsupported structure") as caught:
        local_cloud.client("cloudformation").validate_template(TemplateBody=deep)
    assert caught.value.response["Error"]["Code"] == "ValidationError"


def test_short_forms_are_what_they_were(local_cloud):
    client = local_cloud.client("cloudformation")
    client.create_stack(StackName="forms", TemplateBody=FORMS)
    client.get_waiter("stack_create_complete").wait(StackName="forms", WaiterConfig={"Delay": 1})
    (found,) = client.describe_stacks(StackName="forms")["Stacks"]
    arn = client.describe_stack_resource(StackName="forms", LogicalResourceId="Topic")
    topic = arn["StackResourceDetail"]["PhysicalResourceId"]
    attributes = local_cloud.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
    assert attributes["DisplayName"] == "words-a-yes-it-is"
    assert found["Outputs"][0]["OutputValue"] == topic.rpartition(":")[2]
    assert json.dumps(client.get_template(StackName="forms")["TemplateBody"])
