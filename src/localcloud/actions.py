"""From an HTTP request to what IAM calls it: actions and the resources they are done on.

Names: "Actions, resources, and condition keys for AWS services" (service authorization reference).
"""

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from botocore.exceptions import UnknownServiceError

from .form_uploads import form_fields
from .request_keys import condition_keys
from .resource_names import ACTION_NAMES, ACTION_PREFIXES, RESOURCES, parameter_value
from .s3_actions import s3_needs
from .service_models import service_model


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """An HTTP request as it was sent; header names are lower-case.

    `path` and `query` are as they were sent, percent-encoded. `body` may be empty for an S3 object.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(hash=False)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a SigV4 signature says: whose key, and for which service and region."""

    access_key_id: str
    region: str
    service: str


@dataclass(frozen=True, slots=True)
class Need:
    """One permission that a request needs, with the condition keys only this service knows."""

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict, compare=False)


_CREDENTIAL = re.compile(r"([^/\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")


def credential_scope(request: ApiRequest) -> Scope | None:
    """Read the signature in the Authorization header, a presigned URL or an upload's form; None
    without one.
    """
    _, _, text = request.headers.get("authorization", "").partition("Credential=")
    if not text and "X-Amz-Credential" in request.query:
        text = dict(parse_qsl(request.query)).get("X-Amz-Credential", "")
    elif not text and "AWSAccessKeyId" in request.query:
        # boto3 still presigns for S3 in the old way, which names no region; S3's ARNs have none.
        key = dict(parse_qsl(request.query)).get("AWSAccessKeyId", "")
        return Scope(key, "us-east-1", "s3")
    elif not text and request.method == "POST":
        fields = form_fields(request.headers, request.body)
        text = fields.get("x-amz-credential", "")
        if not text and "awsaccesskeyid" in fields:
            return Scope(fields["awsaccesskeyid"], "us-east-1", "s3")
    return _read_scope(text)


@functools.lru_cache(maxsize=256)  # several ask about each request
def _read_scope(text: str) -> Scope | None:
    found = _CREDENTIAL.match(text)
    if not found:
        return None
    key, region, service = found.groups()
    return Scope(key, region, service.lower())


def needs(request: ApiRequest, scope: Scope, account_id: str) -> list[Need]:
    """The permissions that a request needs, all of them.

    An action with no resource of its own, or with one that isn't known here, is on "*".
    """
    if scope.service == "s3":
        return [Need(*each) for each in s3_needs(request)]
    if scope.service == "apigateway":
        # API Gateway's actions are HTTP methods on its REST resources.
        resource = f"arn:aws:apigateway:{scope.region}::{unquote(request.path)}"
        return [Need(f"apigateway:{request.method}", resource)]
    if scope.service == "execute-api":
        return [_execute_api(request, scope, account_id)]
    name, parameters = operation(request, scope.service)
    prefix = ACTION_PREFIXES.get(scope.service, scope.service)
    action = f"{prefix}:{ACTION_NAMES.get((scope.service, name), name)}"
    place = {"region": scope.region, "account": account_id}
    context = condition_keys(scope.service, name, parameters, place)
    found = [
        Need(action, resource, context)
        for resource in _resources(scope.service, name, parameters, place)
    ]
    if scope.service == "s3vectors" and _reads_vectors(name, parameters):
        found += [Need("s3vectors:GetVectors", need.resource, context) for need in found]
    if scope.service == "bedrock" and name.startswith("RetrieveAndGenerate"):
        found += _answering(parameters, place)
    return found + _passed_roles(scope.service, name, parameters)


def _reads_vectors(operation: str, parameters: dict) -> bool:
    """Whether a query or a list shows what vectors hold, which needs GetVectors besides (S3 API
    reference, QueryVectors and ListVectors, "Permissions").
    """
    asked = {
        "QueryVectors": ("filter", "returnMetadata"),
        "ListVectors": ("returnData", "returnMetadata"),
    }
    return any(parameters.get(name) for name in asked.get(operation, ()))


# -- the operation and its parameters -------------------------------------------------------------


