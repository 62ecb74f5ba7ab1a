"""OpenAPI 2 and 3 definitions of REST APIs: what ImportRestApi, PutRestApi and a template's Body make.

"Develop REST APIs using OpenAPI in API Gateway" and the pages of its x-amazon-apigateway-… extensions.
Everything is made by API Gateway's own operations, which refuse what they refuse of anybody.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError
from moto.apigateway.exceptions import BadRequestException
from moto.apigateway.models import APIGatewayBackend, RestAPI

from . import service_calls
from .rest_access_resources import BUILT_IN_MODELS, MODELS_URL

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")
_X = "x-amazon-apigateway-"
_ANY = _X + "any-method"
_KEPT = ("resources", "models", "authorizers", "request_validators", "gateway_responses")
_PLACES = {"query": "querystring", "path": "path", "header": "header"}
_JSON = "application/json"


def install() -> None:
    """Let moto's API Gateway read definitions so. May be called more than once."""
    APIGatewayBackend.import_rest_api = _import_rest_api
    APIGatewayBackend.put_rest_api = _put_rest_api


def _import_rest_api(self: APIGatewayBackend, api_doc, fail_on_warnings=False) -> RestAPI:
    _check(api_doc)
    api = self.create_rest_api(name=_title(api_doc, ""), description="")
    try:
        apply(self, api, api_doc)
    except Exception:
        self.delete_rest_api(api.id)
        raise
    return api


def _put_rest_api(
    self: APIGatewayBackend, function_id, api_doc, fail_on_warnings=False, mode="merge"
) -> RestAPI:
    if mode not in ("merge", "overwrite"):
        raise BadRequestException(
            'Enumeration value of OpenAPI import mode must be "overwrite" or "merge"'
        )
    api = self.get_rest_api(function_id)
    apply(self, api, api_doc, overwrite=mode == "overwrite")
    return api


def _check(document: Any) -> None:
    version = ""
    if isinstance(document, Mapping):
        version = str(document.get("openapi") or document.get("swagger") or "")
    if version not in ("2.0", "2") and not version.startswith("3.0"):
        raise BadRequestException(
            f"Unsupported definition: version {version or 'unknown'}. REST APIs take OpenAPI 2.0 and 3.0"
        )


def _title(document: Mapping[str, Any], otherwise: str) -> str:
    return (document.get("info") or {}).get("title") or otherwise


def apply(
    backend: APIGatewayBackend,
    api: RestAPI,
    document: Mapping[str, Any],
    overwrite: bool = False,
) -> None:
    """Give an API what a definition says: beside what it has, or instead of it.

    Raises BadRequestException; the API is then as it was.
    """
    _check(document)
    before = {name: dict(getattr(api, name)) for name in _KEPT}
    methods = {each.id: dict(each.resource_methods) for each in api.resources.values()}
    settings = copy.copy(vars(api))
    try:
        if overwrite:
            for name in _KEPT:
                getattr(api, name).clear()
            root = before["resources"][api.root_resource_id]
            root.resource_methods.clear()
            api.resources[root.id] = root
        _Import(backend, api, document).run()
    except Exception as error:
        vars(api).clear()
        vars(api).update(settings)
        for name, kept in before.items():
            getattr(api, name).clear()
            getattr(api, name).update(kept)
        for id, kept in methods.items():
            api.resources[id].resource_methods.clear()
            api.resources[id].resource_methods.update(kept)
        if isinstance(error, ClientError | ParamValidationError):
            raise BadRequestException(_words(error)) from error
        if isinstance(error, AttributeError | KeyError | TypeError | ValueError):
            # Something else stands where OpenAPI has an object or a text.
            raise BadRequestException(f"The definition is not OpenAPI: {error}") from error
        raise


