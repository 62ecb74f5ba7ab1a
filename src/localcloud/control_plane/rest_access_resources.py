"""moto's authorizers, validators, models, policies and method settings, described for the gateways."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.apigateway.models import Authorizer, Method, RestAPI, Stage

from ..conditions import as_list
from ..gateways.descriptions import Throttle
from ..gateways.rest_access_descriptions import (
    ClaimRule,
    RequestValidation,
    RestAuthorizer,
    TrustedIssuer,
)

DEFAULT_TTL_S = 300
# "Data models for REST APIs": every API has these two from the beginning.
_DRAFT_4 = "http://json-schema.org/draft-04/schema#"
BUILT_IN_MODELS = {
    "Empty": {"$schema": _DRAFT_4, "title": "Empty Schema", "type": "object"},
    "Error": {
        "$schema": _DRAFT_4,
        "title": "Error Schema",
        "type": "object",
        "properties": {"message": {"type": "string"}},
    },
}
MODELS_URL = "https://apigateway.amazonaws.com/restapis/{api}/models/{name}"


def authorizer(api: RestAPI, method: Method) -> RestAuthorizer | None:
    """The authorizer of a method; None for a method without one, and where it is gone."""
    found = api.authorizers.get(method.authorizer_id)
    return described(found) if found else None


def described(found: Authorizer) -> RestAuthorizer:
    """An authorizer as the gateways know it."""
    jwt = getattr(found, "jwt_configuration", None) or {}
    sources = (found.identity_source or "").split(",")
    ttl = found.authorizer_result_ttl
    return RestAuthorizer(
        found.id,
        found.type,
        tuple(source.strip() for source in sources if source.strip()),
        found.authorizer_uri or "",
        found.authorizer_credentials,
        found.identity_validation_expression or None,
        DEFAULT_TTL_S if ttl is None else int(ttl),
        _user_pools(found.provider_arns or ()) or _issuers(jwt),
        tuple(jwt.get("defaultAlgorithms") or ()),
    )


def _user_pools(arns) -> tuple[TrustedIssuer, ...]:
    found = []
    for arn in arns:
        _, _, _, region, _, name = arn.split(":", 5)
        issuer = f"https://cognito-idp.{region}.amazonaws.com/{name.partition('/')[2]}"
        found.append(TrustedIssuer(issuer, ()))
    return tuple(found)


def _issuers(jwt: Mapping[str, Any]) -> tuple[TrustedIssuer, ...]:
    return tuple(
        TrustedIssuer(
            each["issuer"],
            tuple(each.get("audiences") or ()),
            tuple(
                ClaimRule(
                    rule["claimName"],
                    bool(rule.get("required")),
                    next(iter(rule.get("expectedValues") or ()), None),
                )
                for rule in each.get("additionalClaims") or ()
            ),
        )
        for each in jwt.get("issuers") or ()
    )


def validation(api: RestAPI, method: Method) -> RequestValidation:
    """What a method's validator asks for; nothing without one."""
    validator = api.request_validators.get(method.request_validator_id)
    if validator is None:
        return RequestValidation()
    parameters: tuple[str, ...] = ()
    if validator.validate_request_parameters:
        given = method.request_parameters or {}
        parameters = tuple(sorted(name for name in given if str(given[name]).lower() == "true"))
    models: dict[str, str] = {}
    if validator.validate_request_body:
        for content_type, name in (method.request_models or {}).items():
            models[content_type] = json.dumps(_schema(api, name))
    return RequestValidation(parameters, models)


def _schema(api: RestAPI, name: str) -> dict[str, Any]:
    """A model's schema with those of all models beside it, which it may refer to by their addresses."""
    found = dict(BUILT_IN_MODELS)
    for model in api.models.values():
        found[model.name] = json.loads(model.schema or "{}")
    definitions = {
        each: {**schema, "id": MODELS_URL.format(api=api.id, name=each)}
        for each, schema in found.items()
    }
    reference = MODELS_URL.format(api=api.id, name=name)
    return {"$schema": _DRAFT_4, "definitions": definitions, "$ref": reference}


def policy(api: RestAPI) -> str | None:
    """An API's resource policy, its resources in full: execute-api:/stage/GET/pets is short for an ARN
    ("API Gateway resource policy examples").
    """
    if not api.policy:
        return None
    document = api.policy if isinstance(api.policy, dict) else json.loads(api.policy)
    arn = f"arn:aws:execute-api:{api.region_name}:{api.account_id}:{api.id}/"
    statements = [dict(each) for each in as_list(document.get("Statement", []))]
    for statement in statements:
        for name in ("Resource", "NotResource"):
            if name in statement:
                statement[name] = [
                    arn + each.removeprefix("execute-api:/")
                    if each.startswith("execute-api:/")
                    else each
                    for each in as_list(statement[name])
                ]
    return json.dumps({**document, "Statement": statements})


def throttles(stage: Stage) -> dict[str, Throttle]:
    """What a stage's method settings say, by method such as `GET /pets`; the default by *.

    Their keys are such as ~1pets/GET and */*. A limit below 0 is none.
    """
    found = {}
    for key, settings in list(stage.method_settings.items()):
        path, _, method = key.rpartition("/")
        path = path.replace("~1", "/").replace("~0", "~")
        name = "*" if key == "*/*" else f"{method} /{path.strip('/')}"
        rate = float(settings.get("throttlingRateLimit", -1))
        burst = int(settings.get("throttlingBurstLimit", -1))
        found[name] = Throttle(None if rate < 0 else rate, None if burst < 0 else burst)
    return found


def authorizers_epoch(stage: Stage) -> int:
    """How often the stage's kept answers of authorizers have been flushed."""
    return getattr(stage, "authorizers_epoch", 0)
