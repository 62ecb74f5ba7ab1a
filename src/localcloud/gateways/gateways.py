"""API Gateway as the front door sees it: a request to an API and its answer, a WebSocket connection."""

import functools

from ..actions import ApiRequest
from ..control_plane import cloudwatch, gateway_domains, gateway_resources, rest_gateway_resources
from ..functions.service import FunctionService
from ..identity import Gatekeeper
from . import addresses, custom_domains, endpoint_types, rest_tests, websocket_events
from .access_log import AccessLog
from .addresses import CONNECTIONS, Call
from .connection_callbacks import ConnectionCallbacks
from .connection_limits import ConnectionLimits
from .connections import Connections
from .descriptions import HttpApi, WebSocketApi
from .function_calls import FunctionCalls
from .http_api import HttpApis
from .http_proxy import HttpProxy
from .issuer_keys import IssuerKeys
from .lambda_authorizer import LambdaAuthorizers
from .metrics import NAMESPACE, ApiMetrics
from .refusals import Answer, json_answer
from .rest_access import RestAccess
from .rest_api import RestApis
from .throttling import AccountThrottle, Throttles
from .websocket_api import Receive, Send, WebSocketApis, error_text, refuse
from .websocket_integrations import WebSocketIntegrations


class Gateways:
    """Answers requests to HTTP, REST and WebSocket APIs."""

    def __init__(
        self,
        service: FunctionService,
        gatekeeper: Gatekeeper,
        account_id: str,
        throttle: AccountThrottle,
        limits: ConnectionLimits,
    ):
        self._find_api = functools.partial(gateway_resources.find_api, account_id=account_id)
        self._account_id = account_id
        self._log = AccessLog()
        metrics = ApiMetrics()
        cloudwatch.add(NAMESPACE, metrics.data)
        calls, throttles = FunctionCalls(service, gatekeeper), Throttles(throttle)
        self._proxy, self._keys = HttpProxy(), IssuerKeys()
        self._http = HttpApis(
            calls, gatekeeper, throttles, metrics, self._log, self._proxy, self._keys
        )
        access = RestAccess(gatekeeper, calls, throttles, self._keys)
        self._rest = RestApis(calls, gatekeeper, access, metrics, self._log)
        connections = Connections()
        self._websocket = WebSocketApis(
            self._find_api, WebSocketIntegrations(calls, self._proxy),
            LambdaAuthorizers(calls, make_event=websocket_events.authorizer_event), gatekeeper,
            throttles, metrics, self._log, connections, limits,
        )  # fmt: skip
        self._callbacks = ConnectionCallbacks(self._find_api, gatekeeper, connections, metrics)

    def close(self) -> None:
        """End the threads."""
        self._rest.close()
        self._proxy.close()
        self._keys.close()
        self._log.close()

    async def test(self, request: ApiRequest, region: str, port: int) -> Answer:
        """TestInvokeMethod and TestInvokeAuthorizer of REST APIs."""
        return await rest_tests.answer(self._rest, request, self._account_id, region, port)

    def by_domain(self, request: ApiRequest, scope: dict) -> Call | None:
        """A request as one to a custom domain name; None where nobody has that name."""
        mappings = gateway_domains.find_mappings(addresses.host_name(request), self._account_id)
        if mappings is None:
            return None
        to = custom_domains.follow(mappings, request.path)
        return addresses.mapped(request, scope, to or custom_domains.NOWHERE)

    async def answer(self, call: Call) -> Answer:
        """Find the API and let it answer."""
        if call.is_mapped and not call.api_id:
            return json_answer(403, "Forbidden")
        if not call.api_id:
            return await self._callbacks.answer(call)
        api = self._find_api(call.api_id)
        if isinstance(api, HttpApi):
            return await self._http.answer(call, api)
        if isinstance(api, WebSocketApi):
            if CONNECTIONS in call.path:
                return await self._callbacks.answer(call)
            return json_answer(403, "Forbidden")
        rest = rest_gateway_resources.find_rest_api(call.api_id, self._account_id)
        if rest is not None:
            answer = await self._rest.answer(endpoint_types.received(call, rest), rest)
            return endpoint_types.answered(answer, rest)
        # On AWS there would be no such host.
        return json_answer(404, f"localcloud has no API {call.api_id}")

    async def serve(self, call: Call, receive: Receive, send: Send) -> None:
        """Serve a WebSocket connection."""
        api = self._find_api(call.api_id)
        if isinstance(api, WebSocketApi):
            await self._websocket.serve(call, api, receive, send)
        else:
            await refuse(send, 403, error_text("Forbidden", "", ""))
