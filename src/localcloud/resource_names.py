"""How services name their resources in ARNs, as tables.

From "Actions, resources, and condition keys for AWS services" (service authorization reference).
"""

# Where IAM's prefix is not the name that a request is signed for.
ACTION_PREFIXES = {"monitoring": "cloudwatch", "email": "ses"}

# Where IAM's action is not the operation's name.
ACTION_NAMES = {
    ("lambda", "Invoke"): "InvokeFunction",
    ("lambda", "InvokeAsync"): "InvokeFunction",
    ("lambda", "InvokeWithResponseStream"): "InvokeFunction",
    ("lambda", "GetLayerVersionByArn"): "GetLayerVersion",
    **{("budgets", f"{verb}Budget"): "ModifyBudget" for verb in ("Create", "Update", "Delete")},
    ("budgets", "DescribeBudget"): "ViewBudget",
    ("budgets", "DescribeBudgets"): "ViewBudget",
    ("sqs", "SendMessageBatch"): "SendMessage",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
    ("sqs", "ChangeMessageVisibilityBatch"): "ChangeMessageVisibility",
    ("sns", "PublishBatch"): "Publish",
    ("bedrock", "Converse"): "InvokeModel",
    ("bedrock", "ConverseStream"): "InvokeModelWithResponseStream",
    ("bedrock", "InvokeModelWithBidirectionalStream"): "InvokeModelWithResponseStream",
}

_FUNCTION = "arn:aws:lambda:{region}:{account}:function:{FunctionName}"
_LAYER = "arn:aws:lambda:{region}:{account}:layer:{LayerName}"
_LOGS = "arn:aws:logs:{region}:{account}:log-group:"
_SQS = "arn:aws:sqs:{region}:{account}:"
_TABLE = "arn:aws:dynamodb:{region}:{account}:table/{TableName}"
_EVENTS = "arn:aws:events:{region}:{account}:"
_IAM = "arn:aws:iam::{account}:"
_BEDROCK = "arn:aws:bedrock:{region}:{account}:"
_VECTORS = "arn:aws:s3vectors:{region}:{account}:bucket/{vectorBucketName}"

