"""The CORS headers that Lambda adds for a function URL, and API Gateway for an HTTP API, that has a
CORS configuration.

They take the place of the function's own; a preflight request never reaches the function
("Creating and managing Lambda function URLs", Cross-origin resource sharing; "Configure CORS for HTTP
APIs").
"""

from collections.abc import Mapping
from typing import Any

Headers = list[tuple[bytes, bytes]]


def cors_headers(cors: Mapping[str, Any], origin: str) -> Headers:
    """For an answer to a request from this origin; none where the origin is not allowed."""
    allowed = cors.get("AllowOrigins") or []
    scheme = f"{origin.partition('://')[0]}://*"  # "Configure CORS for HTTP APIs"
    if not {"*", scheme, origin} & set(allowed):
        return []
    credentials = bool(cors.get("AllowCredentials"))
    # With credentials the wildcard would mean nothing to a browser.
    shown = "*" if "*" in allowed and not credentials else origin
    headers = [("access-control-allow-origin", shown)]
    if shown != "*":
        headers.append(("vary", "Origin"))
    if credentials:
        headers.append(("access-control-allow-credentials", "true"))
    if cors.get("ExposeHeaders"):
        headers.append(("access-control-expose-headers", ",".join(cors["ExposeHeaders"])))
    return [(name.encode(), value.encode()) for name, value in headers]


def preflight(cors: Mapping[str, Any], origin: str) -> Headers:
    """For the answer to a preflight request."""
    headers = cors_headers(cors, origin)
    if not headers:
        return []
    for name, member in (
        ("access-control-allow-methods", "AllowMethods"),
        ("access-control-allow-headers", "AllowHeaders"),
    ):
        if cors.get(member):
            headers.append((name.encode(), ",".join(cors[member]).encode()))
    if cors.get("MaxAge"):
        headers.append((b"access-control-max-age", str(cors["MaxAge"]).encode()))
    return headers
