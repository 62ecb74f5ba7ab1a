"""What a template leaves unnamed: CloudFormation makes up a name, and keeps it through updates."""

import json

import pytest

from deployment import make_role, policy_of
from stacks import create, delete, events, outputs, update

STACK = "shop"
ALLOWED = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
TRUSTED = {"Effect": "Allow", "Action": "sts:AssumeRole",
           "Principal": {"Service": "lambda.amazonaws.com"}}  # fmt: skip
TAGGED = {"Tags": [{"Key": "team", "Value": "blue"}]}
PASS = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
TABLE = {
    "BillingMode": "PAY_PER_REQUEST", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
}  # fmt: skip
# Type: its properties, and those that change and ask for no replacement.
KINDS = {
    "AWS::ApiGateway::ApiKey": ({}, {"Description": "d"}),
    "AWS::ApiGateway::RestApi": (
        {"Body": {"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths": {}}},
        {"Description": "d"},
    ),
    "AWS::ApiGateway::UsagePlan": ({}, {"Description": "d"}),
    "AWS::CloudWatch::Dashboard": ({"DashboardBody": "{}"}, {"DashboardBody": '{"widgets": []}'}),
    "AWS::DynamoDB::Table": (TABLE, TAGGED),
    "AWS::ECR::Repository": ({}, {"ImageTagMutability": "IMMUTABLE"}),
    "AWS::Events::Archive": (
        {"SourceArn": {"Fn::Sub": "arn:aws:events:us-east-1:${AWS::AccountId}:event-bus/default"}},
        {"Description": "d"},
    ),
    "AWS::Events::Rule": ({"ScheduleExpression": "rate(5 minutes)"}, {"Description": "d"}),
    "AWS::IAM::InstanceProfile": ({"Roles": [{"Ref": "IAMRole"}]}, {}),
    "AWS::IAM::ManagedPolicy": (
        {"PolicyDocument": json.loads(policy_of(ALLOWED))},
        {"PolicyDocument": json.loads(policy_of(ALLOWED | {"Action": "s3:PutObject"}))},
    ),
    "AWS::IAM::Role": (
        {"AssumeRolePolicyDocument": json.loads(policy_of(TRUSTED))}, {"Description": "d"}
    ),
    "AWS::IAM::User": ({}, TAGGED),
    "AWS::Kinesis::Stream": ({"ShardCount": 1}, {"RetentionPeriodHours": 48}),
    "AWS::Lambda::Function": (
        {"Role": {"Fn::GetAtt": "IAMRole.Arn"}, "Runtime": "python3.12", "Handler": "index.h",
         "Code": {"ZipFile": "h = print"}},
        {"Description": "d"},
    ),
    "AWS::Logs::LogGroup": ({}, {"RetentionInDays": 7}),
    "AWS::S3::Bucket": ({}, {"VersioningConfiguration": {"Status": "Enabled"}}),
    "AWS::SNS::Topic": ({}, {"DisplayName": "d"}),
    "AWS::SQS::Queue": ({"FifoQueue": True}, {"DelaySeconds": 3}),
    "AWS::SSM::Parameter": ({"Type": "String", "Value": "v"}, {"Value": "w"}),
    "AWS::StepFunctions::StateMachine": (
        {"DefinitionString": json.dumps(PASS), "RoleArn": {"Fn::GetAtt": "IAMRole.Arn"}},
        {"DefinitionString": json.dumps(PASS | {"Comment": "c"})},
    ),
}  # fmt: skip
# What is known by an id alone.
WITHOUT_NAME = {"AWS::ApiGateway::ApiKey", "AWS::ApiGateway::RestApi", "AWS::ApiGateway::UsagePlan"}


def logical(kind):
    return "".join(kind.split("::")[1:])


def template(changed=False):
    return {
        "Resources": {
            logical(kind): {"Type": kind, "Properties": given | (changes if changed else {})}
            for kind, (given, changes) in KINDS.items()
        }
    }


def ids(cfn, name):
    found = cfn.describe_stack_resources(StackName=name)["StackResources"]
    return {each["ResourceType"]: each.get("PhysicalResourceId") for each in found}


