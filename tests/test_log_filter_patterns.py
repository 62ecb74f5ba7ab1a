"""Filter patterns of CloudWatch Logs, asked by FilterLogEvents."""

import time

import pytest
from botocore.exceptions import ClientError

MESSAGES = [
    "[ERROR 400] BAD REQUEST",
    "[ERROR 401] UNAUTHORIZED REQUEST",
    "[WARN] no request",
    "REPORT RequestId: 1\tStatus: timeout",
    "[ERROR] ClientError: An error occurred (AccessDenied) when calling the GetObject operation",
]


@pytest.fixture(scope="module")
def found(local_cloud):
    """The messages that a pattern finds, by their places in MESSAGES."""
    logs = local_cloud.client("logs")
    logs.create_log_group(logGroupName="patterns")
    logs.create_log_stream(logGroupName="patterns", logStreamName="one")
    now = int(time.time() * 1000)
    events = [{"timestamp": now + n, "message": text} for n, text in enumerate(MESSAGES)]
    logs.put_log_events(logGroupName="patterns", logStreamName="one", logEvents=events)

    def look(pattern):
        answer = logs.filter_log_events(logGroupName="patterns", filterPattern=pattern)
        return [MESSAGES.index(event["message"]) for event in answer["events"]]

    return look


@pytest.mark.parametrize(
    ("pattern", "places"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("ERROR", [0, 1, 4]),
        ("error", [4]),
        ("ERROR REQUEST", [0, 1]),
        ('ERROR "BAD REQUEST"', [0]),
        ('"ERROR 401"', [1]),
        ("?WARN ?BAD", [0, 2]),
        ("ERROR -REQUEST", [4]),
        ('-ERROR -"Status: timeout"', [2]),
        ('"Status: timeout"', [3]),
        ("%ERROR 40[01]%", [0, 1]),
        ("nowhere", []),
    ],
)
def test_a_pattern_finds(found, pattern, places):
    assert found(pattern) == places


@pytest.mark.parametrize("pattern", ["Status:", "a.b", "?", "{ $.x = 1 }", '"open', "%(%"])
def test_a_pattern_is_refused(found, pattern):
    with pytest.raises(ClientError) as raised:
        found(pattern)
    assert raised.value.response["Error"]["Code"] == "InvalidParameterException"