# A service's templates in the order of trying: the parameters that must be there, and the ARN. The
# first parameter may be a list or an object's keys, which gives an ARN for each.
RESOURCES = {
    "lambda": (
        (("FunctionName", "Qualifier"), _FUNCTION + ":{Qualifier}"),
        (("FunctionName",), _FUNCTION),
        (("LayerName", "VersionNumber"), _LAYER + ":{VersionNumber}"),
        (("LayerName",), _LAYER),
        (("UUID",), "arn:aws:lambda:{region}:{account}:event-source-mapping:{UUID}"),
        (("Resource",), "{Resource}"),
        (("ResourceArn",), "{ResourceArn}"),
    ),
    # A log group as such is written with an empty stream, so that `log-group:NAME:*` covers it.
    "logs": (
        (("logStreamName", "logGroupName"), _LOGS + "{logGroupName}:log-stream:{logStreamName}"),
        (("logGroupName",), _LOGS + "{logGroupName}:log-stream:"),
        (("logGroupIdentifier",), _LOGS + "{logGroupIdentifier}:log-stream:"),
        (("logGroupNames",), _LOGS + "{logGroupNames}:log-stream:"),
        (("resourceArn",), "{resourceArn}"),
        ((), _LOGS + ":log-stream:"),
    ),
    "sqs": ((("QueueUrl",), _SQS + "{QueueUrl}"), (("QueueName",), _SQS + "{QueueName}")),
    "sns": (
        (("TopicArn",), "{TopicArn}"),
        (("TargetArn",), "{TargetArn}"),
        (("ResourceArn",), "{ResourceArn}"),
        (("Name",), "arn:aws:sns:{region}:{account}:{Name}"),
    ),
    "dynamodb": (
        (("TableName", "IndexName"), _TABLE + "/index/{IndexName}"),
        (("TableName",), _TABLE),
        (("RequestItems",), _TABLE.replace("TableName", "RequestItems")),
        (("ResourceArn",), "{ResourceArn}"),
    ),
    "events": (
        (("Rule", "EventBusName"), _EVENTS + "rule/{EventBusName}/{Rule}"),
        (("Rule",), _EVENTS + "rule/{Rule}"),
        (("Entries",), _EVENTS + "event-bus/{Entries}"),
        (("Name", "EventBusName"), _EVENTS + "rule/{EventBusName}/{Name}"),
        (("Name",), _EVENTS + "rule/{Name}"),
    ),
    "states": (
        (("stateMachineArn",), "{stateMachineArn}"),
        (("executionArn",), "{executionArn}"),
        (("name",), "arn:aws:states:{region}:{account}:stateMachine:{name}"),
    ),
    "ssm": (
        (("Name",), "arn:aws:ssm:{region}:{account}:parameter/{Name}"),
        (("Names",), "arn:aws:ssm:{region}:{account}:parameter/{Names}"),
        (("Path",), "arn:aws:ssm:{region}:{account}:parameter/{Path}"),
    ),
    "secretsmanager": (
        (("SecretId",), "arn:aws:secretsmanager:{region}:{account}:secret:{SecretId}"),
        (("Name",), "arn:aws:secretsmanager:{region}:{account}:secret:{Name}"),
    ),
    "kms": ((("KeyId",), "arn:aws:kms:{region}:{account}:key/{KeyId}"),),
    "sts": ((("RoleArn",), "{RoleArn}"),),
    "iam": (
        (("RoleName",), _IAM + "role/{RoleName}"),
        (("UserName",), _IAM + "user/{UserName}"),
        (("GroupName",), _IAM + "group/{GroupName}"),
        (("PolicySourceArn",), "{PolicySourceArn}"),
        (("PolicyArn",), "{PolicyArn}"),
        (("PolicyName",), _IAM + "policy/{PolicyName}"),
        (("InstanceProfileName",), _IAM + "instance-profile/{InstanceProfileName}"),
    ),
    "cloudformation": (
        (("StackName",), "arn:aws:cloudformation:{region}:{account}:stack/{StackName}/*"),
    ),
    "s3vectors": (
        (("indexArn",), "{indexArn}"),
        (("vectorBucketName", "indexName"), _VECTORS + "/index/{indexName}"),
        (("vectorBucketArn", "indexName"), "{vectorBucketArn}/index/{indexName}"),
        (("vectorBucketArn",), "{vectorBucketArn}"),
        (("vectorBucketName",), _VECTORS),
        (("resourceArn",), "{resourceArn}"),
    ),
    "bedrock": (
        (("agentAliasId", "agentId"), _BEDROCK + "agent-alias/{agentId}/{agentAliasId}"),
        (("agentId",), _BEDROCK + "agent/{agentId}"),
        (("knowledgeBaseId",), _BEDROCK + "knowledge-base/{knowledgeBaseId}"),
        (("guardrailIdentifier",), _BEDROCK + "guardrail/{guardrailIdentifier}"),
        (("modelIdentifier",), "arn:aws:bedrock:{region}::foundation-model/{modelIdentifier}"),
        (("resourceArn",), "{resourceArn}"),
        (("resourceARN",), "{resourceARN}"),
    ),
}


def parameter_value(service: str, name: str, value: object) -> str:
    """A parameter as it stands in an ARN: a queue's URL gives its name, and so on."""
    if name == "QueueUrl":
        return str(value).rpartition("/")[2]
    if name == "FunctionName":  # a name, an ARN or `account:function:name`, perhaps qualified
        return str(value).rpartition(":function:")[2] or str(value)
    if name == "Entries":  # the events of PutEvents
        return str(value.get("EventBusName") or "default") if isinstance(value, dict) else ""
    if service == "ssm":  # the parameter /a/b is parameter/a/b
        return str(value).removeprefix("/")
    return str(value)
