"""What somebody with the learner's policies may not do in an account that holds more than the course.

Each line of OURS is allowed on what has the course's prefix and refused on what has not; NEVER is refused
whatever it is done on.
"""

import json

import pytest
from botocore.exceptions import ClientError

from deployment import make_role, zip_of
from needs_documents import POLICIES
from people import Person, refusal

HERE, ACCOUNT = "us-east-1:000000000000", "000000000000"
# A pattern of ARNs, and what the learner may do where NAME is the course's.
OURS = {
    "arn:aws:s3:::NAME": "s3:CreateBucket s3:DeleteBucket s3:PutBucketNotification s3:ListBucket",
    "arn:aws:s3:::NAME/raw/cup.jpg": "s3:GetObject s3:PutObject s3:DeleteObject",
    f"arn:aws:lambda:{HERE}:function:NAME": "lambda:CreateFunction lambda:DeleteFunction "
    "lambda:InvokeFunction lambda:UpdateFunctionCode lambda:AddPermission lambda:PutFunctionConcurrency",
    f"arn:aws:lambda:{HERE}:layer:NAME": "lambda:PublishLayerVersion",
    f"arn:aws:lambda:{HERE}:layer:NAME:1": "lambda:DeleteLayerVersion",
    f"arn:aws:cloudformation:{HERE}:stack/NAME/1": "cloudformation:CreateStack cloudformation:UpdateStack "
    "cloudformation:DeleteStack",
    f"arn:aws:iam::{ACCOUNT}:role/NAME": "iam:CreateRole iam:DeleteRole iam:PassRole iam:PutRolePolicy "
    "iam:AttachRolePolicy iam:UpdateAssumeRolePolicy",
    f"arn:aws:logs:{HERE}:log-group:/aws/lambda/NAME:*": "logs:DeleteLogGroup logs:FilterLogEvents",
    f"arn:aws:sqs:{HERE}:NAME": "sqs:CreateQueue sqs:DeleteQueue sqs:ReceiveMessage",
    f"arn:aws:dynamodb:{HERE}:table/NAME": "dynamodb:CreateTable dynamodb:DeleteTable dynamodb:PutItem "
    "dynamodb:Scan",
    f"arn:aws:s3vectors:{HERE}:bucket/NAME": "s3vectors:CreateVectorBucket s3vectors:DeleteVectorBucket",
}
COURSE_MODELS = ("amazon.nova-micro-v1:0", "amazon.titan-embed-text-v2:0")
OTHER_MODELS = ("anthropic.claude-opus-4-1-20250805-v1:0", "amazon.nova-pro-v1:0")
# On roles, functions and buckets of the course's own names too.
NEVER = """
    iam:CreateUser iam:DeleteUser iam:CreateAccessKey iam:CreateLoginProfile iam:PutUserPolicy
    iam:AttachUserPolicy iam:AttachGroupPolicy iam:AddUserToGroup iam:CreatePolicyVersion
    iam:SetDefaultPolicyVersion iam:DeleteRolePermissionsBoundary iam:PutRolePermissionsBoundary
    iam:CreateOpenIDConnectProvider iam:CreateSAMLProvider iam:UpdateAccountPasswordPolicy
    secretsmanager:GetSecretValue secretsmanager:PutSecretValue ssm:GetParameter kms:Decrypt
    kms:CreateKey ec2:RunInstances ec2:TerminateInstances rds:DeleteDBInstance ecs:RunTask
    states:CreateStateMachine s3:PutBucketAcl s3:PutBucketOwnershipControls
    s3:PutAccountPublicAccessBlock lambda:CreateFunctionUrlConfig lambda:GetFunctionUrlConfig
    bedrock:CreateProvisionedModelThroughput bedrock:CreateModelCustomizationJob
    bedrock:PutModelInvocationLoggingConfiguration bedrock:PutAccountDataRetention
    organizations:LeaveOrganization account:CloseAccount budgets:ModifyBudget cloudtrail:StopLogging
"""


@pytest.fixture(scope="module")
def learner(local_cloud):
    """A user with the learner's two managed policies and nothing else."""
    person, iam = Person(local_cloud, "learner"), local_cloud.client("iam")
    for name, path in POLICIES.items():
        document = path.read_text(encoding="utf-8")
        policy = iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
        iam.attach_user_policy(UserName="learner", PolicyArn=policy)
    return person


@pytest.fixture(scope="module")
def decides(learner, local_cloud):
    """What SimulatePrincipalPolicy says: whether each of the actions is allowed on a resource."""

    def decide(resource, *actions):
        answer = local_cloud.client("iam").simulate_principal_policy(
            PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/learner",
            ActionNames=actions,
            ResourceArns=[resource],
        )
        return {r["EvalActionName"]: r["EvalDecision"] for r in answer["EvaluationResults"]}

    return decide


