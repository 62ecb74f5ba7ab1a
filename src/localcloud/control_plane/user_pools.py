"""Cognito's user pools as issuers of tokens: their address is AWS's, their keys are moto's."""

import re
from typing import Any

_ISSUER = re.compile(r"https://cognito-idp\.([a-z0-9-]+)\.amazonaws\.com/([\w-]+)")


def key_set(issuer: str, account_id: str) -> dict[str, Any] | None:
    """The JSON Web Key Set of a pool of this cloud; None where the issuer is another.

    moto signs the tokens of all pools with one key.
    """
    found = _ISSUER.fullmatch(issuer.rstrip("/"))
    if not found:
        return None
    from moto.cognitoidp.models import cognitoidp_backends
    from moto.utilities.utils import load_resource

    region, pool_id = found.groups()
    if pool_id not in cognitoidp_backends[account_id][region].user_pools:
        return None
    return load_resource("cognitoidp/resources/jwks-public.json")
