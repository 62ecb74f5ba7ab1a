"""WebSocket APIs and custom domain names outlive a server that keeps its state."""

from http_apis import make_function
from localcloud import LocalCloud
from websocket_apis import ECHO, WebSocketApi, ask


def test_an_api_comes_back_with_its_routes_and_its_name(tmp_path):
    with LocalCloud(port=0, state=tmp_path) as cloud:
        api = WebSocketApi(cloud, stage_options={"AutoDeploy": False})
        echo = api.integrate(make_function(cloud, "echo", ECHO))
        api.route("join", echo, two_way=True)
        api.client.create_deployment(ApiId=api.id, StageName="prod")
        api.route("$default", echo, two_way=True)
        api.client.create_domain_name(
            DomainName="ws.example.com", DomainNameConfigurations=[{"EndpointType": "REGIONAL"}]
        )
        api.client.create_api_mapping(DomainName="ws.example.com", ApiId=api.id, Stage="prod")
    with LocalCloud(port=0, state=tmp_path) as cloud:
        api.cloud = cloud
        with api.connect(host="ws.example.com", path="/") as connection:
            event = ask(connection, {"action": "join"})
            assert event["requestContext"]["domainName"] == "ws.example.com"
            assert ask(connection, "other")["message"] == "Forbidden", "it wasn't deployed"
