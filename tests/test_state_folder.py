"""The folder of a state: one server uses it alone, and what can't be read in it is put aside."""

import re
import socket

import pytest

from localcloud import LocalCloud, PortInUse, StateInUse, empty_state, find_server


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "state"


def damaged(folder, content):
    """A cloud on the folder that has ended, after its snapshot was changed."""
    snapshot = folder / "snapshot"
    snapshot.write_bytes(content(snapshot.read_bytes()))
    return LocalCloud(port=0, state=folder)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda raw: raw[: len(raw) // 2], "it is damaged"),
        (lambda raw: raw[:-40] + bytes(40), "it is damaged"),
        (lambda raw: b"", "it is damaged"),
        (lambda raw: raw.replace(b'"moto": "', b'"moto": "0.', 1), "written by another version"),
        (lambda raw: raw.replace(b'"format": ', b'"format": 9', 1), "written by another version"),
        # Stacks of this one have topics, tables, parameters and dashboards that can't be updated now.
        (
            lambda raw: re.sub(rb'"format": \d+', b'"format": 1', raw, count=1),
            "version (format 1, ",
        ),
    ],
    ids=["truncated", "overwritten", "empty", "other moto", "other format", "first format"],
)
def test_a_state_that_cannot_be_read_is_put_aside(folder, caplog, content, words):
    with LocalCloud(port=0, state=folder) as cloud:
        cloud.client("s3").create_bucket(Bucket="precious")
        cloud.client("s3").put_object(Bucket="precious", Key="k", Body=bytes(300_000))
    with damaged(folder, content) as cloud:
        assert cloud.client("s3").list_buckets()["Buckets"] == []
        cloud.client("s3").create_bucket(Bucket="fresh")
    (aside,) = folder.glob("aside-*")
    assert {path.name for path in aside.iterdir()} == {"snapshot", "objects", "logs"}
    assert len(list((aside / "objects").iterdir())) == 1
    (said,) = [r.getMessage() for r in caplog.records if "not brought back" in r.getMessage()]
    assert words in said
    assert str(aside) in said and said.endswith("deploy again what you need.")
    assert "Traceback" not in caplog.text
    with LocalCloud(port=0, state=folder) as cloud:
        assert [b["Name"] for b in cloud.client("s3").list_buckets()["Buckets"]] == ["fresh"]


def test_a_server_uses_its_folder_alone(folder):
    with LocalCloud(port=0, state=folder) as cloud:
        found = find_server(folder)
        assert found.endpoint_url == cloud.endpoint_url
        with pytest.raises(StateInUse, match=f"process {found.pid}, which answers on http"):
            empty_state(folder)
        assert cloud.client("s3").list_buckets()["Buckets"] == []
    assert find_server(folder) is None
    assert find_server(folder / "nowhere") is None


def test_a_failed_start_leaves_the_folder_free(folder):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortInUse):
            LocalCloud(port=other.getsockname()[1], state=folder).start()
    with LocalCloud(port=0, state=folder) as cloud:
        assert cloud.client("s3").list_buckets()["Buckets"] == []