@pytest.fixture(scope="module")
def lives(cfn):
    """The ids of one stack's resources of all types: when they were made, and after an update."""
    options = {"Capabilities": ["CAPABILITY_IAM"]}
    stack = create(cfn, STACK, template(), **options)
    assert stack["StackStatus"] == "CREATE_COMPLETE", failures(cfn)
    made = ids(cfn, STACK)
    stack = update(cfn, STACK, template(changed=True), **options)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", failures(cfn)
    changed = ids(cfn, STACK)
    assert delete(cfn, STACK)["StackStatus"] == "DELETE_COMPLETE", failures(cfn)
    return made, changed


def failures(cfn):
    return [each for each in events(cfn, STACK) if each[1].endswith("FAILED")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_is_made_up_and_kept(lives, kind):
    made, changed = (each[kind] for each in lives)
    assert made == changed
    name = made.lower().replace(":", "/").rpartition("/")[2]
    assert kind in WITHOUT_NAME or name.startswith(f"{STACK}-{logical(kind).lower()}-")
    assert kind != "AWS::SQS::Queue" or name.endswith(".fifo")


def part(kind, **properties):
    return {"Type": kind, "Properties": properties}


def test_a_bus_has_the_name_that_it_must_be_given(cfn, local_cloud):
    buses = {"Resources": {"Bus": part("AWS::Events::EventBus", Name="orders")}}
    create(cfn, "buses", buses)
    assert ids(cfn, "buses") == {"AWS::Events::EventBus": "orders"}
    delete(cfn, "buses")
    found = local_cloud.client("events").list_event_buses()["EventBuses"]
    assert [bus["Name"] for bus in found] == ["default"]


def test_a_topic_keeps_who_has_subscribed(cfn, local_cloud):
    sns = local_cloud.client("sns")

    def topics(**properties):
        resources = {"Topic": part("AWS::SNS::Topic", **properties)}
        return {"Resources": resources, "Outputs": {"Arn": {"Value": {"Ref": "Topic"}}}}

    def subscribed():
        found = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
        return {each["Endpoint"] for each in found}

    def tags():
        found = sns.list_tags_for_resource(ResourceArn=arn)["Tags"]
        return [tag for tag in found if not tag["Key"].startswith("aws:")]

    inside = [{"Protocol": "email", "Endpoint": "in@example.com"}]
    arn = outputs(create(cfn, "topics", topics(Subscription=inside, **TAGGED)))["Arn"]
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="own@example.com")
    update(cfn, "topics", topics(Subscription=inside, DisplayName="Orders"))
    assert subscribed() == {"in@example.com", "own@example.com"}
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"] == "Orders"
    assert tags() == []
    update(cfn, "topics", topics(**TAGGED))
    assert subscribed() == {"own@example.com"}
    assert sns.get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"] == ""
    assert tags() == TAGGED["Tags"]
    delete(cfn, "topics")
    assert sns.list_topics()["Topics"] == []


def test_a_topic_whose_subscription_fails_is_not_left_behind(cfn, local_cloud):
    wrong = [{"Protocol": "sms", "Endpoint": "not a number"}]
    topic = part("AWS::SNS::Topic", Subscription=wrong)
    assert create(cfn, "wrong", {"Resources": {"Topic": topic}})["StackStatus"] == (
        "ROLLBACK_COMPLETE"
    )
    assert local_cloud.client("sns").list_topics()["Topics"] == []
    delete(cfn, "wrong")


