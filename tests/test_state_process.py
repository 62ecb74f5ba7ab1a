"""State and processes: a killed server, a second one, and the lab's commands stop and reset."""

import json
import os
import pty
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import boto3
import pytest

from deployment import deploy, invoke, wait_for
from processes import running


class Cloud:
    """A server in a process of its own; `client(name)` as LocalCloud has it."""

    def __init__(self, command):
        self.command = command
        self.endpoint_url = command.line_with("localcloud answers on").split()[-1]
        self._session = boto3.Session("test", "test", region_name="us-east-1")

    def client(self, service):
        return self._session.client(service, endpoint_url=self.endpoint_url)

    def ask(self, page):
        """One of the server's own pages: health or events."""
        with urllib.request.urlopen(f"{self.endpoint_url}/_localcloud/{page}") as answer:
            return json.load(answer)


def server(folder):
    return running("--port", "0", "--state", str(folder), module="localcloud")


def lab(work, *arguments, **options):
    """`lab ARGUMENTS` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "labkit.cli", *arguments],
        env={**os.environ, "LAB_WORK": str(work)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def buckets(cloud):
    return [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]]


def test_a_killed_server_loses_nothing_that_was_written(tmp_path):
    with server(tmp_path) as command:
        cloud = Cloud(command)
        deploy(cloud, "kept", "def handler(event, context): return event\n")
        cloud.client("s3").create_bucket(Bucket="kept")
        put = cloud.client("s3").put_object(Bucket="kept", Key="k", Body=b"x" * 300_000)
        user = cloud.client("iam").create_user(UserName="ada")["User"]
        wait_for(lambda: cloud.ask("health")["state_written"])
        command.interrupt(signal.SIGKILL)
    assert (tmp_path / "lock").read_text(), "a killed server can't tidy up"
    with server(tmp_path) as command:
        cloud = Cloud(command)
        head = cloud.client("s3").head_object(Bucket="kept", Key="k")
        assert (head["ETag"], head["ContentLength"]) == (put["ETag"], 300_000)
        assert cloud.client("iam").get_user(UserName="ada")["User"] == user
        assert invoke(cloud, "kept", {"a": 1})[0] == {"a": 1}
        assert command.interrupt(signal.SIGTERM) == 0
        assert command.lines == [f"localcloud answers on {cloud.endpoint_url}"]


def test_a_server_that_is_asked_to_end_writes_what_was_just_answered(tmp_path):
    with server(tmp_path) as command:
        Cloud(command).client("s3").create_bucket(Bucket="last")
        assert command.interrupt(signal.SIGTERM) == 0
    with server(tmp_path) as command:
        assert buckets(Cloud(command)) == ["last"]


def test_a_second_server_on_the_same_folder_says_whose_it_is(tmp_path):
    with server(tmp_path) as first:
        cloud = Cloud(first)
        with server(tmp_path) as second:
            assert second.ended() == 1
            (line,) = second.lines
        assert line == (
            f"{tmp_path} is in use by the local cloud of process {first.process.pid}, which "
            f"answers on {cloud.endpoint_url}. Stop that one first, or use another folder."
        )
        assert buckets(cloud) == []


def test_an_unreadable_state_is_told_in_one_line(tmp_path):
    (tmp_path / "snapshot").write_bytes(b"no snapshot at all")
    with server(tmp_path) as command:
        said = command.line_with("not brought back")
        assert said.endswith("the local cloud starts empty: deploy again what you need.")
        assert buckets(Cloud(command)) == []
    (aside,) = tmp_path.glob("aside-*")
    assert (aside / "snapshot").read_bytes() == b"no snapshot at all"


def test_lab_stop_and_start_again(tmp_path):
    with running("cloud", "--port", "0", LAB_WORK=str(tmp_path)) as command:
        cloud = Cloud(command)
        cloud.client("s3").create_bucket(Bucket="mine")
        done = lab(tmp_path, "stop")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("The local cloud has stopped.")
        assert command.ended() == 0
    with running("cloud", "--port", "0", LAB_WORK=str(tmp_path)) as command:
        assert buckets(Cloud(command)) == ["mine"]
    again = lab(tmp_path, "stop")  # the last one was killed
    assert (again.returncode, again.stdout) == (
        0,
        "No local cloud of this project is running.\n",
    )


def test_lab_start_brings_back_what_was_there_and_lab_stop_ends_jupyterlab_too(tmp_path):
    with running("cloud", "--port", "0", LAB_WORK=str(tmp_path)) as command:
        Cloud(command).client("s3").create_bucket(Bucket="mine")
        assert command.interrupt() == 0
    with running("start", "--no-browser", "--port", "0", LAB_WORK=str(tmp_path)) as command:
        endpoint = command.line_with("Local cloud:").split()[-1]
        command.line_with("Ctrl-C ends both.")
        family = command.family()
        s3 = boto3.client("s3", "us-east-1", endpoint_url=endpoint, aws_access_key_id="test",
                          aws_secret_access_key="test")  # fmt: skip
        assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["mine"]
        assert lab(tmp_path, "stop").returncode == 0
        assert command.ended() == 0
        assert [member for member in family if member.is_running()] == []


def test_lab_start_beside_a_cloud_of_the_project(tmp_path):
    with running("cloud", "--port", "0", LAB_WORK=str(tmp_path)) as first:
        cloud = Cloud(first)
        with running("start", "--no-browser", "--port", "0", LAB_WORK=str(tmp_path)) as second:
            assert second.ended() == 1
            assert cloud.endpoint_url in second.lines[-1]
            assert second.lines[-1].endswith("`lab stop` ends it.")


def test_lab_reset_empties_a_running_cloud(tmp_path):
    with running("cloud", "--port", "0", LAB_WORK=str(tmp_path)) as command:
        cloud = Cloud(command)
        deploy(cloud, "gone", "def handler(event, context): return 1\n")
        assert invoke(cloud, "gone")[0] == 1
        cloud.client("cloudformation").create_stack(
            StackName="gone", TemplateBody='{"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}}'
        )
        done = lab(tmp_path, "reset", "--cloud", "--yes")
        assert (done.returncode, done.stdout) == (0, "The local cloud is empty.\n")
        assert buckets(cloud) == []
        assert cloud.client("cloudformation").describe_stacks()["Stacks"] == []
        assert cloud.client("lambda").list_functions()["Functions"] == []
        wait_for(lambda: "shutdown" in [entry["type"] for entry in cloud.ask("events")])
        deploy(cloud, "gone", "def handler(event, context): return 2\n")
        assert invoke(cloud, "gone")[0] == 2
        assert command.interrupt() == 0
    with running("cloud", "--port", "0", LAB_WORK=str(tmp_path)) as command:
        cloud = Cloud(command)
        functions = cloud.client("lambda").list_functions()["Functions"]
        assert [function["FunctionName"] for function in functions] == ["gone"]
        assert buckets(cloud) == []


def test_lab_reset_empties_a_cloud_that_does_not_run(tmp_path):
    with running("cloud", "--port", "0", LAB_WORK=str(tmp_path)) as command:
        Cloud(command).client("s3").create_bucket(Bucket="mine")
        assert command.interrupt() == 0
    refused = lab(tmp_path, "reset", "--cloud")
    assert refused.returncode == 1
    assert refused.stdout.endswith("Nothing was deleted.\n")
    assert (tmp_path / "cloud" / "snapshot").exists()
    assert lab(tmp_path, "reset", "--cloud", "--yes").returncode == 0
    assert not (tmp_path / "cloud" / "snapshot").exists()


@pytest.mark.parametrize(("answer", "left"), [(b"y\n", False), (b"\n", True), (b"no\n", True)])
def test_lab_reset_asks_at_a_terminal(tmp_path, answer, left):
    (tmp_path / "cloud").mkdir()
    (tmp_path / "cloud" / "snapshot").write_bytes(b"something")
    ours, theirs = pty.openpty()
    os.write(ours, answer)
    done = subprocess.run(
        [sys.executable, "-m", "labkit.cli", "reset", "--cloud"],
        env={**os.environ, "LAB_WORK": str(tmp_path)},
        stdin=theirs,
        capture_output=True,
        text=True,
        timeout=120,
    )
    os.close(ours)
    os.close(theirs)
    assert "Delete every bucket" in done.stdout
    assert done.returncode == int(left)
    assert (tmp_path / "cloud" / "snapshot").exists() is left


def test_no_page_of_the_web_can_empty_a_cloud(local_cloud):
    local_cloud.client("s3").create_bucket(Bucket="precious")
    address = f"{local_cloud.endpoint_url}/_localcloud/resources"
    for method in ("GET", "POST"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(urllib.request.Request(address, b"{}", method=method))
        assert refused.value.code == 405
        refused.value.close()
    assert buckets(local_cloud) == ["precious"]