def operation(request: ApiRequest, service: str) -> tuple[str, dict]:
    """The operation that a request names, and its parameters; Unknown where no model has its address.

    `service` is the name it is signed with. Of S3's, a bucket in the host's name is not read, and a
    part's upload is PutObject.
    """
    target = request.headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2], _json(request.body)
    if "smithy-protocol" in request.headers:
        return request.path.rpartition("/")[2], {}
    query = dict(parse_qsl(request.query)) if request.query else {}
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        query |= parse_qsl(request.body.decode("utf-8", "replace"))
    if "Action" in query:
        if service == "sqs" and request.path != "/":  # a queue's own address
            query.setdefault("QueueUrl", request.path)
        return query["Action"], query
    name, has_payload, labels = _rest_operation(
        service, request.method, request.path, request.query
    )
    if "x-amz-copy-source" not in request.headers:
        name = _COPIES.get(name, name)
    # A payload, such as a function's event, holds the caller's own names.
    body = {} if has_payload else _json(request.body)
    return name, {**body, **query, **labels}


@functools.lru_cache(maxsize=1024)
def _rest_operation(service: str, method: str, path: str, query: str) -> tuple[str, bool, dict]:
    """The operation at an address, whether its body is a payload, and what the path names."""
    asked = dict(parse_qsl(query, keep_blank_values=True)).items()
    found = [
        (operation, labels)
        for operation in _rest_operations(service)
        if operation.method == method
        and operation.query.items() <= asked
        and (labels := operation.pattern.fullmatch(path.rstrip("/")))
    ]
    if not found:
        return "Unknown", True, {}
    # A slash at the end is all that tells PrepareAgent from InvokeInlineAgent.
    operation, labels = min(found, key=lambda each: each[0].ends_with_slash != path.endswith("/"))
    named = {key: unquote(value) for key, value in labels.groupdict().items()}
    return operation.name, operation.has_payload, named


def _json(body: bytes) -> dict:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class _RestOperation:
    name: str
    method: str
    pattern: re.Pattern
    ends_with_slash: bool
    query: Mapping[str, str]
    has_payload: bool


# What a header alone tells from another operation at the same address.
_COPIES = {"CopyObject": "PutObject"}
# What signs with one name but is described by several models.
_MODELS = {
    "bedrock": ("bedrock-runtime", "bedrock-agent-runtime", "bedrock-agent", "bedrock"),
    "apigateway": ("apigateway", "apigatewayv2"),
    "execute-api": ("apigatewaymanagementapi",),
}


@functools.cache
def _rest_operations(service: str) -> list[_RestOperation]:
    """The operations of a REST service, the most particular addresses first."""
    found = []
    for model_name in _MODELS.get(service, (service,)):
        try:
            model = service_model(model_name)
        except UnknownServiceError:
            continue
        for name in model.operation_names:
            operation = model.operation_model(name)
            path, _, query = operation.http["requestUri"].partition("?")
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path.rstrip("/")))
            pattern = re.sub(r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)", pattern)
            shape = operation.input_shape
            payload = bool(shape and shape.serialization.get("payload"))
            asked = dict(parse_qsl(query, keep_blank_values=True))
            found.append(
                _RestOperation(
                    name, operation.http["method"], re.compile(pattern), path.endswith("/"),
                    asked, payload,
                )
            )  # fmt: skip
    literal = re.compile(r"\(\?P<\w+>[^)]*\)")
    return sorted(
        found, key=lambda each: (-len(literal.sub("", each.pattern.pattern)), -len(each.query))
    )


# -- its resources --------------------------------------------------------------------------------


def _resources(service: str, operation: str, parameters: dict, place: dict) -> list[str]:
    """The ARNs that an operation is on; ["*"] where none of the templates can be filled."""
    if service == "bedrock" and "modelId" in parameters:
        return _models(parameters["modelId"], place)
    for names, template in RESOURCES.get(service, ()):
        if not all(parameters.get(name) for name in names):
            continue
        first, *rest = names or ("",)
        values = parameters.get(first, "")
        known = {name: parameter_value(service, name, parameters[name]) for name in rest}
        found = (
            _filled(template, {**place, **known, first: parameter_value(service, first, value)})
            for value in (values if isinstance(values, list | dict) else [values])
        )
        return list(dict.fromkeys(found))
    return ["*"]


