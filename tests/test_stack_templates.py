"""Templates are looked at: ValidateTemplate, GetTemplateSummary, and what is wrong with a bad one."""

import json
import re
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

TEMPLATES = Path(__file__).parents[1] / "cloudformation"
BUCKET = {"Type": "AWS::S3::Bucket"}
# No tries again: a fault of the server's is seen at once.
ONCE = Config(retries={"max_attempts": 1})


@pytest.fixture
def cfn(local_cloud):
    return local_cloud.client("cloudformation", config=ONCE)


def validate(cfn, template):
    body = template if isinstance(template, str) else json.dumps(template)
    answer = cfn.validate_template(TemplateBody=body)
    del answer["ResponseMetadata"]
    return answer


def test_the_image_resizers_template(cfn):
    answer = validate(cfn, (TEMPLATES / "image-resizer.yaml").read_text())
    assert answer["Description"]
    assert answer["Capabilities"] == ["CAPABILITY_IAM"]
    assert answer["CapabilitiesReason"] == (
        "The following resource(s) require capabilities: [AWS::IAM::Role]"
    )
    keys = [parameter["ParameterKey"] for parameter in answer["Parameters"]]
    assert {"Name", "ArtifactBucket", "FunctionKey"} <= set(keys)
    (memory,) = [p for p in answer["Parameters"] if p["ParameterKey"] == "MemorySize"]
    assert (memory["DefaultValue"], memory["NoEcho"]) == ("512", False)
    assert memory["Description"]


def test_a_template_with_nothing_special(cfn):
    assert validate(cfn, {"Resources": {"B": BUCKET}}) == {
        "Description": "", "Parameters": [], "Capabilities": [], "DeclaredTransforms": [],
    }  # fmt: skip


def test_parameters_capabilities_and_transforms(cfn):
    answer = validate(
        cfn,
        {
            "Transform": "AWS::Serverless-2016-10-31",
            "Parameters": {"Word": {"Type": "String", "NoEcho": True, "Description": "secret"}},
            "Resources": {
                "U": {"Type": "AWS::IAM::User", "Properties": {"UserName": "ana"}},
                "F": {"Type": "AWS::Serverless::Function"},
            },
        },
    )
    assert answer["Parameters"] == [
        {"ParameterKey": "Word", "NoEcho": True, "Description": "secret"}
    ]
    assert answer["Capabilities"] == ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
    assert answer["DeclaredTransforms"] == ["AWS::Serverless-2016-10-31"]


BAD = [
    ("Resources: [", "Template format error: YAML not well-formed."),
    ('{"Resources": ', "Template format error"),
    ("just words", "Template format error: unsupported structure."),
    ({"Parameters": {}}, "At least one Resources member must be defined."),
    ({"Resources": 5}, "Template format error"),
    ({"Resources": {"A": None}}, "'null' values are not allowed in templates"),
    ({"Resources": {"A": 5}}, "Template format error"),
    ({"Resources": {"A": {}}}, "Every Resources object must contain a Type member."),
    ({"Resources": {"A": BUCKET}, "Parameters": {"P": {}}}, "must contain a Type member."),
    (
        {"Resources": {"A": {"Type": "AWS::No::Such"}}},
        "Unrecognized resource types: [AWS::No::Such]",
    ),
    (
        {"Resources": {"A": {**BUCKET, "DependsOn": "B"}}},
        "Unresolved resource dependencies [B] in the Resources block of the template",
    ),
    (
        {"Resources": {"A": BUCKET}, "Outputs": {"O": {"Value": {"Ref": "B"}}}},
        "Unresolved resource dependencies [B] in the Outputs block of the template",
    ),
    (
        {"Resources": {"A": {**BUCKET, "DependsOn": "B"}, "B": {**BUCKET, "DependsOn": "A"}}},
        "Circular dependency between resources: ",
    ),
    (
        {"Resources": {"A": {**BUCKET, "DeletionPolicy": "retain"}}},
        "Template format error: Unrecognized DeletionPolicy retain for resource A",
    ),
    (
        {"Resources": {"A": {**BUCKET, "DeletionPolicy": {"Ref": "AWS::NoValue"}}}},
        "Template format error: Every DeletionPolicy member must be a string.",
    ),
    (
        {"Resources": {"A": {**BUCKET, "DeletionPolicy": "Snapshot"}}},
        "resource type AWS::S3::Bucket does not support deletion policy Snapshot",
    ),
    (
        {"Resources": {"A": {**BUCKET, "UpdateReplacePolicy": "RetainExceptOnCreate"}}},
        "Unrecognized UpdateReplacePolicy RetainExceptOnCreate for resource A",
    ),
]


