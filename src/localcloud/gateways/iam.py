"""What functions learn of who signed a request (AWS_IAM)."""

from ..control_plane.principals import Principal
from ..identity import iam_identity
from .exchange import Authorization, Exchange


def signed_by(exchange: Exchange, principal: Principal | None) -> Authorization:
    """The authorization of a request that a principal signed; None is the administrator."""
    iam = iam_identity(exchange.call.request, exchange.api.account_id, principal)
    identity = {
        "accessKey": iam["accessKey"],
        "accountId": iam["accountId"],
        "caller": iam["callerId"],
        "user": iam["userId"],
        "userArn": iam["userArn"],
    }
    variables = {f"identity.{name}": value for name, value in identity.items()}
    return Authorization({"iam": iam}, {}, identity, variables)
