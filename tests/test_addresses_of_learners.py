"""What checks say of an address that a learner's template or function gives, and that leads nowhere."""

import socket

import pytest
from checks.live_page import LivePage
from checks.web_calls import send

from labkit.grading import Unmet


@pytest.fixture
def nobody():
    """An address of this machine where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


@pytest.mark.parametrize(
    "url", ["${HttpApi.ApiEndpoint}/photos", "abc123/photos", "http://[/photos"]
)
def test_what_is_no_url(url):
    with pytest.raises(Unmet) as told:
        send("GET", url)
    assert told.value.tried == f"sent GET {url}" and "nobody answers" in told.value.seen


def test_a_url_at_which_nobody_answers(nobody):
    with pytest.raises(Unmet, match="nobody answers there .ConnectionRefusedError"):
        send("PUT", f"http://{nobody}/raw/a.jpg", b"1")


@pytest.mark.parametrize("endpoint", ["https://abc123.example/live", "abc123", "ws://[/live"])
def test_a_page_is_opened_at_a_websocket_address_alone(endpoint):
    with pytest.raises(Unmet, match="InvalidURI|ValueError") as told:
        LivePage(endpoint)
    assert "a WebSocket API" in told.value.expected and endpoint in told.value.tried


def test_a_page_that_nobody_lets_in(nobody):
    with pytest.raises(Unmet, match="ConnectionRefusedError"):
        LivePage(f"ws://{nobody}/live")
