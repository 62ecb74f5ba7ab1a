"""`lab destroy`: all that has the kit's tag goes, whatever state it is in, and nothing else does."""

import json
import os
import re
import subprocess
import sys

import pytest

from deployment import make_role, zip_of
from people import Person
from stacks import create, delete, left, quick_create
from template_files import TEMPLATES

# What a learner's notebook or a check does: plain boto3, with no word of tags.
MAKES = """
import json, boto3
from labkit import target
from deployment import zip_of
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
         "Principal": {"Service": "lambda.amazonaws.com"}}]}
with target.cloud():
    s3, functions, iam = boto3.client("s3"), boto3.client("lambda"), boto3.client("iam")
    s3.create_bucket(Bucket="made-bucket")
    s3.put_bucket_versioning(Bucket="made-bucket", VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        s3.put_object(Bucket="made-bucket", Key="a", Body=b"a")
    s3.delete_object(Bucket="made-bucket", Key="a")
    role = iam.create_role(RoleName="made-role", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="made-role", PolicyName="p", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]}))
    policy = iam.create_policy(PolicyName="made-policy", PolicyDocument=json.dumps({
        "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]}))
    iam.attach_role_policy(RoleName="made-role", PolicyArn=policy["Policy"]["Arn"])
    code = zip_of({"app.py": "def handler(event, context): return 1"})
    functions.create_function(FunctionName="made-function", Role=role, Handler="app.handler",
                              Runtime="python3.13", Code={"ZipFile": code}, Tags={"team": "blue"})
    functions.invoke(FunctionName="made-function")
    functions.publish_layer_version(LayerName="made-layer", Content={"ZipFile": code}, Description="Words")
    queue = boto3.client("sqs").create_queue(QueueName="made-queue")["QueueUrl"]
    functions.create_event_source_mapping(
        FunctionName="made-function", EventSourceArn="arn:aws:sqs:us-east-1:000000000000:made-queue")
    boto3.client("sns").create_topic(Name="made-topic")
    boto3.client("dynamodb").create_table(
        TableName="made-table", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    boto3.client("logs").create_log_group(logGroupName="made-group")
    boto3.client("apigatewayv2").create_api(Name="made-api", ProtocolType="HTTP")
    imported = {"openapi": "3.0.1", "info": {"title": "made-by-import", "version": "1"}, "paths": {}}
    boto3.client("apigatewayv2").import_api(Body=json.dumps(imported))
    gateway = boto3.client("apigateway")
    api = gateway.create_rest_api(name="made-rest-api")
    place = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    gateway.put_method(**place, authorizationType="NONE")
    gateway.put_integration(**place, type="MOCK")
    gateway.create_deployment(restApiId=api["id"], stageName="live")
    stages = [{"apiId": api["id"], "stage": "live"}]
    plan = gateway.create_usage_plan(name="made-plan", apiStages=stages)["id"]
    key = gateway.create_api_key(name="made-key")["id"]
    gateway.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    vectors, agents = boto3.client("s3vectors"), boto3.client("bedrock-agent")
    trust = json.dumps(TRUST).replace("lambda", "bedrock")
    model_role = iam.create_role(
        RoleName="made-model-role", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    vectors.create_vector_bucket(vectorBucketName="made-vectors")
    index = vectors.create_index(vectorBucketName="made-vectors", indexName="made-index", dataType="float32",
                                 dimension=1024, distanceMetric="cosine")["indexArn"]
    embeds = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0"
    base = agents.create_knowledge_base(
        name="made-base", roleArn=model_role,
        knowledgeBaseConfiguration={
            "type": "VECTOR", "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": embeds}},
        storageConfiguration={"type": "S3_VECTORS", "s3VectorsConfiguration": {"indexArn": index}},
    )["knowledgeBase"]["knowledgeBaseId"]
    agents.create_data_source(knowledgeBaseId=base, name="made-source", dataSourceConfiguration={
        "type": "S3", "s3Configuration": {"bucketArn": "arn:aws:s3:::made-bucket"}})
    agent = agents.create_agent(
        agentName="made-agent", agentResourceRoleArn=model_role, foundationModel="amazon.nova-micro-v1:0",
        instruction="You answer all questions of our customers kindly.")["agent"]["agentId"]
    agents.prepare_agent(agentId=agent)
    agents.create_agent_alias(agentId=agent, agentAliasName="made-alias")
    words = {"wordsConfig": [{"text": "secret"}]}
    boto3.client("bedrock").create_guardrail(name="made-guardrail", blockedInputMessaging="No.",
                                             blockedOutputsMessaging="No.", wordPolicyConfig=words)
    template = json.dumps({"Resources": {
        "B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "made-by-stack"}}}})
    boto3.client("cloudformation").create_stack(StackName="made-stack", TemplateBody=template)
    s3.put_object(Bucket="made-by-stack", Key="left", Body=b"behind")
"""
KINDS = {
    "stack", "event source mapping", "REST API", "HTTP or WebSocket API", "function", "layer version",
    "bucket", "queue", "topic", "table", "log group", "policy", "role", "usage plan", "API key",
    "agent", "data source", "knowledge base", "guardrail", "vector index", "vector bucket",
}  # fmt: skip


