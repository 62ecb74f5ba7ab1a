"""How a request says which API it is for: by its Host, {api}.execute-api.<anything>, or by a path
under /_aws/execute-api/{api}/ for tools that can't set the Host. A private API is called through a VPC
endpoint, {api}-{vpce-…}, or the endpoint's own host with the API in the header x-apigw-api-id ("How to
invoke a private API"). Other hosts may be custom domain names.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..actions import ApiRequest
from .custom_domains import Mapped

Field = tuple[str, str]
PREFIX = "/_aws/execute-api/"
CONNECTIONS = "/@connections/"
_TESTED = re.compile(r"/restapis/[^/]+/(resources/[^/]+/methods/[A-Z]+|authorizers/[^/]+)/?")
_HOST = re.compile(r"([a-z0-9]+|(?:[a-z0-9]+-)?vpce-[a-z0-9-]+)\.execute-api\.[^:]+")
# Hosts of this machine and of AWS's own services: no custom domain names.
_NO_DOMAIN = re.compile(r"localhost|[\d.]+|\[.*|[^.]*|.*\.amazonaws\.com(\.cn)?|(.*\.)?s3[.-].*")


@dataclass(frozen=True)
class Call:
    """A request to an API. `path` is percent-encoded and begins with the stage, where the stage has
    a part in it; `fields` are the headers in the order in which they came, names in lower case.

    `request` is as it was sent, as signatures need it. `base_path` is what a custom domain name's
    mapping has in the stage's place, such as /v1 or nothing; None at the execute-api address.
    `names` are header names in the case in which they were sent, by those in lower case.
    `vpc_endpoint` is the id of the VPC endpoint through which a private API is called. Without an
    `api_id` it is a request to @connections that names only the connection.
    """

    api_id: str
    domain: str
    path: str
    fields: tuple[Field, ...]
    request: ApiRequest
    source_ip: str
    port: int
    base_path: str | None = None
    vpc_endpoint: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_mapped(self) -> bool:
        """Whether it came by a custom domain name."""
        return self.base_path is not None

    def name_as_sent(self, name: str) -> str:
        """A header's name in the case in which it was sent; of one that the gateway adds, capitalised."""
        return self.names.get(name) or capitalised(name)


def capitalised(name: str) -> str:
    """A header's name such as X-Forwarded-For."""
    return "-".join(part.capitalize() for part in name.split("-"))


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
    host = request.headers.get("host", "").lower()
    if request.path.startswith(PREFIX):
        name, _, path = request.path.removeprefix(PREFIX).partition("/")
        api_id, endpoint = _split(name, request)
        return _call(
            api_id, f"{api_id}.execute-api.localhost", f"/{path}", request, scope, endpoint
        )
    found = _HOST.match(host)
    if found:
        api_id, endpoint = _split(found[1], request)
        return _call(api_id, found[0], request.path, request, scope, endpoint)
    if request.path.startswith(CONNECTIONS):
        return _call("", host, request.path, request, scope)
    return None


def may_be_custom(request: ApiRequest, service: str | None) -> bool:
    """Whether a request that is to no execute-api address may be one to a custom domain name. `service`
    is the one for which it is signed.
    """
    if service not in (None, "execute-api"):
        return False
    return not _NO_DOMAIN.fullmatch(host_name(request))


def host_name(request: ApiRequest) -> str:
    """The Host of a request without its port."""
    name, _, port = request.headers.get("host", "").lower().rpartition(":")
    return name if name and port.isdecimal() else name + port


def mapped(request: ApiRequest, scope: dict, to: Mapped) -> Call:
    """A request to a custom domain name, as its mapping sends it on."""
    call = _call(to.api_id, host_name(request), to.path, request, scope)
    return replace(call, base_path=to.base_path)


def _split(name: str, request: ApiRequest) -> tuple[str, str | None]:
    """API and VPC endpoint in abc123, abc123-vpce-0a1b and vpce-0a1b."""
    api_id, found, endpoint = name.partition("vpce-")
    if not found:
        return name, None
    if not api_id:
        return request.headers.get("x-apigw-api-id", ""), name
    return api_id.removesuffix("-"), f"vpce-{endpoint}"


def _call(
    api_id: str,
    domain: str,
    path: str,
    request: ApiRequest,
    scope: dict,
    vpc_endpoint: str | None = None,
) -> Call:
    fields = tuple((n.decode("latin-1").lower(), v.decode("latin-1")) for n, v in scope["headers"])
    raw = scope.get("state", {}).get("header_names") or [name for name, _ in scope["headers"]]
    names = {name.decode("latin-1").lower(): name.decode("latin-1") for name in raw}
    source_ip, _ = scope.get("client") or ("127.0.0.1", 0)
    port = scope["server"][1]
    return Call(
        api_id, domain, path, fields, request, source_ip, port, None, vpc_endpoint, names
    )  # fmt: skip
