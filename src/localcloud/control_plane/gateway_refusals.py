"""What API Gateway can do and localcloud can't: refused where it is asked for, not passed over in silence."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

# The member that asks for it, its value where only one does, and what is missing.
_MISSING = {
    "connectiontype": ("VPC_LINK", "VPC links"),
    "responsetransfermode": ("STREAM", "response streaming"),
    "minimumcompressionsize": (None, "compression by API Gateway (minimumCompressionSize)"),
    "clientcertificateid": (None, "client certificates for backends"),
    "mutualtlsauthentication": (None, "mutual TLS"),
    "integrationsubtype": (None, "service integrations of HTTP APIs (IntegrationSubtype)"),
}
_WORDS = "localcloud has no {}: leave it out here, or try it on AWS"


def check(given: Mapping[str, Any], refusal: type[Exception]) -> None:
    """Raise `refusal` for parameters, in whatever case they are named, that ask for what is missing."""
    for name, value in given.items():
        only, feature = _MISSING.get(name.replace("_", "").lower(), (None, None))
        if feature and (value == only if only else value not in (None, "", {})):
            refuse(feature, refusal)


def refuse(feature: str, refusal: type[Exception]) -> NoReturn:
    """Raise `refusal` for something that localcloud has not."""
    raise refusal(_WORDS.format(feature))


def install_first(response_class: type, refusal: type[Exception]) -> None:
    """Check the operations of API Gateway's first API. Called once."""

    def of_parameters(self) -> dict[str, Any]:
        return {name: self._get_param(name) for name in _MEMBERS_OF_FIRST}

    def of_patches(self) -> dict[str, Any]:
        patches = self._get_param("patchOperations") or ()
        return {
            each["path"].split("/")[1]: each.get("value")
            for each in patches
            if each["op"] != "remove"
        }

    response_class.create_vpc_link = _no_vpc_link(refusal)
    for name in ("create_rest_api", "create_stage", "create_domain_name", "put_integration"):
        _check_before(response_class, name, of_parameters, refusal)
    for name in ("update_rest_api", "update_stage", "update_integration"):
        _check_before(response_class, name, of_patches, refusal)


def install_second(response_class: type, refusal: type[Exception]) -> None:
    """Refuse VPC links in API Gateway's second API. Called once."""
    response_class.create_vpc_link = _no_vpc_link(refusal)


def install_web_acls() -> None:
    """Let WAF protect no stage of an API: nothing would come of it. May be called more than once."""
    from moto.wafv2.exceptions import WAFv2ClientError
    from moto.wafv2.models import WAFV2Backend

    if hasattr(WAFV2Backend.associate_web_acl, "__wrapped__"):
        return
    moto_associate = WAFV2Backend.associate_web_acl

    @functools.wraps(moto_associate)
    def associate_web_acl(self, web_acl_arn, resource_arn):
        if ":apigateway:" in resource_arn:
            words = _WORDS.format("WAF in front of APIs")
            raise WAFv2ClientError("WAFInvalidOperationException", words)
        return moto_associate(self, web_acl_arn, resource_arn)

    WAFV2Backend.associate_web_acl = associate_web_acl


_MEMBERS_OF_FIRST = (
    "clientCertificateId", "connectionType", "minimumCompressionSize", "mutualTlsAuthentication",
    "responseTransferMode",
)  # fmt: skip


def _no_vpc_link(refusal: type[Exception]) -> Callable:
    def create_vpc_link(self):
        refuse("VPC links", refusal)

    return create_vpc_link


def _check_before(
    response_class: type, name: str, given: Callable[[Any], Mapping[str, Any]], refusal: type
) -> None:
    original = getattr(response_class, name)

    @functools.wraps(original)
    def checked(self):
        check(given(self), refusal)
        return original(self)

    setattr(response_class, name, checked)
