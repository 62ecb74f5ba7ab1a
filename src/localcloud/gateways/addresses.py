"""How a request says which API it is for: by its Host, {api}.execute-api.<anything>, or by a path
under /_aws/execute-api/{api}/ for tools that can't set the Host.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..actions import ApiRequest

Field = tuple[str, str]
PREFIX = "/_aws/execute-api/"
_TESTED = re.compile(r"/restapis/[^/]+/(resources/[^/]+/methods/[A-Z]+|authorizers/[^/]+)/?")
# Before the dot a VPC endpoint may stand too: "Invoke a private API", Route53 alias.
_HOST = re.compile(r"([a-z0-9]+)(?:-(vpce-[0-9a-f]+))?\.execute-api\.[^:]+")


@dataclass(frozen=True)
class Call:
    """A request to an API. `path` is percent-encoded and begins with the stage, where the stage has
    a part in it; `fields` are the headers in the order in which they came, names in lower case.

    `request` is as it was sent, as signatures need it. `vpc_endpoint` is the one that it came through.
    """

    api_id: str
    domain: str
    path: str
    fields: tuple[Field, ...]
    request: ApiRequest
    source_ip: str
    port: int
    vpc_endpoint: str | None = None


def joined(fields: Iterable[Field]) -> dict[str, str]:
    """Header values by name; those of repeated headers joined by commas, cookies by semicolons."""
    found: dict[str, str] = {}
    for name, value in fields:
        if name in found:
            value = f"{found[name]}{'; ' if name == 'cookie' else ','}{value}"
        found[name] = value
    return found


def is_test(request: ApiRequest) -> bool:
    """Whether a request is TestInvokeMethod or TestInvokeAuthorizer; a POST to a method or authorizer is
    nothing else.
    """
    return request.method == "POST" and _TESTED.fullmatch(request.path) is not None


def match(request: ApiRequest, scope: dict) -> Call | None:
    """The request as one to an API; None where it is none. `scope` is ASGI's."""
    if request.path.startswith(PREFIX):
        api_id, _, path = request.path.removeprefix(PREFIX).partition("/")
        domain, endpoint = f"{api_id}.execute-api.localhost", None
    else:
        found = _HOST.match(request.headers.get("host", "").lower())
        if not found:
            return None
        api_id, endpoint, domain = found[1], found[2], found[0]
        path = request.path.removeprefix("/")
    fields = tuple((n.decode("latin-1").lower(), v.decode("latin-1")) for n, v in scope["headers"])
    source_ip, _ = scope.get("client") or ("127.0.0.1", 0)
    port = scope["server"][1]
    return Call(api_id, domain, f"/{path}", fields, request, source_ip, port, endpoint)
