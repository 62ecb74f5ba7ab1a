"""The record of events: its schema, its page and its filters."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from deployment import deploy, invoke, wait_for
from localcloud.events import ENTRY_FIELDS, Record

SOURCE = """
    def handler(event, context):
        return 1 / event.get("divisor", 1)
"""
PAGE = Path(__file__).parents[1] / "docs" / "record.md"


def events(cloud, **query):
    url = f"{cloud.endpoint_url}/_localcloud/events?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.loads(answer.read())


def assert_in_schema(entries):
    """Every entry has the fields of its type, all of them, of the right types, and no others."""
    for entry in entries:
        fields = ENTRY_FIELDS[entry["type"]]
        assert set(entry) == {"sequence", "time", "type", *fields}, entry
        assert all(isinstance(entry[name], types) for name, types in fields.items()), entry
        assert isinstance(entry["sequence"], int) and isinstance(entry["time"], float), entry


@pytest.fixture(scope="module")
def recorded(local_cloud):
    """A cloud in which one function ran cold, warm, failed, was replaced, throttled and deleted."""
    client = local_cloud.client("lambda")
    deploy(local_cloud, "recorded", SOURCE)
    invoke(local_cloud, "recorded", {})
    # An environment is frozen after the answer has gone, or not at all where the next call is there first.
    wait_for(lambda: [e for e in events(local_cloud) if e["type"] == "freeze"])
    for event in ({}, {"divisor": 0}):
        invoke(local_cloud, "recorded", event)
    client.update_function_configuration(FunctionName="recorded", Timeout=9)
    invoke(local_cloud, "recorded")
    client.put_function_event_invoke_config(FunctionName="recorded", MaximumRetryAttempts=0)
    client.invoke(FunctionName="recorded", InvocationType="Event", Payload=b'{"divisor": 0}')
    wait_for(lambda: [e for e in events(local_cloud) if e["type"] == "async.dropped"])
    client.put_function_concurrency(FunctionName="recorded", ReservedConcurrentExecutions=0)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName="recorded")
    deploy(local_cloud, "recorded-too", SOURCE)
    invoke(local_cloud, "recorded-too")
    return local_cloud


def test_every_entry_is_in_the_schema(recorded):
    entries = events(recorded)
    assert_in_schema(entries)
    assert {entry["type"] for entry in entries} >= {
        "request", "init.start", "init.end", "invoke.start", "invoke.end", "freeze", "shutdown",
        "throttle", "async.queued", "async.taken", "async.dropped",
    }  # fmt: skip
    assert entries == recorded.record.entries()


def test_an_environments_life_in_order(recorded):
    entries = events(recorded, function="recorded")
    first = next(entry["environment"] for entry in entries if entry["type"] == "init.start")
    life = [entry["type"] for entry in entries if entry.get("environment") == first]
    assert life[:5] == ["init.start", "init.end", "invoke.start", "invoke.end", "freeze"]
    assert life.count("init.start") == 1 and life.count("invoke.end") == 3
    assert life[-1] == "shutdown"
    times = [entry["time"] for entry in entries]
    assert times == sorted(times)


def test_since_and_function(recorded):
    entries = events(recorded)
    middle = entries[len(entries) // 2]["sequence"]
    assert events(recorded, since=middle) == [e for e in entries if e["sequence"] > middle]
    assert events(recorded, since=entries[-1]["sequence"]) == []
    arn = "arn:aws:lambda:us-east-1:000000000000:function:recorded"
    by_name = events(recorded, function="recorded")
    assert by_name and all(entry["function"].split(":")[6] == "recorded" for entry in by_name)
    assert events(recorded, function=arn) == by_name


def test_a_bad_since_is_a_plain_error(recorded):
    with pytest.raises(urllib.error.HTTPError) as caught:
        events(recorded, since="yesterday")
    with caught.value as answer:
        assert answer.code == 400
        assert "since" in json.loads(answer.read())["message"]


def test_the_record_is_bounded():
    record = Record(size=10)
    for number in range(25):
        record.add("freeze", function="f", environment=str(number))
    assert [entry["environment"] for entry in record.entries()] == [str(n) for n in range(15, 25)]
    assert [entry["sequence"] for entry in record.entries(since=23)] == [24, 25]


def test_the_page_describes_the_schema():
    rows = re.findall(r"^\| `([a-z.]+)` \| (.*?) \|", PAGE.read_text(), re.MULTILINE)
    described = {kind: re.findall(r"`(\w+)`", fields) for kind, fields in rows}
    assert described == {kind: list(fields) for kind, fields in ENTRY_FIELDS.items()}
    example = json.loads(PAGE.read_text().split("```json")[1].split("```")[0])
    assert_in_schema(example)
