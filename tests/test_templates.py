"""Every template of cloudformation/: made, used, changed, broken on purpose, and deleted whole."""

import functools
import json
import re
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

import http_apis
from deployment import RUNTIME, policy_of, wait_for
from stacks import delete, ended, left, outputs, parameters, reason
from template_files import FOLDER, TEMPLATES, broken, read, text_of

SOLUTIONS = FOLDER.parent / "solutions"
ACCOUNT = "000000000000"
TOKEN = "a-token-of-some-length"
# Templates that one test makes whole; image-resizer.yaml has tests of its own, course.yaml as well.
WHOLE = ("api", "bedrock", "classroom", "concurrency")
CLASSROOM = {
    "TrustedPrincipal": f"arn:aws:iam::{ACCOUNT}:user/teacher",
    "BudgetEmail": "teacher@example.com",
}
RUNS = {"Runtime": RUNTIME}
VALUES = {
    "api": RUNS | {"DeleteToken": TOKEN, "Resizer": "pictures"},
    "bedrock": RUNS,
    "classroom": CLASSROOM,
    "concurrency": RUNS,
}
each = pytest.mark.parametrize("name", WHOLE)


@pytest.fixture
def stack(cloud):
    """A function that makes or changes the stack of a template; what is left is deleted afterwards."""
    cfn, made = cloud("cloudformation"), set()

    def deploy(name, text=None, **values):
        values = VALUES[name] | values
        operation = cfn.update_stack if name in made else cfn.create_stack
        operation(
            StackName=name, TemplateBody=text or text_of(name), Capabilities=["CAPABILITY_IAM"],
            Parameters=parameters(values),
        )  # fmt: skip
        made.add(name)
        return ended(cfn, name)

    yield deploy
    for name in made & {each["StackName"] for each in cfn.describe_stacks()["Stacks"]}:
        delete(cfn, name)


def settings(cloud):
    """What the stack's parameter has set: days that logs are kept, or a budget's dollars."""
    groups = cloud("logs").describe_log_groups()["logGroups"]
    budgets = cloud("budgets").describe_budgets(AccountId=ACCOUNT)["Budgets"]
    return {group["retentionInDays"] for group in groups} | {
        float(budget["BudgetLimit"]["Amount"]) for budget in budgets
    }


