"""What API Gateway refuses of authorizers, models, policies and the access of methods, and moto takes.

Messages are AWS's where others have recorded them (the projects Terraform's AWS provider and LocalStack
quote them); those that are marked UNCONFIRMED are ours.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft4Validator, SchemaError
from moto.apigateway.exceptions import BadRequestException, ConflictException
from moto.apigateway.models import APIGatewayBackend, Authorizer, Method, RestAPI

from ..conditions import InvalidPolicy
from ..policy_documents import parse_policy
from .rest_access_resources import BUILT_IN_MODELS, DEFAULT_TTL_S, MODELS_URL

_WITH_AUTHORIZER = {
    "CUSTOM": ("TOKEN", "REQUEST"),
    "COGNITO_USER_POOLS": ("COGNITO_USER_POOLS",),
    "JWT": ("JWT",),
}
_AUTHORIZATION_TYPES = ("NONE", "AWS_IAM", *_WITH_AUTHORIZER)
_FUNCTION_URI = re.compile(
    r"arn:aws:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/arn:[^/]+/invocations"
)
_USER_POOL = re.compile(r"arn:aws:cognito-idp:[a-z0-9-]+:\d{12}:userpool/[\w-]+")
_HEADER = r"method\.request\.header\.[\w.$-]+"
_IDENTITY_SOURCE = re.compile(
    rf"{_HEADER}|method\.request\.querystring\.[\w.$-]+|(?:stageVariables|context)\.[\w.]+"
)
_PARAMETER = re.compile(
    r"method\.request\.(?:querystring|path|header|multivaluequerystring|multivalueheader)\.[\w.$-]+"
)
_ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512")
_STANDARD_CLAIMS = ("iss", "aud", "exp", "nbf", "iat", "scope", "scp")
_MAX_TTL_S = 3_600
_INVALID_POLICY = (
    "Invalid policy document. Please check the policy syntax and ensure that Principals are valid."
)
_INVALID_MODEL = (
    "Invalid model specified: Validation Result: warnings : [], errors : "
    "[Invalid model schema specified]"
)
_LOCAL_HOSTS = ("localhost", "127.0.0.1")


def install() -> None:
    """Check what is made in a REST API. May be called more than once."""
    if getattr(APIGatewayBackend, "checks_access", False):
        return
    APIGatewayBackend.checks_access = True
    _before(
        APIGatewayBackend, "create_rest_api", lambda self, given: _check_policy(given["policy"])
    )
    _before(APIGatewayBackend, "create_model", _check_model)
    _before(APIGatewayBackend, "create_deployment", _check_deployment)
    _before(APIGatewayBackend, "put_method", _check_new_method)
    _before(APIGatewayBackend, "delete_model", _check_model_is_free)
    _before(APIGatewayBackend, "delete_authorizer", _check_authorizer_is_free)
    _before(APIGatewayBackend, "delete_request_validator", _check_validator_is_known)
    _before(RestAPI, "apply_patch_operations", _check_patch)


def _before(owner: type, name: str, check: Callable[[Any, Mapping[str, Any]], None]) -> None:
    """Call `check(self, arguments)` before a method."""
    original = getattr(owner, name)
    signature = inspect.signature(original)

    @functools.wraps(original)
    def checked(*args: Any, **kwargs: Any) -> Any:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        check(args[0], given.arguments)
        return original(*args, **kwargs)

    setattr(owner, name, checked)


def _check_policy(policy: Any) -> None:
    try:
        if policy:
            parse_policy(policy)
    except InvalidPolicy as error:
        raise BadRequestException(_INVALID_POLICY) from error


def _check_patch(api: RestAPI, given: Mapping[str, Any]) -> None:
    for operation in given["patch_operations"]:
        if operation["path"] == "/policy":
            _check_policy(operation.get("value"))


def _check_deployment(backend: APIGatewayBackend, given: Mapping[str, Any]) -> None:
    api = backend.get_rest_api(given["function_id"])
    if "PRIVATE" in (api.endpoint_configuration or {}).get("types", ()) and not api.policy:
        raise BadRequestException("Private REST API doesn't have a resource policy attached to it")


def _check_model(backend: APIGatewayBackend, given: Mapping[str, Any]) -> None:
    api = backend.get_rest_api(given["rest_api_id"])
    name, schema = given["name"] or "", given["schema"]
    if not re.fullmatch("[A-Za-z0-9]+", name):
        raise BadRequestException(f"Model name must be alphanumeric: {name}")
    if name in api.models:
        raise ConflictException("Model name already exists for this REST API")
    if schema and "json" in (given["content_type"] or ""):
        known = {*api.models, *BUILT_IN_MODELS}
        addresses = {MODELS_URL.format(api=api.id, name=each) for each in known}
        try:
            content = json.loads(schema)
            Draft4Validator.check_schema(content)
        except (ValueError, SchemaError) as error:
            raise BadRequestException(_INVALID_MODEL) from error
        if not addresses.issuperset(_model_references(content)):
            raise BadRequestException(_INVALID_MODEL)


def _model_references(schema: Any) -> Iterator[str]:
    """The addresses of models that a schema refers to."""
    if isinstance(schema, list):
        for each in schema:
            yield from _model_references(each)
    elif isinstance(schema, dict):
        reference = schema.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            yield reference.partition("#")[0]
        for each in schema.values():
            yield from _model_references(each)


def _check_model_is_free(backend: APIGatewayBackend, given: Mapping[str, Any]) -> None:
    api, name = backend.get_rest_api(given["rest_api_id"]), given["model_name"]
    address = MODELS_URL.format(api=api.id, name=name)
    for model in api.models.values():
        if address in _model_references(json.loads(model.schema or "{}")):
            raise ConflictException(f"Cannot delete model, is referenced in model: {model.name}")
    for place, method in _methods(api):
        if name in (method.request_models or {}).values():
            raise ConflictException(f"Cannot delete model, is referenced in method: {place}")


def _methods(api: RestAPI) -> Iterator[tuple[str, Method]]:
    for resource in api.resources.values():
        for method in resource.resource_methods.values():
            yield f"{method.http_method}/{resource.get_path()}", method


def _check_authorizer_is_free(backend: APIGatewayBackend, given: Mapping[str, Any]) -> None:
    wanted = backend.get_authorizer(given["restapi_id"], given["authorizer_id"])
    for place, method in _methods(backend.get_rest_api(given["restapi_id"])):
        if method.authorizer_id == wanted.id:
            raise ConflictException(f"Cannot delete authorizer, is referenced in method: {place}")


def _check_validator_is_known(backend: APIGatewayBackend, given: Mapping[str, Any]) -> None:
    backend.get_request_validator(given["restapi_id"], given["validator_id"])


def _check_new_method(backend: APIGatewayBackend, given: Mapping[str, Any]) -> None:
    method = Method(
        given["method_type"],
        given["authorization_type"],
        authorizer_id=given["authorizer_id"],
        request_parameters=given["request_parameters"],
        request_models=given["request_models"],
        request_validator_id=given["request_validator_id"],
    )
    check_method(backend.get_rest_api(given["function_id"]), method)


def check_method(api: RestAPI, method: Method) -> None:
    """Raises BadRequestException for a method that asks for what the API hasn't got."""
    authorization = method.authorization_type or "NONE"
    if authorization not in _AUTHORIZATION_TYPES:
        raise BadRequestException(  # UNCONFIRMED
            f"Invalid authorization type specified: {authorization}. "
            f"Valid values are {', '.join(_AUTHORIZATION_TYPES)}"
        )
    if authorization in _WITH_AUTHORIZER:
        found = api.authorizers.get(method.authorizer_id)
        if found is None or found.type not in _WITH_AUTHORIZER[authorization]:
            raise BadRequestException(
                "Invalid authorizer ID specified. Setting the authorization type to CUSTOM or "
                "COGNITO_USER_POOLS requires a valid authorizer."
            )
    validator = method.request_validator_id
    if validator and validator not in api.request_validators:
        raise BadRequestException("Invalid Request Validator identifier specified")
    for name in (method.request_models or {}).values():
        if name not in api.models and name not in BUILT_IN_MODELS:
            raise BadRequestException(f"Invalid model identifier specified: {name}")
    for name in method.request_parameters or {}:
        if not _PARAMETER.fullmatch(name):
            raise BadRequestException(
                "Invalid mapping expression specified: Validation Result: warnings : [], errors : "
                f"[Invalid mapping expression parameter specified: {name}]"
            )


