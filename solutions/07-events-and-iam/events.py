"""What an S3 event says: the objects that were created.

Lambda calls handler() with an event. Most events come from S3, but not all, and not all tell of an upload.
"""

import json
from urllib.parse import unquote_plus


def handler(event, context):
    """Return the uploads of the event, and write them to the log. This function is finished."""
    found = uploads(event)
    print(json.dumps(found))
    return found


def uploads(event):
    """Return one dict for each object that the event says was created, in the event's order.

    A dict has "bucket" and "key" (both as you would use them in a call), "size" in bytes, and
    "version_id", which is None where the bucket keeps no versions. An event that tells of no upload
    gives an empty list: S3's test event, an event of another service, an event without "Records".
    """
    # >>> TODO 1: Return upload(record) for every record that is an upload. Some events have no "Records".
    return [upload(record) for record in event.get("Records", []) if is_upload(record)]
    #| raise NotImplementedError("TODO 1: go through all records of the event")
    # <<<


def is_upload(record):
    """Tell whether the record comes from S3 and says that an object was created, in whichever way."""
    # >>> TODO 2: Look at the record's source ("aws:s3") and at its event name. Not every record has both.
    from_s3 = record.get("eventSource") == "aws:s3"
    return from_s3 and record["eventName"].startswith("ObjectCreated:")
    #| raise NotImplementedError("TODO 2: tell uploads from all other records")
    # <<<


def upload(record):
    """Return the dict of one record."""
    bucket, item = record["s3"]["bucket"], record["s3"]["object"]
    return {
        "bucket": bucket["name"],
        # >>> TODO 3: Undo the encoding of the key: S3 writes "my photo.jpg" as "my+photo.jpg".
        "key": unquote_plus(item["key"]),
        #| "key": item["key"],
        # <<<
        "size": item["size"],
        # >>> TODO 4: Give the version's id. Where the bucket keeps no versions, the record has none.
        "version_id": item.get("versionId"),
        #| "version_id": "TODO 4",
        # <<<
    }
