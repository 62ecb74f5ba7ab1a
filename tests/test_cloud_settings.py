"""Settings of LocalCloud, each test with a cloud of its own."""

import socket

import pytest

from deployment import deploy, invoke, log_messages, wait_for, zip_of
from localcloud import LocalCloud, PortInUse


def test_idle_and_old_environments_end():
    with LocalCloud(port=0, idle_timeout_s=0.2, max_age_s=3600) as cloud:
        deploy(cloud, "short", "def handler(e, c): return 1\n")
        invoke(cloud, "short")
        wait_for(lambda: [e for e in cloud.record.entries() if e["type"] == "shutdown"])
        assert "Init Duration" in invoke(cloud, "short")[2]
    with LocalCloud(port=0, max_age_s=0.0) as cloud:
        deploy(cloud, "old", "def handler(e, c): return 1\n")
        assert "Init Duration" in invoke(cloud, "old")[2]
        assert "Init Duration" in invoke(cloud, "old")[2]
        reasons = [e["reason"] for e in cloud.record.entries() if e["type"] == "shutdown"]
        assert reasons == ["max age", "max age"]


def test_packages_of_deleted_functions_go(tmp_path):
    with LocalCloud(port=0, folder=tmp_path, packages_kept_s=0.1) as cloud:
        layer = cloud.client("lambda").publish_layer_version(
            LayerName="shared", Content={"ZipFile": zip_of({"python/shared.py": "x = 1\n"})}
        )["LayerVersionArn"]
        for name in ("stays", "goes"):
            source = f"import shared\ndef handler(e, c): return '{name}'\n"
            deploy(cloud, name, source, Layers=[layer])
            invoke(cloud, name)
        packages = tmp_path / "packages"
        before = len(list(packages.iterdir()))
        cloud.client("lambda").delete_function(FunctionName="goes")
        wait_for(lambda: len(list(packages.iterdir())) == before - 1)
        cloud.client("lambda").update_function_configuration(FunctionName="stays", Timeout=9)
        assert invoke(cloud, "stays")[0] == "stays"
        cloud.client("lambda").delete_function(FunctionName="stays")
        wait_for(lambda: not list(packages.iterdir()))


def test_retries_of_a_failing_event_keep_its_request_id():
    with LocalCloud(port=0, event_speed=600) as cloud:
        deploy(cloud, "fails", "def handler(e, c): raise ValueError('again')\n")
        cloud.client("lambda").invoke(FunctionName="fails", InvocationType="Event", Payload=b"{}")
        wait_for(lambda: sum(e["type"] == "invoke.end" for e in cloud.record.entries()) == 3)
        ids = {e["request_id"] for e in cloud.record.entries() if e["type"] == "invoke.end"}
        assert len(ids) == 1


@pytest.mark.parametrize(
    ("isolation", "runtime_client"),
    [
        ("plain", "native"),
        ("plain", "python"),
        ("auto", "python"),
        pytest.param("unshare", "native", marks=pytest.mark.needs("unshare")),
    ],
)
def test_other_isolation_and_runtime_clients(isolation, runtime_client):
    with LocalCloud(port=0, isolation=isolation, runtime_client=runtime_client) as cloud:
        source = """
            import sys
            def handler(event, context):
                print("native", "runtime_client" in sys.modules
                      and sys.modules["runtime_client"].__file__.endswith(".so"))
                if event.get("raise"):
                    raise ValueError("no")
                return event
        """
        deploy(cloud, "other", source)
        assert invoke(cloud, "other", {"a": "é" * 100_000})[0] == {"a": "é" * 100_000}
        assert invoke(cloud, "other", {"raise": 1})[0]["errorType"] == "ValueError"
        wanted = f"native {runtime_client == 'native'}\n"
        assert wanted in log_messages(cloud, "/aws/lambda/other", "REPORT")


def test_a_taken_port_is_named_with_a_free_one():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortInUse, match=f"port {port} is in use") as caught:
            LocalCloud(port=port).start()
    with LocalCloud(port=caught.value.free_port) as cloud:
        assert cloud.client("s3").list_buckets()["Buckets"] == []


def test_one_cloud_in_a_process_and_none_left_behind():
    with LocalCloud(port=0) as cloud:
        cloud.client("s3").create_bucket(Bucket="mine")
        with pytest.raises(RuntimeError, match="runs a LocalCloud already"):
            LocalCloud(port=0).start()
    with LocalCloud(port=0) as cloud:
        assert cloud.client("s3").list_buckets()["Buckets"] == []
