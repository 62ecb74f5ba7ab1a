"""Reading S3's objects from inside, as a knowledge base does in the name of its role."""

from dataclasses import dataclass

from moto.s3.models import FakeDeleteMarker, FakeKey, s3_backends


@dataclass(frozen=True)
class ObjectSummary:
    """An object as a listing shows it; `size` is in bytes."""

    key: str
    etag: str
    size: int


def list_objects(bucket: str, prefix: str, account_id: str) -> list[ObjectSummary]:
    """The newest versions of a bucket's objects by key. Raises KeyError where there is no bucket."""
    keys = s3_backends[account_id]["aws"].buckets[bucket].keys
    found = []
    for name in sorted(keys):
        newest = keys.get(name)
        if name.startswith(prefix) and isinstance(newest, FakeKey):
            found.append(ObjectSummary(name, newest.etag, newest.size))
    return found


def read_object(bucket: str, key: str, account_id: str) -> bytes:
    """An object's content. Raises KeyError where it is gone."""
    newest = s3_backends[account_id]["aws"].buckets[bucket].keys.get(key)
    if newest is None or isinstance(newest, FakeDeleteMarker):
        raise KeyError(key)
    return newest.value
