"""What CloudWatch shows of APIs, in the namespace AWS/ApiGateway.

"Monitor CloudWatch metrics for HTTP APIs", "Amazon API Gateway dimensions and metrics", "Monitor WebSocket
API execution with CloudWatch metrics": by ApiId (REST APIs: ApiName), with Stage, and with detailed metrics
also with Method and Resource (of a WebSocket API the route key is both). An average of errors is the share
of such answers.
"""

import threading
from collections.abc import Mapping

from ..functions.metrics import Aggregate, Datum, Dimensions
from .descriptions import WebSocketApi
from .exchange import Exchange
from .rest_descriptions import RestApi

NAMESPACE = "AWS/ApiGateway"
_PERIOD_S = 60
_KEPT_MINUTES = 24 * 60  # as Lambda's
_UNITS = {"Latency": "Milliseconds", "IntegrationLatency": "Milliseconds", "DataProcessed": "Bytes"}
# What an exchange's outcome is called here.
_OUTCOMES = {
    "Latency": "responseLatency",
    "IntegrationLatency": "integrationLatency",
    "DataProcessed": "dataProcessed",
    "CacheHitCount": "cacheHit",
    "CacheMissCount": "cacheMiss",
}


class ApiMetrics:
    """Counts requests that have been answered. Read from other threads."""

    def __init__(self):
        self._lock = threading.Lock()
        # By minute, then region, name and dimensions.
        self._minutes: dict[int, dict[tuple[str, str, Dimensions], Aggregate]] = {}

    def observe(self, exchange: Exchange) -> None:
        """Count an exchange that has its answer."""
        status = exchange.outcome["status"]
        is_rest = isinstance(exchange.api, RestApi)
        fault, failure = ("4XXError", "5XXError") if is_rest else ("4xx", "5xx")
        values = {"Count": 1, fault: int(400 <= status < 500), failure: int(status >= 500)}
        for name, variable in _OUTCOMES.items():
            if variable in exchange.outcome:
                values[name] = exchange.outcome[variable]
        self.count(exchange, values)

    def count(self, exchange: Exchange, values: Mapping[str, float]) -> None:
        """Add values of metrics to those of an exchange's API, stage and route."""
        minute = int(exchange.started) // _PERIOD_S
        with self._lock:
            if minute not in self._minutes:
                self._minutes[minute] = {}
                self._minutes.pop(minute - _KEPT_MINUTES, None)
            kept = self._minutes[minute]
            for dimensions in _dimensions(exchange):
                for name, value in values.items():
                    key = (exchange.api.region, name, dimensions)
                    kept.setdefault(key, Aggregate()).add(value)

    def data(self, region: str) -> list[Datum]:
        """Everything that has happened in a region."""
        with self._lock:
            return [
                Datum(name, _UNITS.get(name, "Count"), dimensions, minute * _PERIOD_S, values)
                for minute, kept in self._minutes.items()
                for (where, name, dimensions), values in kept.items()
                if where == region
            ]


def _dimensions(exchange: Exchange) -> list[Dimensions]:
    stage, route = ("Stage", exchange.stage.name), exchange.route
    api = ("ApiId", exchange.api.id)
    if isinstance(exchange.api, RestApi):
        api = ("ApiName", exchange.api.name)
    found: list[Dimensions] = [(api,), (api, stage)]
    if route and exchange.stage.settings_of(route).is_detailed:
        is_websocket = isinstance(exchange.api, WebSocketApi)
        method = ("Method", route.key if is_websocket else exchange.call.request.method)
        found.append((api, stage, method, ("Resource", route.path)))
    return found