def _words(error: Exception) -> str:
    return error.response["Error"]["Message"] if isinstance(error, ClientError) else str(error)


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Say of a refusal which part of the definition it is about; the words are UNCONFIRMED."""
    try:
        yield
    except (ClientError, ParamValidationError) as error:
        message = f"Errors found during import:\n\t{what}: {_words(error)}"
        raise BadRequestException(message) from error


class _Import:
    """One definition on its way into one API."""

    def __init__(self, backend: APIGatewayBackend, api: RestAPI, document: Mapping[str, Any]):
        self.api, self.document = api, document
        self.client = service_calls.client("apigateway", backend.region_name)
        components = document.get("components") or {}
        self.schemes = components.get("securitySchemes") or document.get("securityDefinitions")
        self.schemes = self.schemes or {}
        self.schemas = components.get("schemas") or document.get("definitions") or {}
        self.authorizers: dict[str, tuple[str, str]] = {}
        self.validators: dict[str, str] = {}

    def run(self) -> None:
        self._settings()
        for name, schema in self.schemas.items():
            self._model(name, schema)
        for name, scheme in self.schemes.items():
            if _X + "authorizer" in scheme:
                self._authorizer(name, scheme)
        for name, given in (self.document.get(_X + "request-validators") or {}).items():
            self.validators[name] = self._named(
                self.api.request_validators, "create_request_validator", name, given
            )
        for kind, given in (self.document.get(_X + "gateway-responses") or {}).items():
            self._call("put_gateway_response", responseType=kind, **given)
        for path, item in (self.document.get("paths") or {}).items():
            resource = self._resource(path)
            for name, operation in (item or {}).items():
                if name in (*_METHODS, _ANY):
                    method = "ANY" if name == _ANY else name.upper()
                    place = {"resourceId": resource, "httpMethod": method}
                    self._method(path, place, operation or {}, item.get("parameters") or [])

    def _call(self, operation: str, **given: Any) -> dict[str, Any]:
        """An operation on the API, with what a definition may have written as another type."""
        return service_calls.call(self.client, operation, {"restApiId": self.api.id, **given})

    def _settings(self) -> None:
        api, document = self.api, self.document
        info = document.get("info") or {}
        api.name = _title(document, api.name)
        api.description = info.get("description", api.description)
        api.version = str(info["version"]) if "version" in info else api.version
        if _X + "binary-media-types" in document:
            api.binaryMediaTypes = list(document[_X + "binary-media-types"])
        if _X + "api-key-source" in document:
            api.api_key_source = str(document[_X + "api-key-source"]).upper()
        if _X + "policy" in document:
            policy = service_calls.text(document[_X + "policy"])
            operation = {"op": "replace", "path": "/policy", "value": policy}
            api.apply_patch_operations([operation])
        endpoint = document.get(_X + "endpoint-configuration") or {}
        if "disableExecuteApiEndpoint" in endpoint:
            api.disableExecuteApiEndpoint = bool(endpoint["disableExecuteApiEndpoint"])

    def _model(self, name: str, schema: Mapping[str, Any]) -> str:
        schema = json.dumps(_with_addresses(schema, self.api.id), default=str)
        description = json.loads(schema).get("description", "")
        self.api.add_model(name, description, schema, _JSON)
        return name

    def _model_of(self, schema: Mapping[str, Any]) -> str:
        """The name of a schema's model, which is made where the schema stands in its place."""
        reference = schema.get("$ref", "")
        if reference:
            name = reference.rpartition("/")[2]
            if name not in self.schemas and name not in BUILT_IN_MODELS:
                raise BadRequestException(f"Invalid model reference specified: {reference}")
            return name
        digest = hashlib.sha256(json.dumps(schema, sort_keys=True, default=str).encode())
        return self._model(f"MODEL{digest.hexdigest()[:6]}", schema)

    def _authorizer(self, name: str, scheme: Mapping[str, Any]) -> None:
        given = {**scheme[_X + "authorizer"]}
        kind = str(given.pop("type", "")).upper()
        if kind in ("TOKEN", "COGNITO_USER_POOLS"):
            header = f"method.request.header.{scheme.get('name', 'Authorization')}"
            given.setdefault("identitySource", header)
        given |= {"type": kind, "authType": scheme.get(_X + "authtype", "custom")}
        id = self._named(self.api.authorizers, "create_authorizer", name, given)
        self.authorizers[name] = ("CUSTOM" if kind in ("TOKEN", "REQUEST") else kind, id)

    def _named(
        self, kept: dict[str, Any], operation: str, name: str, given: Mapping[str, Any]
    ) -> str:
        """Make what methods refer to by an id; its id. What has the name already is replaced under its id."""
        before = next((id for id, each in kept.items() if each.name == name), None)
        id = self._call(operation, **given, name=name)["id"]
        if before is None:
            return id
        kept[before] = kept.pop(id)
        kept[before].id = before
        return before

    def _resource(self, path: str) -> str:
        """The id of the resource at a path, made with its parents where it isn't there."""
        path = "/" + path.strip("/")
        known = {each.get_path(): each.id for each in self.api.resources.values()}
        if path not in known:
            parent, _, part = path.rpartition("/")
            made = self._call(
                "create_resource", parentId=self._resource(parent or "/"), pathPart=part
            )
            return made["id"]
        return known[path]

    def _method(
        self, path: str, place: dict[str, str], operation: Mapping[str, Any], shared: list[Any]
    ) -> None:
        self.api.resources[place["resourceId"]].resource_methods.pop(place["httpMethod"], None)
        described = f"on '{place['httpMethod']}' for resource at path '{path}'"
        with _told(f"Unable to create method {described}"):
            self._call("put_method", **place, **self._access(operation, shared))
        for status, response in (operation.get("responses") or {}).items():
            if str(status).isdigit():
                with _told(f"Unable to put method response {described}"):
                    self._call("put_method_response", **place, **self._response(status, response))
        given = dict(operation.get(_X + "integration") or {})
        if not given:
            return
        responses = given.pop("responses", None) or {}
        given["type"] = str(given.get("type", "")).upper()
        if "httpMethod" in given:
            given["integrationHttpMethod"] = given["httpMethod"]
        given = {**given, **place}
        with _told(f"Unable to put integration {described}"):
            self._call("put_integration", **given)
        for pattern, each in responses.items():
            selection = {} if pattern == "default" else {"selectionPattern": str(pattern)}
            with _told(f"Unable to put integration response {described}"):
                self._call("put_integration_response", **place, **selection, **each)

    def _access(self, operation: Mapping[str, Any], shared: list[Any]) -> dict[str, Any]:
        """Parameters of PutMethod."""
        given: dict[str, Any] = {"authorizationType": "NONE", **self._security(operation)}
        if "operationId" in operation:
            given["operationName"] = operation["operationId"]
        name = operation.get(_X + "request-validator", self.document.get(_X + "request-validator"))
        if name:
            if name not in self.validators:
                raise BadRequestException(f"Invalid request validator specified: {name}")
            given["requestValidatorId"] = self.validators[name]
        parameters, models = {}, {}
        for each in [*shared, *(operation.get("parameters") or [])]:
            each = self._resolved(each)
            if each["in"] in _PLACES:
                place = f"method.request.{_PLACES[each['in']]}.{each['name']}"
                parameters[place] = bool(each.get("required")) or each["in"] == "path"
            elif each["in"] == "body" and "schema" in each:
                for kind in operation.get("consumes") or [_JSON]:
                    models[kind] = self._model_of(each["schema"])
        body = self._resolved(operation.get("requestBody") or {})
        models |= self._models(body.get("content"))
        return {**given, "requestParameters": parameters, "requestModels": models}

    def _security(self, operation: Mapping[str, Any]) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for requirement in operation.get("security", self.document.get("security")) or []:
            for name, scopes in requirement.items():
                scheme = self.schemes.get(name) or {}
                if name in self.authorizers:
                    kind, id = self.authorizers[name]
                    given |= {"authorizationType": kind, "authorizerId": id}
                    if scopes:
                        given["authorizationScopes"] = scopes
                elif scheme.get(_X + "authtype") == "awsSigv4":
                    given["authorizationType"] = "AWS_IAM"
                elif scheme.get("type") == "apiKey":
                    given["apiKeyRequired"] = True
        return given

    def _response(self, status: Any, response: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters of PutMethodResponse."""
        response = self._resolved(response or {})
        models = self._models(response.get("content"))
        if "schema" in response:
            models[_JSON] = self._model_of(response["schema"])
        headers = response.get("headers") or {}
        return {
            "statusCode": str(status),
            "responseParameters": {f"method.response.header.{name}": False for name in headers},
            "responseModels": models,
        }

    def _models(self, content: Mapping[str, Any] | None) -> dict[str, str]:
        return {
            kind: self._model_of(each["schema"])
            for kind, each in (content or {}).items()
            if (each or {}).get("schema")
        }

    def _resolved(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a part such as {"$ref": "#/components/parameters/Id"} stands for."""
        reference = part.get("$ref")
        if not reference:
            return part
        found: Any = self.document
        for name in reference.removeprefix("#/").split("/"):
            found = found.get(name) if isinstance(found, Mapping) else None
        if found is None:
            raise BadRequestException(f"Unable to resolve the reference {reference}")
        return found


def _with_addresses(schema: Any, api_id: str) -> Any:
    """A schema whose references to others are addresses of models, as API Gateway keeps them."""
    if isinstance(schema, list):
        return [_with_addresses(each, api_id) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {name: _with_addresses(each, api_id) for name, each in schema.items()}
    reference = found.get("$ref")
    if isinstance(reference, str) and reference.startswith(("#/definitions/", "#/components/")):
        found["$ref"] = MODELS_URL.format(api=api_id, name=reference.rpartition("/")[2])
    return found