def test_a_table_keeps_what_it_holds_until_its_key_changes(cfn, local_cloud):
    dynamodb = local_cloud.client("dynamodb")
    attributes = ["id", "owner"]
    index = {"IndexName": "owners", "Projection": {"ProjectionType": "ALL"},
             "KeySchema": [{"AttributeName": "owner", "KeyType": "HASH"}]}  # fmt: skip

    def tables(*names, **properties):
        typed = [{"AttributeName": name, "AttributeType": "S"} for name in names]
        given = TABLE | {"AttributeDefinitions": typed} | properties
        outputs = {
            "Arn": {"Value": {"Fn::GetAtt": "Table.Arn"}},
            "Name": {"Value": {"Ref": "Table"}},
        }
        return {"Resources": {"Table": part("AWS::DynamoDB::Table", **given)}, "Outputs": outputs}

    expiry = {"AttributeName": "until", "Enabled": True}
    made = outputs(create(cfn, "tables", tables("id", TimeToLiveSpecification=expiry)))
    name = made["Name"]
    told = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert told == {"AttributeName": "until", "TimeToLiveStatus": "ENABLED"}
    dynamodb.put_item(TableName=name, Item={"id": {"S": "1"}, "owner": {"S": "ana"}})
    wanted = tables(
        *attributes, GlobalSecondaryIndexes=[index], TimeToLiveSpecification=expiry, **TAGGED
    )
    assert outputs(update(cfn, "tables", wanted)) == made
    found = dynamodb.query(
        TableName=name, IndexName="owners", KeyConditionExpression="#o = :o",
        ExpressionAttributeNames={"#o": "owner"}, ExpressionAttributeValues={":o": {"S": "ana"}},
    )  # fmt: skip
    assert found["Count"] == 1
    tags = dynamodb.list_tags_of_resource(ResourceArn=made["Arn"])["Tags"]
    assert tags == TAGGED["Tags"]
    wanted = tables("id", StreamSpecification={"StreamViewType": "KEYS_ONLY"})
    assert outputs(update(cfn, "tables", wanted)) == made
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["StreamSpecification"]["StreamEnabled"] and not table.get("GlobalSecondaryIndexes")
    assert dynamodb.scan(TableName=name)["Count"] == 1
    key = [{"AttributeName": "owner", "KeyType": "HASH"}]
    anew = outputs(update(cfn, "tables", tables("owner", KeySchema=key)))["Name"]
    assert anew != name and dynamodb.list_tables()["TableNames"] == [anew]
    delete(cfn, "tables")


def test_a_parameter_gets_another_version(cfn, local_cloud):
    ssm = local_cloud.client("ssm")

    def parameters(value, **properties):
        given = {"Type": "String", "Value": value, **properties}
        value_of = {
            "Value": {"Value": {"Fn::GetAtt": "It.Value"}},
            "Name": {"Value": {"Ref": "It"}},
        }
        return {"Resources": {"It": part("AWS::SSM::Parameter", **given)}, "Outputs": value_of}

    first = outputs(create(cfn, "parameters", parameters("v", Tags={"team": "blue"})))
    second = outputs(update(cfn, "parameters", parameters("w", Tags={"team": "red"})))
    assert second == first | {"Value": "w"}
    found = ssm.get_parameter(Name=first["Name"])["Parameter"]
    assert (found["Value"], found["Version"]) == ("w", 2)
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=first["Name"])["TagList"]
    assert {"Key": "team", "Value": "red"} in tags
    delete(cfn, "parameters")
    assert ssm.describe_parameters()["Parameters"] == []


def test_a_policy_gets_another_version_and_keeps_its_roles(cfn, local_cloud):
    iam = local_cloud.client("iam")
    make_role(local_cloud, "worker")

    def policies(action):
        document = json.loads(policy_of(ALLOWED | {"Action": action}))
        policy = part("AWS::IAM::ManagedPolicy", PolicyDocument=document, Roles=["worker"])
        return {"Resources": {"Policy": policy}, "Outputs": {"Arn": {"Value": {"Ref": "Policy"}}}}

    options = {"Capabilities": ["CAPABILITY_IAM"]}
    made = outputs(create(cfn, "policies", policies("s3:a"), **options))
    for letter in "bcdefg":
        assert outputs(update(cfn, "policies", policies(f"s3:{letter}"), **options)) == made
    versions = iam.list_policy_versions(PolicyArn=made["Arn"])["Versions"]
    assert len(versions) == 5
    [now] = [each["VersionId"] for each in versions if each["IsDefaultVersion"]]
    document = iam.get_policy_version(PolicyArn=made["Arn"], VersionId=now)["PolicyVersion"]
    assert document["Document"]["Statement"][0]["Action"] == "s3:g"
    attached = iam.list_attached_role_policies(RoleName="worker")["AttachedPolicies"]
    assert made["Arn"] in [each["PolicyArn"] for each in attached]
    delete(cfn, "policies")
    assert iam.list_policies(Scope="Local")["Policies"] == []


