"""The tags of a stack on what it makes: its own, and those that say which stack made it."""

import json

import pytest

from deployment import make_role
from stacks import create, delete, described, events, outputs, update

NAME = "tagged"
BLUE = [{"Key": "team", "Value": "blue"}]
RED = [{"Key": "team", "Value": "red"}]
TAGGED = ("Function", "Api", "Stage", "Rest", "Group")
PREFIX = "aws:cloudformation:"


def part(kind, **properties):
    return {"Type": kind, "Properties": properties}


def template(role, **more):
    """One of several kinds; the function has a tag of its own."""
    return {
        "Resources": {
            "Function": part(
                "AWS::Lambda::Function", Role=role, Runtime="python3.12", Handler="index.h",
                Code={"ZipFile": "h = print"}, Tags=[{"Key": "own", "Value": "1"}],
            ),
            "Queue": part("AWS::SQS::Queue"),
            "Api": part("AWS::ApiGatewayV2::Api", Name="api", ProtocolType="HTTP"),
            "Stage": part("AWS::ApiGatewayV2::Stage", ApiId={"Ref": "Api"}, StageName="live"),
            "Rest": part("AWS::ApiGateway::RestApi", Name="rest"),
            "Group": part("AWS::Logs::LogGroup"),
            **more,
        },
        "Outputs": {
            "Function": {"Value": {"Fn::GetAtt": "Function.Arn"}},
            "Queue": {"Value": {"Ref": "Queue"}},
            "Api": {"Value": {"Ref": "Api"}},
            "Rest": {"Value": {"Ref": "Rest"}},
            "Group": {"Value": {"Fn::GetAtt": "Group.Arn"}},
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def role(local_cloud):
    return make_role(local_cloud, "tagged-role")


@pytest.fixture
def tags(local_cloud):
    """A function that gives the tags of a stack's resources, by logical id."""

    def read(stack):
        made = outputs(stack)
        group, apis = made["Group"].removesuffix(":*"), local_cloud.client("apigatewayv2")
        return {
            "Function": local_cloud.client("lambda").list_tags(Resource=made["Function"])["Tags"],
            "Queue": local_cloud.client("sqs")
            .list_queue_tags(QueueUrl=made["Queue"])
            .get("Tags", {}),
            "Api": apis.get_api(ApiId=made["Api"])["Tags"],
            "Stage": apis.get_stage(ApiId=made["Api"], StageName="live")["Tags"],
            "Rest": local_cloud.client("apigateway").get_rest_api(restApiId=made["Rest"])["tags"],
            "Group": local_cloud.client("logs").list_tags_for_resource(resourceArn=group)["tags"],
        }

    return read


def expected(stack, **own):
    """The same for a stack whose own tags are these. A queue has none of CloudFormation's."""
    by = {f"{PREFIX}stack-name": stack["StackName"], f"{PREFIX}stack-id": stack["StackId"]}
    found = {name: own | by | {f"{PREFIX}logical-id": name} for name in TAGGED}
    found["Function"]["own"] = "1"
    return found | {"Queue": own}


@pytest.mark.usefixtures("no_stack_left")
def test_they_are_there_and_change_with_the_stack(cfn, role, tags):
    stack = create(cfn, NAME, template(role))
    assert tags(stack) == expected(stack)
    stack = update(cfn, NAME, template(role), Tags=BLUE)
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert tags(stack) == expected(stack, team="blue")
    again = part("AWS::SQS::Queue")
    stack = update(cfn, NAME, template(role, Second=again))
    assert tags(stack) == expected(stack, team="blue") and stack["Tags"] == BLUE


@pytest.mark.usefixtures("no_stack_left")
def test_a_rollback_brings_the_old_ones_back(cfn, role, tags):
    create(cfn, NAME, template(role), Tags=BLUE)
    broken = part("AWS::Lambda::Permission", FunctionName="no-such-function",
                  Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")  # fmt: skip
    broken["DependsOn"] = [*TAGGED, "Queue"]
    stack = update(cfn, NAME, template(role, Broken=broken), Tags=RED)
    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert tags(stack) == expected(stack, team="blue") and stack["Tags"] == BLUE
    changed = {i for i, status, _ in events(cfn, NAME) if status == "UPDATE_COMPLETE"}
    assert changed == {*TAGGED, "Queue"}


@pytest.mark.usefixtures("no_stack_left")
def test_a_nested_stack_hands_on_its_parents_and_its_own(cfn, role, tags, local_cloud):
    s3 = local_cloud.client("s3")
    s3.create_bucket(Bucket="nested-templates")
    s3.put_object(Bucket="nested-templates", Key="inner.json", Body=json.dumps(template(role)))
    url = "https://nested-templates.s3.us-east-1.amazonaws.com/inner.json"
    inner = part(
        "AWS::CloudFormation::Stack", TemplateURL=url, Tags=[{"Key": "kind", "Value": "x"}]
    )
    outer = {"Resources": {"Inner": inner}, "Outputs": {"Inner": {"Value": {"Ref": "Inner"}}}}
    stack_id = outputs(create(cfn, NAME, outer, Tags=BLUE))["Inner"]
    stack = described(cfn, stack_id)
    assert tags(stack) == expected(stack, kind="x", team="blue")
    update(cfn, NAME, outer, Tags=RED)
    stack = described(cfn, stack_id)
    assert tags(stack) == expected(stack, kind="x", team="red")


def test_a_templates_tag_wins(cfn, local_cloud):
    wanted = {"Resources": {"Queue": part("AWS::SQS::Queue", Tags=RED)},
              "Outputs": {"Url": {"Value": {"Ref": "Queue"}}}}  # fmt: skip
    url = outputs(create(cfn, NAME, wanted, Tags=BLUE))["Url"]
    assert local_cloud.client("sqs").list_queue_tags(QueueUrl=url)["Tags"] == {"team": "red"}
    delete(cfn, NAME)