def _filled(template: str, values: dict) -> str:
    # Most parameters take an ARN in place of a name. What follows the name still follows the ARN.
    for name, value in values.items():
        if value.startswith("arn:"):
            return value + template.partition(f"{{{name}}}")[2].format(**values)
    return template.format(**values)


def _models(model: str, place: dict) -> list[str]:
    if model.startswith("arn:"):
        return [model]
    region, account = place["region"], place["account"]
    profile = re.match(r"(?:us|eu|apac|au|ca|jp|us-gov|global)\.(.+)", model)
    if not profile:
        return [f"arn:aws:bedrock:{region}::foundation-model/{model}"]
    # Through an inference profile the caller needs the profile and the model behind it.
    return [
        f"arn:aws:bedrock:{region}:{account}:inference-profile/{model}",
        f"arn:aws:bedrock:{region}::foundation-model/{profile[1]}",
    ]


def _answering(parameters: dict, place: dict) -> list[Need]:
    """What RetrieveAndGenerate needs besides itself: to search the knowledge base and to invoke the
    model (Bedrock User Guide, "Set up permissions for a user or role to create and manage knowledge bases").
    """
    settings = parameters.get("retrieveAndGenerateConfiguration", {})
    settings = settings.get("knowledgeBaseConfiguration", {})
    base = "arn:aws:bedrock:{region}:{account}:knowledge-base/{id}"
    found = [Need("bedrock:Retrieve", base.format(id=settings.get("knowledgeBaseId"), **place))]
    for model in _models(settings.get("modelArn", ""), place):
        found.append(Need("bedrock:InvokeModel", model))
    return found


def _execute_api(request: ApiRequest, scope: Scope, account_id: str) -> Need:
    action = "ManageConnections" if "/@connections/" in request.path else "Invoke"
    api, _, rest = request.headers.get("host", "").partition(".execute-api.")
    if not rest:
        return Need(f"execute-api:{action}", "*")
    stage, _, path = unquote(request.path).lstrip("/").partition("/")
    arn = f"arn:aws:execute-api:{scope.region}:{account_id}:{api}"
    return Need(f"execute-api:{action}", f"{arn}/{stage}/{request.method}/{path}")


# -- roles that are passed on ---------------------------------------------------------------------

# Operations that hand a role to a service: the parameter, and the service that will assume it.
_PASSED_ROLES = {
    ("bedrock", "CreateKnowledgeBase"): ("roleArn", "bedrock.amazonaws.com"),
    ("bedrock", "UpdateKnowledgeBase"): ("roleArn", "bedrock.amazonaws.com"),
    ("bedrock", "CreateAgent"): ("agentResourceRoleArn", "bedrock.amazonaws.com"),
    ("bedrock", "UpdateAgent"): ("agentResourceRoleArn", "bedrock.amazonaws.com"),
    ("lambda", "CreateFunction"): ("Role", "lambda.amazonaws.com"),
    ("lambda", "UpdateFunctionConfiguration"): ("Role", "lambda.amazonaws.com"),
    ("states", "CreateStateMachine"): ("roleArn", "states.amazonaws.com"),
    ("states", "UpdateStateMachine"): ("roleArn", "states.amazonaws.com"),
    ("cloudformation", "CreateStack"): ("RoleARN", "cloudformation.amazonaws.com"),
    ("cloudformation", "UpdateStack"): ("RoleARN", "cloudformation.amazonaws.com"),
    ("cloudformation", "CreateChangeSet"): ("RoleARN", "cloudformation.amazonaws.com"),
}


def _passed_roles(service: str, operation: str, parameters: dict) -> list[Need]:
    name, assumed_by = _PASSED_ROLES.get((service, operation), ("", ""))
    role = parameters.get(name)
    return [Need("iam:PassRole", role, {"iam:PassedToService": assumed_by})] if role else []
