# Structural pattern matching, and the bucket's name out of its ARN.
from urllib.parse import unquote_to_bytes


def handler(event, context):
    found = uploads(event)
    print(found)
    return found


def uploads(event):
    return list(created(event))


def created(event):
    for record in event.get("Records") or ():
        match record:
            case {
                "eventSource": "aws:s3",
                "eventName": str(name),
                "s3": {"bucket": {"arn": arn}, "object": {"key": key, "size": size, **rest}},
            } if name.split(":")[0] == "ObjectCreated":
                yield {
                    "bucket": arn.split(":")[-1],
                    "key": unquote_to_bytes(key.replace("+", "%20")).decode(),
                    "size": size,
                    "version_id": rest.get("versionId"),
                }