def check_authorizer(authorizer: Authorizer) -> None:
    """Raises BadRequestException for an authorizer that can't work (CreateAuthorizer in the API
    reference says what each type needs; most words are UNCONFIRMED).
    """
    if authorizer.type == "JWT":
        _check_jwt(authorizer)
        return
    ttl = authorizer.authorizer_result_ttl
    ttl = DEFAULT_TTL_S if ttl is None else int(ttl)
    if not 0 <= ttl <= _MAX_TTL_S:
        raise BadRequestException(
            "Authorizer result TTL outside allowable range. TTL must be between 0 and "
            f"{_MAX_TTL_S} seconds."
        )
    sources = [each.strip() for each in (authorizer.identity_source or "").split(",")]
    sources = [each for each in sources if each]
    if authorizer.type == "COGNITO_USER_POOLS":
        arns = authorizer.provider_arns or []
        if not arns or not all(_USER_POOL.fullmatch(arn) for arn in arns):
            raise BadRequestException(
                "Invalid ProviderARNs: a COGNITO_USER_POOLS authorizer needs ARNs such as "
                "arn:aws:cognito-idp:region:account:userpool/id"
            )
    else:
        uri = authorizer.authorizer_uri or ""
        if not _FUNCTION_URI.fullmatch(uri):
            raise BadRequestException(
                f"Invalid Authorizer URI: {uri}. Authorizer URI should be a valid API Gateway ARN "
                "that represents a Lambda function invocation."
            )
    if authorizer.type == "REQUEST":
        if not sources and ttl:
            raise BadRequestException(
                "Identity source must be set if authorizer caching is enabled (TTL is greater than 0)"
            )
        bad = [each for each in sources if not _IDENTITY_SOURCE.fullmatch(each)]
    else:
        bad = [each for each in sources if not re.fullmatch(_HEADER, each)]
        if len(sources) != 1:
            raise BadRequestException(
                f"Invalid identity source: a {authorizer.type} authorizer needs one, such as "
                "method.request.header.Authorization"
            )
    if bad:
        raise BadRequestException(f"Invalid identity source: {', '.join(bad)}")
    try:
        re.compile(authorizer.identity_validation_expression or "")
    except re.error as error:
        raise BadRequestException(f"Invalid identity validation expression: {error}") from error


