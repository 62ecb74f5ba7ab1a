"""What checks say of answers that are no answers: addresses that lead nowhere, logs without a report."""

import socket

import pytest
from checks.deployment import Answer
from checks.live_page import LivePage
from checks.role_probe import Call, RoleProbe
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


REPORT = "REPORT RequestId: 1\tDuration: 3.25 ms\tBilled Duration: 4 ms\tMax Memory Used: 61 MB\t"


def test_the_numbers_of_a_report():
    answer = Answer(None, None, ["REPORT of the week", "a print", REPORT])
    assert (answer.reported("Duration"), answer.reported("Max Memory Used")) == (3.25, 61)
    assert answer.reported("Init Duration") is None


def test_a_log_without_a_report():
    with pytest.raises(Unmet) as told:
        Answer(None, None, ["a print"]).reported("Duration")
    assert told.value.expected == "a REPORT line" and told.value.log == ("a print",)


class Failing:
    """A deployment whose functions fail, under roles that may do everything."""

    def client(self, service):
        return self

    def role(self, word, policy):
        return "arn:aws:iam::123456789012:role/lab-probe"

    def function(self, word, files, **settings):
        return word

    def invoke(self, name, event):
        return Answer(
            {"errorType": "Sandbox.Timedout", "errorMessage": "10 seconds"}, "Unhandled", []
        )


def test_a_probe_that_comes_to_no_end():
    probe = RoleProbe(Failing(), "probe", {}, "role-policy.json")
    call = Call("s3:GetObject", "arn:aws:s3:::lab-a/b", "get_object", {}, "an object")
    with pytest.raises(Unmet, match="Sandbox.Timedout: 10 seconds") as told:
        probe.may_not([call], [])
    assert "s3:GetObject on an object" in told.value.tried
