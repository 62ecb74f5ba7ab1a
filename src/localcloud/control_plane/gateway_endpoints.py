"""The addresses at which APIs answer here, for whoever shows them.

Apart from what knows moto's APIs, which is loaded only when somebody uses API Gateway.
"""

from collections.abc import Callable

_address: Callable[[str], str]


def install(address: Callable[[str], str]) -> None:
    """Take what makes an API's address from its id."""
    global _address
    _address = address


def endpoint(api_id: str, scheme: str = "http") -> str:
    """The address of an API, without a stage. The port may be another after a restart."""
    return _address(api_id).replace("http", scheme, 1)