@pytest.fixture(scope="module")
def environment(local_cloud, tmp_path_factory):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LAB_TARGET"))}
    work = str(tmp_path_factory.mktemp("work"))
    return kept | {"AWS_ENDPOINT_URL": local_cloud.endpoint_url, "LAB_WORK": work}


@pytest.fixture(scope="module")
def learners_own(local_cloud):
    """What somebody made without the kit."""
    local_cloud.client("s3").create_bucket(Bucket="own-bucket")
    local_cloud.client("s3vectors").create_vector_bucket(vectorBucketName="own-vectors")
    local_cloud.client("bedrock").create_guardrail(
        name="own-guardrail", blockedInputMessaging="No.", blockedOutputsMessaging="No.",
        wordPolicyConfig={"wordsConfig": [{"text": "secret"}]},
    )  # fmt: skip
    role = make_role(local_cloud, "own-role", {"Action": "s3:GetObject", "Resource": "*"})
    local_cloud.client("lambda").create_function(
        FunctionName="own-function", Role=role, Handler="app.handler", Runtime="python3.13",
        Code={"ZipFile": zip_of({"app.py": "x = 1"})}, Tags={"project": "something else"},
    )  # fmt: skip


# In us-east-1 CreateBucket says nothing of a bucket that is the caller's already.
USES_WHAT_IS_THERE = """
import json, boto3
from labkit import target
from deployment import zip_of
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
         "Principal": {"Service": "lambda.amazonaws.com"}}]}
with target.cloud():
    boto3.client("s3").create_bucket(Bucket="own-bucket")
    role = boto3.client("iam").create_role(RoleName="made-logger", AssumeRolePolicyDocument=json.dumps(TRUST))
    boto3.client("lambda").create_function(
        FunctionName="made-logger", Role=role["Role"]["Arn"], Handler="app.handler", Runtime="python3.13",
        Code={"ZipFile": zip_of({"app.py": "x = 1"})}, LoggingConfig={"LogGroup": "own-group"})
"""


def lab(environment, *words):
    command = [sys.executable, "-m", "labkit.cli", *words]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )


def test_nothing_goes_before_somebody_says_yes(environment, learners_own, local_cloud):
    subprocess.run(
        [sys.executable, "-c", MAKES], env=environment, cwd=os.path.dirname(__file__), check=True
    )
    done = lab(environment, "destroy")
    assert done.returncode == 2
    assert "bucket made-bucket" in done.stdout and "own-" not in done.stdout
    assert "--yes" in done.stderr
    assert local_cloud.client("lambda").get_function(FunctionName="made-function")