@each
def test_it_is_made_changed_rolled_back_and_deleted(cloud, stack, name):
    cfn, before = cloud("cloudformation"), left(cloud)
    parameter, default = ("BudgetDollars", 10) if name == "classroom" else ("LogRetentionDays", 14)
    assert stack(name)["StackStatus"] == "CREATE_COMPLETE"
    assert settings(cloud) == {default}
    assert stack(name, **{parameter: 7})["StackStatus"] == "UPDATE_COMPLETE"
    assert settings(cloud) == {7}
    failed = stack(name, broken(name), **{parameter: 30})
    assert failed["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "no-such-function" in reason(cfn, name, "Broken", "CREATE_FAILED")
    assert settings(cloud) == {7}
    assert delete(cfn, name)["StackStatus"] == "DELETE_COMPLETE"
    assert left(cloud) == before


@each
def test_a_creation_that_fails_leaves_nothing(cloud, stack, name):
    before = left(cloud)
    assert stack(name, broken(name))["StackStatus"] == "ROLLBACK_COMPLETE"
    assert left(cloud) == before


# Their schemas have no tags (CloudFormation's registry, as cfn-lint has it).
WITHOUT_TAGS = {
    "AWS::ApiGatewayV2::Authorizer", "AWS::ApiGatewayV2::Integration", "AWS::ApiGatewayV2::Route",
    "AWS::IAM::ManagedPolicy", "AWS::Lambda::Alias", "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::LayerVersion", "AWS::Lambda::Permission", "AWS::Lambda::Version",
    "Custom::EmptyBucket", "Custom::PillowZip",
}  # fmt: skip


def resources(name):
    return read(text_of(name))["Resources"]


@pytest.mark.parametrize("name", TEMPLATES)
def test_everything_has_the_kits_tags(name):
    for logical_id, resource in resources(name).items():
        if resource["Type"] in WITHOUT_TAGS:
            continue
        properties = resource["Properties"]
        tags = properties.get("Tags", properties.get("ResourceTags"))
        if isinstance(tags, list):
            tags = {tag["Key"]: tag["Value"] for tag in tags}
        assert tags["project"] == "serverless-lab-kit", logical_id
        assert set(tags) == {"project", "learner", "stage"}, logical_id


@pytest.mark.parametrize("name", TEMPLATES)
def test_logs_are_kept_for_a_time_and_buckets_are_closed(name):
    for logical_id, resource in resources(name).items():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::Logs::LogGroup":
            assert properties["RetentionInDays"] == "LogRetentionDays", logical_id
        if resource["Type"] == "AWS::Lambda::Function":
            assert properties["LoggingConfig"]["LogGroup"] in resources(name), logical_id
        if resource["Type"] == "AWS::S3::Bucket":
            assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
            assert len(properties["PublicAccessBlockConfiguration"]) == 4
            assert properties["BucketEncryption"], logical_id
            emptied = [r["Properties"]["Bucket"] for r in resources(name).values()
                       if r["Type"] == "Custom::EmptyBucket"]  # fmt: skip
            assert logical_id in emptied


@pytest.mark.parametrize(
    ("name", "function", "solution"),
    [
        ("api", "ApiFunction", "06-api-gateway/app.py"),
        ("bedrock", "SummaryFunction", "04-bedrock-models/app.py"),
    ],
)
def test_function_in_the_template_is_the_solution(name, function, solution):
    lines = [
        line for line in (SOLUTIONS / solution).read_text(encoding="utf-8").splitlines()
        if not re.match(r"\s*#( (>>>|<<<)|\|)", line)
    ]  # fmt: skip
    assert resources(name)[function]["Properties"]["Code"]["ZipFile"].splitlines() == lines


def test_emptiers_are_the_same():
    found = {
        resources(name)["BucketEmptier"]["Properties"]["Code"]["ZipFile"]
        for name in ("image-resizer", "bedrock")
    }
    assert len(found) == 1


def test_api_serves_a_resizers_buckets(local_cloud, cloud, stack):
    s3 = cloud("s3")
    for word in ("source", "destination"):
        s3.create_bucket(Bucket=f"pictures-{word}-{ACCOUNT}-us-east-1")
    bucket = f"pictures-destination-{ACCOUNT}-us-east-1"
    s3.put_object(Bucket=bucket, Key="thumbnails/a.jpg", Body=b"a", ContentType="image/jpeg")
    s3.put_object(Bucket=bucket, Key="other/b.jpg", Body=b"b")
    made = outputs(stack("api"))
    host = urlsplit(made["Endpoint"]).netloc
    call = functools.partial(http_apis.request, local_cloud, host)
    assert call("/thumbnails").json() == {"thumbnails": [{"name": "a.jpg", "size": 1}]}
    shown = call("/thumbnails/a.jpg")
    assert (shown.body, shown.headers["content-type"]) == (b"a", "image/jpeg")
    assert call("/thumbnails/b.jpg").status == 404
    asked = json.dumps({"name": "c.jpg", "content_type": "image/jpeg", "size": 3}).encode()
    upload = call("/uploads", "POST", asked)
    assert upload.status == 201
    assert upload.json()["url"].partition("?")[0].endswith("/raw/c.jpg")
    for header, status in (({}, 401), (bearer("wrong"), 403), (bearer(TOKEN), 204)):
        assert call("/thumbnails/a.jpg", "DELETE", headers=header).status == status
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["other/b.jpg"]
    s3.delete_object(Bucket=bucket, Key="other/b.jpg")
    for word in ("source", "destination"):
        s3.delete_bucket(Bucket=f"pictures-{word}-{ACCOUNT}-us-east-1")


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def test_without_a_token_nobody_may_delete(local_cloud, stack):
    host = urlsplit(outputs(stack("api", DeleteToken=""))["Endpoint"]).netloc
    given = http_apis.request(local_cloud, host, "/thumbnails/a.jpg", "DELETE", None, bearer(""))
    assert given.status == 403


def test_concurrency_is_reserved_provisioned_and_moved_to_a_release(cloud, stack):
    functions = cloud("lambda")
    made = outputs(stack("concurrency", MaximumRetryAttempts=0))
    assert functions.get_function_concurrency(FunctionName="shop-orders") == answers(6)

    def ready():
        found = functions.get_provisioned_concurrency_config(
            FunctionName="shop-orders", Qualifier="live"
        )
        return found if found["Status"] == "READY" else None

    assert wait_for(ready)["AllocatedProvisionedConcurrentExecutions"] == 1
    order = taken(functions, {"order": "42"})
    assert (order["order"], order["version"], order["kind"]) == (
        "42",
        "1",
        "provisioned-concurrency",
    )
    functions.invoke(FunctionName="shop-orders", Qualifier="live", InvocationType="Event",
                     Payload=json.dumps({"order": "7", "fails": True}))  # fmt: skip
    [message] = wait_for(
        lambda: cloud("sqs").receive_message(QueueUrl=made["FailedOrders"]).get("Messages")
    )
    record = json.loads(message["Body"])
    assert record["requestPayload"] == {"order": "7", "fails": True}
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    stack("concurrency", Release="second", ReservedConcurrency=0, ProvisionedConcurrency=0)
    assert taken(functions, {"order": "43"})["release"] == "second"
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(
        FunctionName="shop-orders"
    )
    assert not functions.list_provisioned_concurrency_configs(FunctionName="shop-orders")[
        "ProvisionedConcurrencyConfigs"
    ]


class answers:
    """Equal to an answer with this many reserved executions."""

    def __init__(self, reserved):
        self.reserved = reserved

    def __eq__(self, answer):
        return answer["ReservedConcurrentExecutions"] == self.reserved


def taken(functions, event):
    answer = functions.invoke(
        FunctionName="shop-orders", Qualifier="live", Payload=json.dumps(event)
    )
    return json.load(answer["Payload"])


@pytest.mark.parametrize("profile", ["none", "us"])
def test_summariser_writes_a_summary_with_no_more_rights_than_it_needs(cloud, stack, profile):
    made = outputs(stack("bedrock", InferenceProfile=profile, MaxTokens=5))
    s3 = cloud("s3")
    s3.put_object(Bucket=made["TextBucket"], Key="texts/note.txt", Body=b"The sea is calm today.")

    def written():
        return s3.list_objects_v2(Bucket=made["SummaryBucket"]).get("Contents")

    [found] = wait_for(written)
    summary = json.load(s3.get_object(Bucket=made["SummaryBucket"], Key=found["Key"])["Body"])
    model = "amazon.nova-micro-v1:0"
    assert summary["model"] == (model if profile == "none" else f"us.{model}")
    assert summary["output_tokens"] <= 5 and summary["dollars"] > 0
    role = cloud("lambda").get_function_configuration(FunctionName="summariser")["Role"]
    policy = cloud("iam").get_role_policy(RoleName=role.rpartition("/")[2], PolicyName="summarise")[
        "PolicyDocument"
    ]
    asked = next(s["Resource"] for s in policy["Statement"] if s["Sid"] == "AskTheModel")
    one = f"arn:aws:bedrock:us-east-1::foundation-model/{model}"
    through = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.{model}"
    assert asked == ([one] if profile == "none" else [through, one.replace("us-east-1", "*")])


def test_learner_of_a_class_may_do_the_course_within_the_boundary(local_cloud, cloud, stack):
    iam = cloud("iam")
    arn = outputs(stack("classroom"))["LearnerRoleArn"]
    learner = client_of(local_cloud, arn)
    learner("s3").create_bucket(Bucket="lab-mine")
    refused(learner("s3").create_bucket, Bucket="somebody-elses")
    # The boundary holds whatever is added to the role.
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.put_role_policy(
        RoleName=arn.rpartition("/")[2], PolicyName="all", PolicyDocument=policy_of(everything)
    )
    learner = client_of(local_cloud, arn)
    learner("s3").create_bucket(Bucket="another")
    refused(learner("iam").create_user, UserName="back-door")
    refused(learner("iam").delete_role_permissions_boundary, RoleName=arn.rpartition("/")[2])
    refused(learner("sqs", "ap-south-1").create_queue, QueueName="far-away")
    for bucket in ("lab-mine", "another"):
        cloud("s3").delete_bucket(Bucket=bucket)
    iam.delete_role_policy(RoleName=arn.rpartition("/")[2], PolicyName="all")


def test_learners_policy_in_the_template_is_that_of_the_docs():
    for name, part in {"LearnerPolicy": "functions", "LearnerPolicyServices": "services"}.items():
        path = FOLDER.parent / "docs" / f"learner-policy-{part}.json"
        written = json.loads(path.read_text("utf-8"))
        assert resources("classroom")[name]["Properties"]["PolicyDocument"] == written


def client_of(local_cloud, role):
    """A function that gives clients of who has taken on the role."""
    session = local_cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="ana")
    keys = session["Credentials"]
    return lambda service, region="us-east-1": boto3.client(
        service, region, endpoint_url=local_cloud.endpoint_url,
        aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )  # fmt: skip


def refused(operation, **request):
    with pytest.raises(ClientError) as caught:
        operation(**request)
    assert "AccessDenied" in caught.value.response["Error"]["Code"]
