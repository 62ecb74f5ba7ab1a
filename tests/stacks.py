"""Stacks in tests: made, waited for and looked at by boto3 alone."""

import json
from urllib.parse import parse_qs, urlsplit

from botocore.exceptions import ClientError

from deployment import wait_for

IN_PROGRESS = "_IN_PROGRESS"


def described(cfn, name):
    return cfn.describe_stacks(StackName=name)["Stacks"][0]


def ended(cfn, name):
    """The stack once nothing is in progress; a deleted one is asked for by its id."""

    def over():
        stack = described(cfn, name)
        return None if stack["StackStatus"].endswith(IN_PROGRESS) else stack

    return wait_for(over)


def create(cfn, name, template, **options):
    made = cfn.create_stack(StackName=name, TemplateBody=json.dumps(template), **options)
    return ended(cfn, made["StackId"])


def update(cfn, name, template, **options):
    cfn.update_stack(StackName=name, TemplateBody=json.dumps(template), **options)
    return ended(cfn, name)


def delete(cfn, name):
    stack_id = described(cfn, name)["StackId"]
    cfn.delete_stack(StackName=name)
    return ended(cfn, stack_id)


def quick_create(cfn, link, **values):
    """Make the stack of a quick-create link as the console does, which can't give it tags.

    `values` are the parameters that are typed in.
    """
    query = urlsplit(link).fragment.partition("?")[2]
    fields = {name: found[0] for name, found in parse_qs(query).items()}
    filled = {
        name.removeprefix("param_"): value
        for name, value in fields.items()
        if name.startswith("param_")
    }
    made = cfn.create_stack(
        StackName=fields["stackName"],
        TemplateURL=fields["templateURL"],
        Parameters=parameters(filled | values),
        Capabilities=["CAPABILITY_IAM"],
    )
    return ended(cfn, made["StackId"])


def parameters(values):
    return [{"ParameterKey": name, "ParameterValue": str(v)} for name, v in values.items()]


def outputs(stack):
    return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}


def events(cfn, name):
    """What happened, oldest first: logical id, status, reason."""
    found = cfn.describe_stack_events(StackName=name)["StackEvents"]
    return [
        (e["LogicalResourceId"], e["ResourceStatus"], e.get("ResourceStatusReason", ""))
        for e in reversed(found)
    ]


def reason(cfn, name, logical_id, status):
    """The last reason that an event of this resource with this status gives."""
    return [r for i, s, r in events(cfn, name) if (i, s) == (logical_id, status)][-1]


def gone(cfn, name):
    try:
        described(cfn, name)
    except ClientError as error:
        return "does not exist" in str(error)
    return False


def function_parts(role, source, **permission):
    """A template's `Function`, and the `Permission` for API Gateway to call it."""
    return {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Role": role,
                "Runtime": "python3.12",
                "Handler": "index.handler",
                "Code": {"ZipFile": source},
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
                **permission,
            },
        },
    }


def left(cloud):
    """All that a stack can leave behind, in words; `cloud` gives clients."""
    groups = cloud("logs").describe_log_groups()["logGroups"]
    policies = cloud("iam").list_policies(Scope="Local")["Policies"]
    account = cloud("sts").get_caller_identity()["Account"]
    budgets = cloud("budgets").describe_budgets(AccountId=account)["Budgets"]
    return [
        *[f"bucket {b['Name']}" for b in cloud("s3").list_buckets()["Buckets"]],
        *[f"function {f['FunctionName']}" for f in cloud("lambda").list_functions()["Functions"]],
        *[f"layer {each['LayerName']}" for each in cloud("lambda").list_layers()["Layers"]],
        *[f"log group {g['logGroupName']}" for g in groups],
        *[f"role {r['RoleName']}" for r in cloud("iam").list_roles()["Roles"]],
        *[f"policy {each['PolicyName']}" for each in policies],
        *[f"API {a['Name']}" for a in cloud("apigatewayv2").get_apis()["Items"]],
        *[f"queue {url}" for url in cloud("sqs").list_queues().get("QueueUrls", [])],
        *[f"budget {each['BudgetName']}" for each in budgets],
    ]
