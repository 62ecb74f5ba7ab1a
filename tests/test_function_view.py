"""What a function sees: paths, variables, context, credentials, layers; and nothing of the server."""

import os
import sys

import pytest

from deployment import RUNTIME, deploy, invoke, make_role, zip_of

LOOK = """
    import os, sys, json
    import boto3

    def handler(event, context):
        context_names = ("function_name", "function_version", "invoked_function_arn",
                         "memory_limit_in_mb", "log_group_name", "log_stream_name", "tenant_id")
        return {
            "env": dict(os.environ),
            "path": sys.path,
            "cwd": os.getcwd(),
            "uid": os.getuid(),
            "context": {name: getattr(context, name) for name in context_names},
            "remaining": context.get_remaining_time_in_millis(),
            "who": boto3.client("sts").get_caller_identity()["Arn"],
        }
"""


@pytest.fixture(scope="module")
def seen(local_cloud):
    """What the looking function returned, with a secret in the server's environment meanwhile."""
    os.environ["SERVER_SECRET"] = "not for functions"
    try:
        deploy(local_cloud, "look", LOOK, Environment={"Variables": {"STAGE": "test"}})
        return invoke(local_cloud, "look")[0]
    finally:
        del os.environ["SERVER_SECRET"]


def test_variables(seen, local_cloud):
    env = seen["env"]
    assert "SERVER_SECRET" not in env
    assert env["STAGE"] == "test"
    assert env["_HANDLER"] == "app.handler"
    assert env["AWS_EXECUTION_ENV"] == f"AWS_Lambda_{RUNTIME}"
    assert env["AWS_LAMBDA_FUNCTION_NAME"] == "look"
    assert env["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert env["AWS_LAMBDA_INITIALIZATION_TYPE"] == "on-demand"
    assert env["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/look"
    assert env["AWS_REGION"] == env["AWS_DEFAULT_REGION"] == "us-east-1"
    assert env["TZ"] == ":UTC"
    assert env["AWS_ENDPOINT_URL"] == local_cloud.endpoint_url
    assert env["_X_AMZN_TRACE_ID"].startswith("Root=1-")


def test_context(seen):
    context = seen["context"]
    assert context["memory_limit_in_mb"] == "128"
    assert context["invoked_function_arn"] == (
        "arn:aws:lambda:us-east-1:000000000000:function:look"
    )
    assert context["function_version"] == "$LATEST"
    assert context["log_stream_name"] == seen["env"]["AWS_LAMBDA_LOG_STREAM_NAME"]
    assert 9_000 < seen["remaining"] <= 10_000


def test_role_credentials_act_as_the_role(seen):
    assert seen["who"] == "arn:aws:sts::000000000000:assumed-role/look-role/look"


def test_namespaces_show_the_paths_of_lambda(seen, local_cloud):
    if local_cloud.isolation.name == "plain process":
        pytest.skip("needs namespaces")
    assert seen["cwd"] == "/var/task"
    assert seen["uid"] == 993
    assert seen["path"][:3] == [
        "/var/task",
        f"/opt/python/lib/{RUNTIME}/site-packages",
        "/opt/python",
    ]


def test_home_is_out_of_sight_and_task_is_read_only(local_cloud):
    if local_cloud.isolation.name == "plain process":
        pytest.skip("needs namespaces")
    deploy(
        local_cloud,
        "peek",
        """
        import os
        def handler(event, context):
            try:
                open("/var/task/new", "w")
                written = True
            except OSError:
                written = False
            return {"home": os.path.exists(event["home"]), "written": written}
        """,
    )
    payload, _, _ = invoke(local_cloud, "peek", {"home": os.path.expanduser("~")})
    assert payload == {"home": False, "written": False}


def test_tmp_has_the_size_asked_for(local_cloud):
    if local_cloud.isolation.name == "plain process":
        pytest.skip("needs namespaces")
    source = """
        import os
        def handler(event, context):
            try:
                with open("/tmp/large", "wb") as file:
                    for _ in range(event["mb"]):
                        file.write(bytes(1024 * 1024))
                return "written"
            except OSError as error:
                return error.strerror
            finally:
                os.remove("/tmp/large")
    """
    deploy(local_cloud, "tmp", source, MemorySize=1024)
    assert invoke(local_cloud, "tmp", {"mb": 600})[0] == "No space left on device"
    assert invoke(local_cloud, "tmp", {"mb": 400})[0] == "written"


@pytest.mark.parametrize(
    ("handler", "files"),
    [
        ("pkg/app.handler", {"pkg/app.py": "def handler(e, c): return 'ok'\n"}),
        ("pkg.app.handler", {"pkg/__init__.py": "", "pkg/app.py": "def handler(e, c): return 'ok'\n"}),
        ("deep/er/app.go", {"deep/er/app.py": "def go(e, c): return 'ok'\n"}),
    ],
)  # fmt: skip
def test_handler_strings(local_cloud, handler, files):
    name = "handler-" + handler.replace("/", "-").replace(".", "_")
    deploy(local_cloud, name, files, Handler=handler)
    assert invoke(local_cloud, name)[0] == "ok"


def test_pillow_is_not_in_the_runtime(local_cloud):
    deploy(local_cloud, "no-pillow", "import PIL\ndef handler(e, c): return 1\n")
    payload, _, _ = invoke(local_cloud, "no-pillow")
    assert payload["errorMessage"] == "Unable to import module 'app': No module named 'PIL'"


def test_layers_merge_in_order_and_the_last_wins(local_cloud):
    client = local_cloud.client("lambda")
    site = f"python/lib/python3.{sys.version_info.minor}/site-packages"
    contents = [
        {"python/shared.py": "who = 'first'\n", "python/one.py": "x = 1\n", "bin/tool": "#!/bin/sh\n"},
        {"python/shared.py": "who = 'second'\n", f"{site}/two.py": "x = 2\n", "lib/libx.so": "x"},
    ]  # fmt: skip
    arns = [
        client.publish_layer_version(LayerName=f"layer{i}", Content={"ZipFile": zip_of(files)})[
            "LayerVersionArn"
        ]
        for i, files in enumerate(contents)
    ]
    source = """
        import os, one, two, shared
        opt = os.path.dirname(os.path.dirname(shared.__file__))
        def handler(event, context):
            return [one.x, two.x, shared.who, sorted(os.listdir(opt))]
    """
    role = make_role(local_cloud, "layers-role")
    deploy(local_cloud, "layers", source, role, Layers=arns)
    assert invoke(local_cloud, "layers")[0] == [1, 2, "second", ["bin", "lib", "python"]]
    deploy(local_cloud, "layers-reversed", source, role, Layers=arns[::-1])
    assert invoke(local_cloud, "layers-reversed")[0][2] == "first"


def test_package_wins_over_layer(local_cloud):
    client = local_cloud.client("lambda")
    arn = client.publish_layer_version(
        LayerName="loser", Content={"ZipFile": zip_of({"python/mine.py": "who = 'layer'\n"})}
    )["LayerVersionArn"]
    files = {
        "app.py": "import mine\ndef handler(e, c): return mine.who\n",
        "mine.py": "who='code'\n",
    }
    deploy(local_cloud, "winner", files, Layers=[arn])
    assert invoke(local_cloud, "winner")[0] == "code"


def test_a_deleted_layer_version_stays_with_the_functions_that_use_it(local_cloud):
    client = local_cloud.client("lambda")
    version = client.publish_layer_version(
        LayerName="short-lived", Content={"ZipFile": zip_of({"python/kept.py": "X = 1"})}
    )
    deploy(
        local_cloud,
        "keeps-its-layer",
        "import kept\ndef handler(e, c): return kept.X\n",
        Layers=[version["LayerVersionArn"]],
    )
    for _ in range(2):  # a success also where there is nothing to delete
        client.delete_layer_version(LayerName="short-lived", VersionNumber=version["Version"])
    assert client.list_layer_versions(LayerName="short-lived")["LayerVersions"] == []
    assert invoke(local_cloud, "keeps-its-layer")[0] == 1
    client.update_function_configuration(FunctionName="keeps-its-layer", MemorySize=256)
    assert invoke(local_cloud, "keeps-its-layer")[0] == 1
    shown = client.get_function_configuration(FunctionName="keeps-its-layer")["Layers"]
    assert [layer["Arn"] for layer in shown] == [version["LayerVersionArn"]]
    client.delete_layer_version(LayerName="never-published", VersionNumber=1)
