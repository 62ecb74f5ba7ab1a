"""SimulatePrincipalPolicy and SimulateCustomPolicy: what an answer holds beside the decision."""

import json

import pytest

from deployment import BASIC_EXECUTION, TRUST, make_role, policy_of
from people import ACCOUNT, Person, refusal

READ = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::album/*"}
KEY = "arn:aws:s3:::album/a"


@pytest.fixture(scope="module")
def iam(local_cloud):
    return local_cloud.client("iam")


def test_a_role_as_it_is_now(local_cloud, iam):
    arn = make_role(local_cloud, "resizer", READ)

    def decision(action, resource=KEY):
        [result] = iam.simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=[action], ResourceArns=[resource]
        )["EvaluationResults"]
        return result

    found = decision("s3:GetObject")
    assert found["EvalDecision"] == "allowed"
    [statement] = found["MatchedStatements"]
    assert (statement["SourcePolicyId"], statement["SourcePolicyType"]) == ("inline", "role")
    logged = decision("logs:PutLogEvents", "*")
    assert logged["MatchedStatements"][0]["SourcePolicyType"] == "aws-managed"
    assert BASIC_EXECUTION.endswith(logged["MatchedStatements"][0]["SourcePolicyId"])
    refused = decision("s3:PutObject")
    assert (refused["EvalDecision"], refused["MatchedStatements"]) == ("implicitDeny", [])
    stop = policy_of({"Effect": "Deny", "Action": "s3:*", "Resource": "*"})
    iam.put_role_policy(RoleName="resizer", PolicyName="stop", PolicyDocument=stop)
    denied = decision("s3:GetObject")
    assert denied["EvalDecision"] == "explicitDeny"
    assert [each["SourcePolicyId"] for each in denied["MatchedStatements"]] == ["stop"]


def test_a_user_has_the_policies_of_the_groups(local_cloud, iam):
    ana = Person(local_cloud, "ana")
    arn = f"arn:aws:iam::{ACCOUNT}:user/ana"
    iam.create_group(GroupName="readers")
    iam.put_group_policy(GroupName="readers", PolicyName="p", PolicyDocument=policy_of(READ))
    group = iam.get_group(GroupName="readers")["Group"]["Arn"]
    asked = {"ActionNames": ["s3:GetObject"], "ResourceArns": [KEY]}

    def decision(source, **more):
        answer = iam.simulate_principal_policy(PolicySourceArn=source, **asked, **more)
        return answer["EvaluationResults"][0]["EvalDecision"]

    assert decision(arn) == "implicitDeny"
    assert decision(group) == "allowed"
    iam.add_user_to_group(GroupName="readers", UserName=ana.name)
    assert decision(arn) == "allowed"
    assert decision(arn, PolicyInputList=[policy_of({"Effect": "Deny", **READ})]) == "explicitDeny"
    assert decision(arn, PermissionsBoundaryPolicyInputList=[policy_of()]) == "implicitDeny"


def test_a_boundary_is_told_apart(iam):
    boundary = iam.create_policy(PolicyName="edge", PolicyDocument=policy_of(READ))["Policy"]["Arn"]
    iam.create_user(UserName="bounded", PermissionsBoundary=boundary)
    described = iam.get_user(UserName="bounded")["User"]["PermissionsBoundary"]
    assert described["PermissionsBoundaryArn"] == boundary
    everything = policy_of({"Action": "*", "Resource": "*"})
    iam.put_user_policy(UserName="bounded", PolicyName="p", PolicyDocument=everything)
    results = iam.simulate_principal_policy(
        PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/bounded",
        ActionNames=["s3:GetObject", "s3:PutObject"], ResourceArns=[KEY],
    )["EvaluationResults"]  # fmt: skip
    assert [
        (each["EvalDecision"],
         each["PermissionsBoundaryDecisionDetail"]["AllowedByPermissionsBoundary"])
        for each in results
    ] == [("allowed", True), ("implicitDeny", False)]  # fmt: skip
    iam.delete_user_permissions_boundary(UserName="bounded")
    assert "PermissionsBoundary" not in iam.get_user(UserName="bounded")["User"]


def custom(iam, *documents, **more):
    asked = {"ActionNames": ["s3:GetObject"], **more}
    return iam.simulate_custom_policy(PolicyInputList=list(documents), **asked)


def test_several_resources_have_one_result_and_the_strictest_decision(iam):
    document = policy_of(READ, {"Effect": "Deny", **READ, "Resource": f"{KEY}/secret"})
    resources = [KEY, f"{KEY}/secret", "arn:aws:s3:::other/a"]
    [result] = custom(iam, document, ResourceArns=resources)["EvaluationResults"]
    assert result["EvalDecision"] == "explicitDeny"
    assert {
        each["EvalResourceName"]: each["EvalResourceDecision"]
        for each in result["ResourceSpecificResults"]
    } == dict(zip(resources, ("allowed", "explicitDeny", "implicitDeny"), strict=True))
    assert len(result["MatchedStatements"]) == 1


def test_where_a_statement_stands(iam):
    document = json.dumps(json.loads(policy_of(READ)), indent=2)
    [result] = custom(iam, document, ResourceArns=[KEY])["EvaluationResults"]
    [statement] = result["MatchedStatements"]
    assert statement["SourcePolicyId"] == "PolicyInputList.1"
    lines = document.splitlines()
    start, end = statement["StartPosition"], statement["EndPosition"]
    assert lines[start["Line"] - 1][start["Column"] - 1] == "{"
    assert lines[end["Line"] - 1][end["Column"] - 2] == "}"
    assert (start["Line"], end["Line"]) == (4, 8)


def test_keys_that_are_missing(iam):
    conditional = {
        **READ,
        "Resource": "arn:aws:s3:::album/${aws:PrincipalTag/team}/*",
        "Condition": {"StringEquals": {"s3:ExistingObjectTag/level": "public"},
                      "Bool": {"aws:SecureTransport": "true"}},
    }  # fmt: skip
    document = policy_of(conditional)
    names = ["aws:PrincipalTag/team", "aws:SecureTransport", "s3:ExistingObjectTag/level"]
    assert iam.get_context_keys_for_custom_policy(PolicyInputList=[document])[
        "ContextKeyNames"
    ] == names  # fmt: skip
    [result] = custom(iam, document)["EvaluationResults"]
    assert (result["EvalDecision"], result["MissingContextValues"]) == ("implicitDeny", names)
    entries = [
        {"ContextKeyName": name.upper(), "ContextKeyValues": [value], "ContextKeyType": "string"}
        for name, value in zip(names, ("red", "true", "public"), strict=True)
    ]
    found = custom(
        iam, document, ContextEntries=entries, ResourceArns=["arn:aws:s3:::album/red/a"]
    )["EvaluationResults"][0]
    assert (found["EvalDecision"], found["MissingContextValues"]) == ("allowed", [])


def test_pages(iam):
    actions = [f"s3:Get{name}" for name in ("Object", "ObjectAcl", "ObjectTagging")]
    pages = iam.get_paginator("simulate_custom_policy").paginate(
        PolicyInputList=[policy_of(READ)], ActionNames=actions,
        PaginationConfig={"PageSize": 2},
    )  # fmt: skip
    sizes = [[each["EvalActionName"] for each in page["EvaluationResults"]] for page in pages]
    assert sizes == [actions[:2], actions[2:]]


@pytest.mark.parametrize(
    "changes",
    [
        {"PolicyInputList": ["{"]},
        {"ActionNames": ["GetObject"]},
        {"ActionNames": ["s3:*"]},
        {"ResourcePolicy": policy_of({**READ, "Principal": "*"})},
        {"CallerArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s"},
    ],
)
def test_invalid_input(iam, changes):
    asked = {"PolicyInputList": [policy_of(READ)], "ActionNames": ["s3:GetObject"], **changes}
    assert refusal(iam.simulate_custom_policy, **asked)[::2] == ("InvalidInput", 400)


def test_an_entity_that_is_not_there(iam):
    arn = f"arn:aws:iam::{ACCOUNT}:role/none"
    code, message, status = refusal(
        iam.simulate_principal_policy, PolicySourceArn=arn, ActionNames=["s3:GetObject"]
    )
    assert (code, status) == ("NoSuchEntity", 404)
    assert arn in message


def test_simulating_is_a_permission_of_its_own(local_cloud, iam):
    iam.create_role(RoleName="watched", AssumeRolePolicyDocument=TRUST)
    bob = Person(local_cloud, "bob")
    arn = f"arn:aws:iam::{ACCOUNT}:role/watched"
    message = refusal(
        bob.client("iam").simulate_principal_policy, PolicySourceArn=arn, ActionNames=["s3:Get"]
    )[1]
    assert f"iam:SimulatePrincipalPolicy on resource: {arn}" in message
