# A dataclass for an upload; what can't be read is caught as KeyError, record by record.
from dataclasses import asdict, dataclass
from urllib.parse import unquote_plus


@dataclass(frozen=True)
class Upload:
    bucket: str
    key: str
    size: int
    version_id: str | None

    @classmethod
    def of(cls, record):
        if record["eventSource"] != "aws:s3" or "Created" not in record["eventName"].split(":")[0]:
            return None
        s3 = record["s3"]
        item = s3["object"]
        return cls(
            s3["bucket"]["name"], unquote_plus(item["key"]), item["size"], item.get("versionId")
        )


def uploads(event):
    found = []
    for record in event.get("Records", []):
        try:
            upload = Upload.of(record)
        except KeyError:
            continue
        if upload:
            found.append(asdict(upload))
    return found


def handler(event, context):
    return uploads(event)