@pytest.mark.parametrize(("template", "words"), BAD)
def test_a_bad_template_is_refused_alike_wherever_it_comes(cfn, template, words):
    body = template if isinstance(template, str) else json.dumps(template)
    for call, options in (
        (cfn.validate_template, {}),
        (cfn.get_template_summary, {}),
        (cfn.create_stack, {"StackName": "bad"}),
    ):
        with pytest.raises(ClientError, match=re.escape(words)) as caught:
            call(TemplateBody=body, **options)
        assert caught.value.response["Error"]["Code"] == "ValidationError"


@pytest.mark.parametrize(
    ("value", "words"),
    [("ab", "must contain at least 3 characters"), ("abcdef", "must contain at most 5 characters")],
)
def test_a_parameter_has_its_length(cfn, value, words):
    word = {"Type": "String", "MinLength": "3", "MaxLength": 5}
    template = {"Parameters": {"Word": word}, "Resources": {"A": BUCKET}}
    given = [{"ParameterKey": "Word", "ParameterValue": value}]
    with pytest.raises(ClientError, match=f"Parameter 'Word' {words}"):
        cfn.create_stack(StackName="s", TemplateBody=json.dumps(template), Parameters=given)


def test_a_template_in_a_bucket(cfn, local_cloud):
    s3 = local_cloud.client("s3")
    s3.create_bucket(Bucket="templates")
    s3.put_object(Bucket="templates", Key="a b.json", Body=json.dumps({"Resources": {"B": BUCKET}}))
    for url in (
        f"{local_cloud.endpoint_url}/templates/a%20b.json",
        "https://templates.s3.us-east-1.amazonaws.com/a%20b.json",
        "https://s3.amazonaws.com/templates/a%20b.json",
    ):
        assert cfn.validate_template(TemplateURL=url)["Parameters"] == []
    for url in ("https://s3.amazonaws.com/templates/none", "https://s3.amazonaws.com/nowhere/a"):
        with pytest.raises(
            ClientError, match="S3 error: The specified (key|bucket) does not exist"
        ):
            cfn.validate_template(TemplateURL=url)
    with pytest.raises(ClientError, match="Either Template URL or Template Body must be specified"):
        cfn.validate_template()


def test_summary(cfn):
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Parameters": {"P": {"Type": "String", "Default": "a", "AllowedValues": ["a", "b"]}},
        "Resources": {"B": BUCKET, "C": BUCKET},
    }
    answer = cfn.get_template_summary(TemplateBody=json.dumps(template))
    assert answer["ResourceTypes"] == ["AWS::S3::Bucket"]
    assert answer["Version"] == "2010-09-09"
    assert answer["Parameters"] == [
        {
            "ParameterKey": "P",
            "DefaultValue": "a",
            "ParameterType": "String",
            "NoEcho": False,
            "ParameterConstraints": {"AllowedValues": ["a", "b"]},
        }
    ]


def call(client, operation):
    """The error of a call without parameters; one that boto3 can't read is another exception."""
    try:
        client._make_api_call(operation, {})
    except ClientError as error:
        return error.response
    return None


def test_no_operation_answers_with_a_page(local_cloud):
    session = boto3.Session("test", "test", region_name="us-east-1")
    bare = session.client(
        "cloudformation", endpoint_url=local_cloud.endpoint_url,
        config=Config(retries={"max_attempts": 1}, parameter_validation=False),
    )  # fmt: skip
    operations = bare.meta.service_model.operation_names
    refused = {name: answer for name in operations if (answer := call(bare, name))}
    assert "DescribeStackEvents" in refused
    missing = {"RollbackStack", *(name for name in operations if "StackSet" in name)}
    assert {"CreateStackSet", "ListStackSets"} < missing
    for name in missing | {"CreateStackInstances"}:
        assert refused[name]["Error"] == {
            "Type": "Sender", "Code": "InvalidAction",
            "Message": f"localcloud has no operation {name}",
        }, name  # fmt: skip
    wrong = {
        name: answer["Error"]
        for name, answer in refused.items()
        if answer["ResponseMetadata"]["HTTPStatusCode"] >= 500
    }
    assert wrong == {}
