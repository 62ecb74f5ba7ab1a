"""What a stream's on-failure destination gets about a batch that was given up (recorded from AWS,
October 2025; "Retain discarded records for a DynamoDB event source in Lambda").
"""

import json
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..control_plane.event_sources import EventSourceMapping
from ..control_plane.streams import StreamEntry
from ..functions.configuration import Outcome
from ..functions.invocation_record import object_key, response_context, timestamp

_INFO = {"dynamodb": "DDBStreamBatchInfo", "kinesis": "KinesisBatchInfo"}


@dataclass(frozen=True)
class BatchRecord:
    """One batch's end. `outcome` is that of the last invocation; None where there was none."""

    request_id: str
    mapping: EventSourceMapping
    shard_id: str
    condition: str
    invocations: int
    batch: tuple[StreamEntry, ...]
    outcome: Outcome | None
    trace_id: str = ""

    @property
    def invoked_arn(self) -> str:
        """The function's ARN as the mapping has it."""
        return self.mapping.function_arn

    @property
    def function_arn(self) -> str:
        """The same: here a record has no $LATEST."""
        return self.mapping.function_arn

    @property
    def resource(self) -> str:
        """The function as it was named: name or name:qualifier."""
        return self.invoked_arn.split(":", 6)[6]

    @cached_property
    def body(self) -> dict[str, Any]:
        """Where the records are found, without the records."""
        first, last = self.batch[0], self.batch[-1]
        record: dict[str, Any] = {
            "requestContext": {
                "requestId": self.request_id,
                "functionArn": self.function_arn,
                "condition": self.condition,
                "approximateInvokeCount": self.invocations,
            },
        }
        if self.outcome is not None:
            record["responseContext"] = response_context(self.outcome)
        return {
            **record,
            "version": "1.0",
            "timestamp": timestamp(time.time()),
            _INFO[self.mapping.service]: {
                "shardId": self.shard_id,
                "startSequenceNumber": str(first.sequence),
                "endSequenceNumber": str(last.sequence),
                "approximateArrivalOfFirstRecord": timestamp(first.arrived),
                "approximateArrivalOfLastRecord": timestamp(last.arrived),
                "batchSize": len(self.batch),
                "streamArn": self.mapping.source_arn,
            },
        }

    @property
    def stored(self) -> dict[str, Any]:
        """What a bucket gets: the records too."""
        return {
            **self.body,
            "payload": json.dumps({"Records": [each.record for each in self.batch]}),
        }

    @property
    def object_key(self) -> str:
        """The name of the object in a bucket."""
        return object_key(f"{self.mapping.uuid}/{self.shard_id}")