def test_a_policy_leaves_whom_its_lists_name_no_more(cfn, local_cloud):
    iam = local_cloud.client("iam")
    for name in ("kept", "dropped", "stranger"):
        make_role(local_cloud, name)
        iam.create_user(UserName=name)
        iam.create_group(GroupName=name)

    def policies(*names, action="s3:a", **more):
        lists = dict.fromkeys(("Roles", "Users", "Groups"), list(names)) if names else {}
        document = json.loads(policy_of(ALLOWED | {"Action": action}))
        policy = part("AWS::IAM::ManagedPolicy", PolicyDocument=document, **lists)
        return {
            "Resources": {"Policy": policy, **more},
            "Outputs": {"Arn": {"Value": {"Ref": "Policy"}}},
        }

    def attached():
        found = iam.list_entities_for_policy(PolicyArn=arn)
        kinds = (
            ("PolicyRoles", "RoleName"),
            ("PolicyUsers", "UserName"),
            ("PolicyGroups", "GroupName"),
        )
        return [sorted(each[name] for each in found[kind]) for kind, name in kinds]

    options = {"Capabilities": ["CAPABILITY_IAM"]}
    arn = outputs(create(cfn, "lists", policies("kept", "dropped"), **options))["Arn"]
    for attach, name in (
        (iam.attach_role_policy, "RoleName"),
        (iam.attach_user_policy, "UserName"),
        (iam.attach_group_policy, "GroupName"),
    ):
        attach(PolicyArn=arn, **{name: "stranger"})
    assert attached() == [["dropped", "kept", "stranger"]] * 3
    update(cfn, "lists", policies("kept"), **options)
    assert attached() == [["kept", "stranger"]] * 3
    broken = part("AWS::Lambda::Permission", FunctionName="no-such-function",
                  Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")  # fmt: skip
    broken["DependsOn"] = "Policy"
    failed = update(cfn, "lists", policies("dropped", Broken=broken), **options)
    assert failed["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert attached() == [["kept", "stranger"]] * 3
    update(cfn, "lists", policies(), **options)
    assert attached() == [["stranger"]] * 3
    delete(cfn, "lists")


def test_a_rollback_keeps_the_name_too(cfn, local_cloud):
    topic = {"Topic": part("AWS::SNS::Topic", DisplayName="old")}
    rule = part("AWS::Events::Rule", ScheduleExpression="rate(5 minutes)")
    create(cfn, "rolled", {"Resources": topic | {"Rule": rule}})
    made = ids(cfn, "rolled")
    broken = part("AWS::Lambda::Permission", FunctionName="no-such-function",
                  Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")  # fmt: skip
    changed = {
        "Topic": part("AWS::SNS::Topic", DisplayName="new"),
        "Rule": part("AWS::Events::Rule", ScheduleExpression="rate(7 minutes)"),
        "Broken": broken | {"DependsOn": ["Topic", "Rule"]},
    }
    assert (
        update(cfn, "rolled", {"Resources": changed})["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    )
    assert {kind: id for kind, id in ids(cfn, "rolled").items() if kind in made} == made
    name = local_cloud.client("sns").get_topic_attributes(TopicArn=made["AWS::SNS::Topic"])
    assert name["Attributes"]["DisplayName"] == "old"
    [found] = local_cloud.client("events").list_rules()["Rules"]
    assert found["ScheduleExpression"] == "rate(5 minutes)"
    delete(cfn, "rolled")


def test_a_role_gets_its_boundary_and_loses_it(cfn, local_cloud):
    trust = json.loads(
        policy_of({"Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"})
    )
    options = {"Capabilities": ["CAPABILITY_IAM"]}

    def boundary(make, **more):
        role = part("AWS::IAM::Role", AssumeRolePolicyDocument=trust, **more)
        template = {"Resources": {"Role": role}, "Outputs": {"Name": {"Value": {"Ref": "Role"}}}}
        name = outputs(make(cfn, "bounded", template, **options))["Name"]
        found = local_cloud.client("iam").get_role(RoleName=name)["Role"]
        return found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")

    reader = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    assert boundary(create) is None
    assert boundary(update, PermissionsBoundary=reader) == reader
    assert boundary(update) is None
    delete(cfn, "bounded")
