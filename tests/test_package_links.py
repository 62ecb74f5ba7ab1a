"""Links in a zip lead to places inside it, and nowhere else: whoever unpacks it is outside all isolation."""

import io
import stat
import zipfile

import pytest

from deployment import deploy, invoke, zip_of

APP = """
import os
def handler(event, context):
    places = [place for top in ("/var/task", "/opt") for place in os.walk(top)]
    found = [os.path.join(place, name) for place, folders, names in places for name in (*folders, *names)]
    return {"found": found, "read": open("/opt/python/alias.py").read() if event else None}
"""
DEPTH = 12


def with_links(files, links):
    """A zip with symbolic links, which come before the files as they do in zip's own order."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, aim in links.items():
            link = zipfile.ZipInfo(name)
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, aim)
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def way_out(folder):
    """Links each of which stays inside by its words, and which together lead to a folder of the machine."""
    deep = "/".join("abcdefghijkl")
    return {f"{deep}/top": "../" * DEPTH, f"{deep}/out": "top" + "/.." * DEPTH + str(folder)}


@pytest.fixture
def outside(tmp_path):
    """A folder of the machine, and the way there."""
    deep = "/".join("abcdefghijkl")
    (tmp_path / "secret.py").write_text("SECRET = 'solution'")
    return tmp_path, deep


def update(cloud, name, code):
    functions = cloud.client("lambda")
    functions.update_function_code(FunctionName=name, ZipFile=code)
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def test_a_package_neither_writes_nor_reads_outside(local_cloud, outside):
    folder, deep = outside
    deploy(local_cloud, "packed", APP)
    links = way_out(folder) | {
        "stolen.py": f"{deep}/out/secret.py",
        "absolute.py": f"{folder}/secret.py",
    }
    files = {"app.py": APP, f"{deep}/out/evil.py": "evil = 1"}
    update(local_cloud, "packed", with_links(files, links))
    answer, error, _ = invoke(local_cloud, "packed")
    assert error is None
    assert [path.name for path in folder.iterdir()] == ["secret.py"]
    assert "/var/task/absolute.py" not in answer["found"]
    assert not [
        path for path in answer["found"] if "stolen.cpython" in path
    ]  # compiled from outside


def test_layers_that_lead_out_together_do_not_either(local_cloud, outside):
    folder, deep = outside
    top, out = way_out(folder).items()
    functions = local_cloud.client("lambda")
    layers = [
        functions.publish_layer_version(LayerName=f"out-{n}", Content={"ZipFile": code})["LayerVersionArn"]
        for n, code in enumerate((
            with_links({"python/x.py": ""}, dict([top])),
            with_links({"python/y.py": ""}, dict([out])),
            zip_of({f"{deep}/out/evil.py": "evil = 1", "python/z.py": ""}),
        ))
    ]  # fmt: skip
    deploy(local_cloud, "layered", APP, Layers=layers)
    answer, error, _ = invoke(local_cloud, "layered")
    assert error is None and "/opt/python/z.py" in answer["found"]
    assert [path.name for path in folder.iterdir()] == ["secret.py"]


def test_links_that_stay_inside_work(local_cloud):
    functions = local_cloud.client("lambda")
    code = with_links({"lib/real.py": "value = 7"}, {"python/alias.py": "../lib/real.py"})
    layer = functions.publish_layer_version(LayerName="linked", Content={"ZipFile": code})
    deploy(local_cloud, "linked", APP, Layers=[layer["LayerVersionArn"]])
    answer, error, _ = invoke(local_cloud, "linked", {"read": True})
    assert error is None and answer["read"] == "value = 7"
