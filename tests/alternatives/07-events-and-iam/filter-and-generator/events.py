# filter and map, and the four kinds spelt out.
import urllib.parse

KINDS = {f"ObjectCreated:{kind}" for kind in ("Put", "Post", "Copy", "CompleteMultipartUpload")}


def handler(event, context):
    return uploads(event)


def uploads(event):
    records = event.get("Records", ())
    ours = filter(lambda r: r.get("eventSource") == "aws:s3" and r["eventName"] in KINDS, records)
    return [*map(as_dict, ours)]


def as_dict(record):
    key = urllib.parse.parse_qs("k=" + record["s3"]["object"]["key"], separator="\n")["k"][0]
    return {
        "bucket": record["s3"]["bucket"]["name"],
        "key": key,
        "size": int(record["s3"]["object"]["size"]),
        "version_id": record["s3"]["object"].get("versionId", None),
    }
