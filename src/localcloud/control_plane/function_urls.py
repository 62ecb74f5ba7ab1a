"""Function URLs as their data plane finds them, and the permissions that AddPermission makes for them."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from moto.awslambda.models import lambda_backends
from moto.awslambda.policy import Policy

_HOST = re.compile(r"^([a-z0-9]+)\.lambda-url\.([a-z0-9-]+)\.")


@dataclass(frozen=True)
class FunctionUrl:
    """A function URL. `cors` is its Cors configuration, empty where it has none."""

    id: str
    domain: str
    function_arn: str
    auth_type: str
    cors: Mapping[str, Any]


def url_id(host: str) -> str | None:
    """The id in a host name such as abc.lambda-url.us-east-1.localhost:4566; None elsewhere."""
    found = _HOST.match(host.lower())
    return found.group(1) if found else None


def find_function_url(wanted: str, account_id: str) -> FunctionUrl | None:
    """The function URL with an id, in whatever region it is."""
    for backend in lambda_backends[account_id].values():
        for function in backend.list_functions():
            config = function.url_config
            domain = urlsplit(config.url).hostname if config else None
            if domain and url_id(domain) == wanted:
                given = config.config
                return FunctionUrl(
                    wanted,
                    domain,
                    function.function_arn,
                    given.get("AuthType", "NONE"),
                    given.get("Cors") or {},
                )
    return None


_moto_decode = Policy.decode_policy
_installed = False


def install() -> None:
    """Let a permission's FunctionUrlAuthType and InvokedViaFunctionUrl become conditions, as Lambda
    writes them into the policy ("Control access to Lambda function URLs", Lambda developer guide).
    """
    global _installed
    if _installed:
        return
    _installed = True

    @functools.wraps(_moto_decode)
    def decode_policy(self, obj):
        auth_type, via_url = (
            obj.pop("FunctionUrlAuthType", None),
            obj.pop("InvokedViaFunctionUrl", 0),
        )
        policy = _moto_decode(self, obj)
        condition = policy.statements[0].setdefault("Condition", {}) if auth_type or via_url else {}
        if auth_type:
            condition.setdefault("StringEquals", {})["lambda:FunctionUrlAuthType"] = auth_type
        if via_url:
            condition.setdefault("Bool", {})["lambda:InvokedViaFunctionUrl"] = "true"
        return policy

    Policy.decode_policy = decode_policy