@pytest.mark.parametrize("pattern", OURS)
def test_only_what_has_the_prefix_is_the_learners(decides, pattern):
    actions = OURS[pattern].split()
    ours = decides(pattern.replace("NAME", "lab-mine"), *actions)
    assert ours == dict.fromkeys(actions, "allowed")
    for foreign in ("payroll", "my-lab-notes", "Lab-mine", "lab"):
        found = decides(pattern.replace("NAME", foreign), *actions)
        assert found == dict.fromkeys(actions, "implicitDeny"), foreign


@pytest.mark.parametrize(
    "resource",
    [
        "*", f"arn:aws:iam::{ACCOUNT}:user/lab-back-door", f"arn:aws:iam::{ACCOUNT}:role/lab-mine",
        "arn:aws:s3:::lab-mine", f"arn:aws:lambda:{HERE}:function:lab-mine",
        f"arn:aws:secretsmanager:{HERE}:secret:lab-mine",
    ],
)  # fmt: skip
def test_what_no_stage_needs_is_refused_on_everything(decides, resource):
    actions = NEVER.split()
    assert decides(resource, *actions) == dict.fromkeys(actions, "implicitDeny")


def test_only_the_courses_models_answer(decides):
    place, action = "arn:aws:bedrock:us-east-1::foundation-model/", "bedrock:InvokeModel"
    for models, decision in ((COURSE_MODELS, "allowed"), (OTHER_MODELS, "implicitDeny")):
        for model in models:
            assert decides(place + model, action) == {action: decision}, model


def test_no_statement_allows_by_what_it_leaves_out():
    for path in POLICIES.values():
        for statement in json.loads(path.read_text(encoding="utf-8"))["Statement"]:
            assert statement.keys() == {"Effect", "Action", "Resource"}
            assert not [each for each in statement["Action"] if "*" in each]


def test_what_others_have_stays_as_it_is(learner, local_cloud):
    """The same by real requests, which the cloud judges as it does everybody's."""
    role = make_role(local_cloud, "payroll")
    cloud, mine = local_cloud.client, learner.client
    cloud("s3").create_bucket(Bucket="payroll")
    cloud("s3").put_object(Bucket="payroll", Key="salaries", Body=b"1")
    code = {"ZipFile": zip_of({"app.py": "def handler(event, context): return 1"})}
    made = {"Role": role, "Handler": "app.handler", "Runtime": "python3.13", "Code": code}
    cloud("lambda").create_function(FunctionName="payroll", **made)
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    refused = [
        (mine("s3").delete_bucket, {"Bucket": "payroll"}),
        (mine("s3").get_object, {"Bucket": "payroll", "Key": "salaries"}),
        (mine("s3").delete_object, {"Bucket": "payroll", "Key": "salaries"}),
        (mine("lambda").delete_function, {"FunctionName": "payroll"}),
        (mine("lambda").invoke, {"FunctionName": "payroll"}),
        (mine("lambda").create_function, {"FunctionName": "lab-mine", **made}),  # passes a foreign role
        (mine("iam").create_user, {"UserName": "lab-back-door"}),
        (mine("iam").attach_role_policy, {"RoleName": "payroll", "PolicyArn": administrator}),
        (mine("iam").put_role_policy, {"RoleName": "payroll", "PolicyName": "p", "PolicyDocument": "{}"}),
        (mine("iam").delete_role, {"RoleName": "payroll"}),
        (mine("sts").assume_role, {"RoleArn": role, "RoleSessionName": "me"}),
        (mine("secretsmanager").get_secret_value, {"SecretId": "payroll"}),
        (mine("ec2").run_instances, {"ImageId": "ami-1", "MinCount": 1, "MaxCount": 1}),
        (mine("cloudformation").delete_stack, {"StackName": "payroll"}),
    ]  # fmt: skip
    for call, parameters in refused:
        code, message, status = refusal(call, **parameters)
        assert code in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"), message
        assert status in (400, 403)
    assert cloud("s3").get_object(Bucket="payroll", Key="salaries")["Body"].read() == b"1"
    assert cloud("lambda").get_function(FunctionName="payroll")["Configuration"]["Role"] == role
    attached = cloud("iam").list_attached_role_policies(RoleName="payroll")["AttachedPolicies"]
    assert administrator not in [policy["PolicyArn"] for policy in attached]
    with pytest.raises(ClientError):
        cloud("lambda").get_function(FunctionName="lab-mine")
