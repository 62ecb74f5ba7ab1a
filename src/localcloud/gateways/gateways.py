"""API Gateway as the front door sees it: a request to an API, and its answer."""

from ..control_plane import cloudwatch, gateway_resources
from ..functions.service import FunctionService
from ..identity import Gatekeeper
from .addresses import Call
from .function_calls import FunctionCalls
from .http_api import HttpApis
from .metrics import NAMESPACE, ApiMetrics
from .refusals import Answer, json_answer
from .throttling import Throttles


class Gateways:
    """Answers requests to APIs of every kind; so far there are HTTP APIs."""

    def __init__(self, service: FunctionService, gatekeeper: Gatekeeper, account_id: str):
        self._account_id = account_id
        metrics = ApiMetrics()
        cloudwatch.add(NAMESPACE, metrics.data)
        calls = FunctionCalls(service, gatekeeper)
        self._http = HttpApis(calls, gatekeeper, Throttles(), metrics)

    def close(self) -> None:
        """End the threads."""
        self._http.close()

    async def answer(self, call: Call) -> Answer:
        """Find the API and let it answer."""
        api = gateway_resources.find_http_api(call.api_id, self._account_id)
        if api is None:  # on AWS there would be no such host
            return json_answer(404, f"localcloud has no API {call.api_id}")
        return await self._http.answer(call, api)
