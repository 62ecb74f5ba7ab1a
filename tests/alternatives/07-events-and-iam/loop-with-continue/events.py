# A plain loop that leaves out what is no upload, and unquote after the pluses.
from urllib.parse import unquote


def uploads(event):
    result = []
    if "Records" not in event:
        return result
    for record in event["Records"]:
        if "s3" not in record:
            continue
        kind, _, how = record["eventName"].partition(":")
        if kind != "ObjectCreated":
            continue
        thing = record["s3"]["object"]
        result.append(
            dict(
                version_id=thing.get("versionId"),
                size=thing["size"],
                key=unquote(thing["key"].replace("+", " ")),
                bucket=record["s3"]["bucket"]["name"],
            )
        )
    return result


def handler(event, context):
    return uploads(event)