def test_all_of_it_goes_and_nothing_else(environment, local_cloud):
    tags = local_cloud.client("lambda").get_function(FunctionName="made-function")["Tags"]
    assert tags == {"team": "blue", "project": "serverless-lab-kit"}
    done = lab(environment, "destroy", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert {kind for kind, _ in result["removed"]} == KINDS
    assert result["left"] == []
    assert "nothing with the kit's tag is left" in done.stderr
    names = [bucket["Name"] for bucket in local_cloud.client("s3").list_buckets()["Buckets"]]
    assert names == ["own-bucket"]
    listed = local_cloud.client("lambda").list_functions()["Functions"]
    assert [function["FunctionName"] for function in listed] == ["own-function"]
    roles = {role["RoleName"] for role in local_cloud.client("iam").list_roles()["Roles"]}
    assert "own-role" in roles and "made-role" not in roles
    assert local_cloud.client("logs").describe_log_groups()["logGroups"] == []
    assert local_cloud.client("apigatewayv2").get_apis()["Items"] == []
    agents = local_cloud.client("bedrock-agent")
    assert agents.list_agents()["agentSummaries"] == []
    assert agents.list_knowledge_bases()["knowledgeBaseSummaries"] == []
    guardrails = local_cloud.client("bedrock").list_guardrails()["guardrails"]
    assert [each["name"] for each in guardrails] == ["own-guardrail"]
    vectors = local_cloud.client("s3vectors").list_vector_buckets()["vectorBuckets"]
    assert [each["vectorBucketName"] for each in vectors] == ["own-vectors"]


def test_without_a_cloud_that_stays_nothing_is_proven(environment):
    alone = {k: v for k, v in environment.items() if k != "AWS_ENDPOINT_URL"}
    done = lab(alone, "destroy", "--yes")
    assert done.returncode == 3
    assert "nothing with the kit's tag" not in done.stdout and "lab reset --cloud" in done.stdout


def test_a_second_time_there_is_nothing(environment):
    done = lab(environment, "destroy", "--yes")
    assert done.returncode == 0
    assert "There is nothing with the kit's tag." in done.stdout


def test_what_the_kit_only_uses_stays(environment, learners_own, local_cloud):
    local_cloud.client("s3").put_object(Bucket="own-bucket", Key="thesis", Body=b"years of work")
    local_cloud.client("logs").create_log_group(logGroupName="own-group")
    command = [sys.executable, "-c", USES_WHAT_IS_THERE]
    subprocess.run(command, env=environment, cwd=os.path.dirname(__file__), check=True)
    done = lab(environment, "destroy", "--yes", "--json")
    removed = [["function", "made-logger"], ["role", "made-logger"]]
    assert (done.returncode, json.loads(done.stdout)["removed"]) == (0, removed)
    assert local_cloud.client("s3").get_object(Bucket="own-bucket", Key="thesis")
    groups = local_cloud.client("logs").describe_log_groups()["logGroups"]
    assert [group["logGroupName"] for group in groups] == ["own-group"]
    local_cloud.client("logs").delete_log_group(logGroupName="own-group")
    local_cloud.client("s3").delete_object(Bucket="own-bucket", Key="thesis")


# What has to be typed in behind a link.
TYPED = {
    "classroom": {
        "TrustedPrincipal": "arn:aws:iam::000000000000:user/teacher",
        "BudgetEmail": "teacher@example.com",
    }
}


def test_stacks_of_the_links_have_no_tags_and_go_all_the_same(environment, local_cloud):
    cfn = local_cloud.client("cloudformation")
    foreign = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Description": "serverless-lab"}
    create(cfn, "foreign", foreign)
    before = left(local_cloud.client)
    published = lab(environment, "publish", "--bucket", "made-templates", "--yes")
    links = re.findall(r"https://us-east-1\.console\S+", published.stdout)
    names = set()
    for link in links:
        name = re.search(r"stackName=([\w-]+)", link)[1]
        stack = quick_create(cfn, link, **TYPED.get(name, {}))
        assert (stack["StackStatus"], stack.get("Tags", [])) == ("CREATE_COMPLETE", []), name
        names.add(name)
    assert names == set(TEMPLATES)
    done = lab(environment, "destroy", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    removed = json.loads(done.stdout)["removed"]
    assert {name for kind, name in removed if kind == "stack"} == names
    assert [stack["StackName"] for stack in cfn.describe_stacks()["Stacks"]] == ["foreign"]
    assert left(local_cloud.client) == before
    delete(cfn, "foreign")


def test_what_will_not_go_is_told(environment, local_cloud):
    template = json.dumps({"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}})
    cfn = local_cloud.client("cloudformation")
    cfn.create_stack(
        StackName="held", TemplateBody=template, EnableTerminationProtection=True,
        Tags=[{"Key": "project", "Value": "serverless-lab-kit"}],
    )  # fmt: skip
    done = lab(environment, "destroy", "--yes")
    assert done.returncode == 1
    assert "stack held" in done.stdout and "TerminationProtection is enabled" in done.stdout
    cfn.update_termination_protection(StackName="held", EnableTerminationProtection=False)
    assert lab(environment, "destroy", "--yes").returncode == 0


def test_what_may_not_be_looked_at_is_told_and_the_rest_removed(environment, local_cloud):
    everything = {"Action": "*", "Resource": "*"}
    hidden = {"Effect": "Deny", "Action": "s3vectors:ListVectorBuckets", "Resource": "*"}
    keys = Person(local_cloud, "half-blind", everything, hidden).key
    local_cloud.client("sqs").create_queue(QueueName="seen", tags={"project": "serverless-lab-kit"})
    done = lab(
        environment
        | {"AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "LAB_TARGET": "aws"}
        | {"AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"], "AWS_DEFAULT_REGION": "us-east-1"},
        "destroy", "--yes", "--json",
    )  # fmt: skip
    result = json.loads(done.stdout)
    assert done.returncode == 3
    assert [kind for kind, _ in result["removed"]] == ["queue"] and result["left"] == []
    assert set(result["not_seen"]) == {"vector bucket", "vector index"}
    assert "AccessDenied" in result["not_seen"]["vector bucket"]
    assert "? vector bucket: not looked at" in done.stderr
    assert "among the rest" in done.stderr


def test_keys_that_the_cloud_refuses(environment, local_cloud):
    iam = local_cloud.client("iam")
    iam.create_user(UserName="ana")
    key = iam.create_access_key(UserName="ana")["AccessKey"]["AccessKeyId"]
    keys = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "wrong"}
    done = lab(
        environment | keys | {"LAB_TARGET": "aws", "AWS_DEFAULT_REGION": "us-east-1"}, "destroy"
    )
    assert done.returncode == 3
    assert "The cloud refused" in done.stdout and "Traceback" not in done.stderr
