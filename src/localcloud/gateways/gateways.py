"""API Gateway as the front door sees it: a request to an API, and its answer."""

from ..actions import ApiRequest
from ..control_plane import cloudwatch, gateway_resources, rest_gateway_resources
from ..functions.service import FunctionService
from ..identity import Gatekeeper
from . import rest_tests
from .access_log import AccessLog
from .addresses import Call
from .function_calls import FunctionCalls
from .http_api import HttpApis
from .issuer_keys import IssuerKeys
from .metrics import NAMESPACE, ApiMetrics
from .refusals import Answer, json_answer
from .rest_access import RestAccess
from .rest_api import RestApis
from .throttling import AccountThrottle, Throttles


class Gateways:
    """Answers requests to HTTP APIs and REST APIs."""

    def __init__(
        self,
        service: FunctionService,
        gatekeeper: Gatekeeper,
        account_id: str,
        throttle: AccountThrottle,
    ):
        self._account_id = account_id
        self._log = AccessLog()
        metrics = ApiMetrics()
        cloudwatch.add(NAMESPACE, metrics.data)
        calls = FunctionCalls(service, gatekeeper)
        throttles = Throttles(throttle)
        self._keys = IssuerKeys()
        self._http = HttpApis(calls, gatekeeper, throttles, metrics, self._log, self._keys)
        access = RestAccess(gatekeeper, calls, throttles, self._keys)
        self._rest = RestApis(calls, gatekeeper, access, metrics, self._log)

    def close(self) -> None:
        """End the threads."""
        self._http.close()
        self._rest.close()
        self._keys.close()
        self._log.close()

    async def test(self, request: ApiRequest, region: str, port: int) -> Answer:
        """TestInvokeMethod and TestInvokeAuthorizer of REST APIs."""
        return await rest_tests.answer(self._rest, request, self._account_id, region, port)

    async def answer(self, call: Call) -> Answer:
        """Find the API and let it answer."""
        api = gateway_resources.find_http_api(call.api_id, self._account_id)
        if api is not None:
            return await self._http.answer(call, api)
        rest = rest_gateway_resources.find_rest_api(call.api_id, self._account_id)
        if rest is not None:
            return await self._rest.answer(call, rest)
        # On AWS there would be no such host.
        return json_answer(404, f"localcloud has no API {call.api_id}")
