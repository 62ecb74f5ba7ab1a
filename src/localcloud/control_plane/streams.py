"""moto's DynamoDB and Kinesis streams as event sources: records as Lambda's event has them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.core.utils import unix_time
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import StreamShard, Table
from moto.dynamodb.models.utilities import dynamo_json_dump
from moto.kinesis.models import Stream, kinesis_backends


@dataclass(frozen=True)
class StreamEntry:
    """One record: its entry in the event's Records, its sequence number and Unix time of arrival."""

    record: dict[str, Any]
    sequence: int
    arrived: float


def shard_ids(stream_arn: str) -> list[str]:
    """The shards of a stream; none where it is gone."""
    if _is_dynamodb(stream_arn):
        table = _table(stream_arn)
        return [table.stream_shard.id] if table is not None else []
    stream = _stream(stream_arn)
    return list(stream.shards) if stream is not None else []


def start(stream_arn: str, shard_id: str, position: str, timestamp: float | None) -> int:
    """The sequence number before the first record that a starting position means."""
    if _is_dynamodb(stream_arn):
        shard = _table(stream_arn).stream_shard
        skipped = len(shard.items) if position == "LATEST" else 0
        return shard.starting_sequence_number + skipped - 1
    shard = _stream(stream_arn).shards[shard_id]
    if position == "LATEST":
        return shard.get_max_sequence_number()
    if position == "AT_TIMESTAMP":
        return int(shard.get_sequence_number_at(timestamp or 0))
    return 0


def read(stream_arn: str, shard_id: str, after: int, count: int, role: str) -> list[StreamEntry]:
    """Up to `count` records of a shard that follow a sequence number."""
    if _is_dynamodb(stream_arn):
        table = _table(stream_arn)
        return [] if table is None else _changes(table, stream_arn, after, count)
    stream = _stream(stream_arn)
    if stream is None:
        return []
    records, _, _ = stream.shards[shard_id].get_records(str(after), count)
    return [_kinesis_entry(record, shard_id, stream, role) for record in records]


def _is_dynamodb(stream_arn: str) -> bool:
    return stream_arn.split(":")[2] == "dynamodb"


def _table(stream_arn: str) -> Table | None:
    _, _, _, region, account, resource = stream_arn.split(":", 5)
    _, name, _, label = resource.split("/", 3)
    table = dynamodb_backends[account][region].tables.get(name)
    if table is None or table.stream_shard is None or table.latest_stream_label != label:
        return None
    return table


def _stream(stream_arn: str) -> Stream | None:
    _, _, _, region, account, _ = stream_arn.split(":", 5)
    streams = kinesis_backends[account][region].streams.values()
    return next((stream for stream in streams if stream.arn == stream_arn), None)


def _changes(table: Table, stream_arn: str, after: int, count: int) -> list[StreamEntry]:
    """As recorded from AWS in 2024 and 2025."""
    shard = table.stream_shard
    begin = after + 1 - shard.starting_sequence_number
    entries = []
    for item in shard.items[begin : begin + count]:
        change = dict(item.to_json()["dynamodb"])
        arrived = unix_time(change["ApproximateCreationDateTime"])
        change["ApproximateCreationDateTime"] = int(arrived)
        change = json.loads(dynamo_json_dump(change))
        record = {
            "eventID": item.record["eventID"],
            "eventName": item.record["eventName"],
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": table.region_name,
            "dynamodb": change,
            "eventSourceARN": stream_arn,
        }
        entries.append(StreamEntry(record, int(change["SequenceNumber"]), arrived))
    return entries


def _kinesis_entry(record: Any, shard_id: str, stream: Stream, role: str) -> StreamEntry:
    event = {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record.partition_key,
            "sequenceNumber": str(record.sequence_number),
            "data": record.data,
            "approximateArrivalTimestamp": round(record.created_at, 3),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard_id}:{record.sequence_number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": role,
        "awsRegion": stream.region,
        "eventSourceARN": stream.arn,
    }
    return StreamEntry(event, int(record.sequence_number), record.created_at)


_moto_change = StreamShard.add
_moto_put_in_stream = Stream.put_record


def install(on_news: Callable[[str], None]) -> None:
    """Let `on_news(stream_arn)` know of each new record, in the thread that writes it."""

    @functools.wraps(_moto_change)
    def add(self, old, new):
        _moto_change(self, old, new)
        on_news(f"{self.table.table_arn}/stream/{self.table.latest_stream_label}")

    @functools.wraps(_moto_put_in_stream)
    def put_record(self, partition_key, explicit_hash_key, data):
        answer = _moto_put_in_stream(self, partition_key, explicit_hash_key, data)
        on_news(self.arn)
        return answer

    StreamShard.add = add
    Stream.put_record = put_record
