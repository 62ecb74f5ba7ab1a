"""Are a request's credentials good: the key active, the token the key's own, the signature right."""

from urllib.parse import parse_qsl

from .actions import ApiRequest
from .control_plane.principals import Principal
from .form_uploads import form_fields, form_signature_matches
from .signatures import signature_problem


def credentials_problem(principal: Principal, request: ApiRequest) -> str | None:
    """Why the credentials are refused, in the words of refused_credentials; None where good."""
    if principal.credentials == "inactive":
        return "inactive"
    form = {} if "authorization" in request.headers else form_fields(request.headers, request.body)
    if principal.is_temporary:
        token = request.headers.get("x-amz-security-token")
        if token is None:
            values = {name.lower(): value for name, value in parse_qsl(request.query)} or form
            token = values.get("x-amz-security-token")
        if token != principal.token:
            return "token"
    if form:
        problem = None if form_signature_matches(form, principal.secret) else "mismatch"
    else:
        problem = signature_problem(
            request.method, request.path, request.query, request.headers, request.body,
            principal.secret,
        )  # fmt: skip
    if problem is None and principal.credentials == "expired":
        return "expired"
    return "presigned" if problem == "expired" else problem