def _check_jwt(authorizer: Authorizer) -> None:
    configuration = authorizer.jwt_configuration or {}
    issuers = configuration.get("issuers") or []
    addresses = [each.get("issuer", "") for each in issuers]
    algorithms = configuration.get("defaultAlgorithms") or []
    rules = [rule for each in issuers for rule in each.get("additionalClaims") or ()]
    problem = None
    if not re.fullmatch(_HEADER, authorizer.identity_source or ""):
        problem = "identitySource must be one header, such as method.request.header.Authorization"
    elif not issuers or len(set(addresses)) != len(addresses):
        problem = "jwtConfiguration needs issuers, each with another URL"
    elif not all(map(_is_issuer, addresses)):
        problem = "an issuer must be an absolute https URL without query or fragment"
    elif not all(each.get("audiences") and all(each["audiences"]) for each in issuers):
        problem = "each issuer needs audiences, none of them empty"
    elif not algorithms or set(algorithms) - set(_ALGORITHMS):
        problem = f"defaultAlgorithms must be some of {', '.join(_ALGORITHMS)}"
    elif any(rule.get("claimName") in (None, "", *_STANDARD_CLAIMS) for rule in rules):
        problem = f"additionalClaims need a claimName that is none of {', '.join(_STANDARD_CLAIMS)}"
    if problem:
        raise BadRequestException(f"Invalid JWT authorizer: {problem}")


def _is_issuer(address: str) -> bool:
    """AWS takes https alone; of this machine http will do, where no certificate is to be had."""
    parts = urlsplit(address)
    is_local = parts.scheme == "http" and parts.hostname in _LOCAL_HOSTS
    return bool(
        (parts.scheme == "https" or is_local)
        and parts.hostname
        and not (parts.query or parts.fragment or parts.username)
    )
