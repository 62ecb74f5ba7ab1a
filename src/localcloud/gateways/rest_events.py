"""What events of REST APIs have besides payload format 1.0 (facts G3)."""

from typing import Any

from .exchange import Exchange
from .http_events import event_v1
from .parameter_mapping import BackendRequest


def add_rest_context(exchange: Exchange, context: dict[str, Any]) -> None:
    """Make requestContext of format 1.0 a REST API's."""
    if not exchange.authorization.authorizer_v1:
        del context["authorizer"]
    context |= {
        "deploymentId": exchange.stage.deployment.id,
        "extendedRequestId": exchange.outcome["extendedRequestId"],
        "resourceId": exchange.route.resource_id,
    }


def request_authorizer_event(exchange: Exchange) -> dict[str, Any]:
    """The event of a REQUEST authorizer: that of the method without its body; what is empty is {}
    ("Input to an API Gateway Lambda authorizer").
    """
    request = exchange.call.request
    event = event_v1(exchange, BackendRequest(exchange.path, request.query, exchange.call.fields))
    for name in ("version", "body", "isBase64Encoded"):
        del event[name]
    add_rest_context(exchange, event["requestContext"])
    event = {name: {} if value is None else value for name, value in event.items()}
    return {"type": "REQUEST", "methodArn": exchange.arn(), **event}
