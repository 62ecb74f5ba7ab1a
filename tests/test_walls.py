"""The four walls between the kit's parts: who may import what."""

import ast
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCALCLOUD, LABKIT = ROOT / "src" / "localcloud", ROOT / "src" / "labkit"


def imports(source):
    """Every module that the source imports, by statement or by a name given to importlib."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module)
        elif isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            given = node.args[0]
            if name in ("import_module", "__import__") and isinstance(given, ast.Constant):
                found.add(str(given.value))
    return found


def notebook_source(path):
    """A notebook's code, without its magics."""
    cells = json.loads(path.read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return "\n".join(
        line for line in "\n".join(code).splitlines() if not line.lstrip().startswith(("%", "!"))
    )


def offenders(paths, forbidden):
    """The files that import a forbidden package, as 'path: module' lines."""
    lines = []
    for path in paths:
        source = notebook_source(path) if path.suffix == ".ipynb" else path.read_text()
        for module in imports(source):
            if module.split(".")[0] in forbidden:
                lines.append(f"{path.relative_to(ROOT)}: {module}")
    return lines


def python_files(folder):
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize(
    "source",
    [
        "import moto",
        "import moto.server as s",
        "from moto.core import utils",
        "def later():\n    from moto import x",
        "importlib.import_module('moto.s3')",
        "__import__('moto')",
    ],
)
def test_the_scan_sees_every_kind_of_import(source):
    assert any(module.split(".")[0] == "moto" for module in imports(source))


def test_the_scan_sees_something():
    assert "moto.s3" in imports((LOCALCLOUD / "control_plane" / "buckets.py").read_text())
    assert "boto3" in imports(notebook_source(ROOT / "notebooks" / "00-start-here.ipynb"))


def test_localcloud_never_imports_labkit():
    assert offenders(python_files("src/localcloud"), {"labkit"}) == []


def test_learning_material_reaches_the_cloud_through_boto3_alone():
    material = python_files("solutions") + sorted((ROOT / "notebooks").rglob("*.ipynb"))
    assert material
    assert offenders(material, {"localcloud", "labkit", "moto"}) == []
    assert offenders(python_files("checks"), {"localcloud", "moto"}) == []


def test_only_the_control_plane_imports_moto():
    outside = [
        path
        for folder in ("src", "checks", "solutions", "benchmarks")
        for path in python_files(folder)
        if LOCALCLOUD / "control_plane" not in path.parents
    ]
    assert offenders(outside, {"moto"}) == []


def test_labkit_uses_localcloud_only_by_its_front():
    modules = set().union(*(imports(path.read_text()) for path in python_files("src/labkit")))
    used = {module for module in modules if module.split(".")[0] == "localcloud"}
    assert used <= {"localcloud", "localcloud.__main__"}


def test_lab_holds_only_what_solutions_hold():
    made = {
        path.relative_to(ROOT / "lab")
        for path in (ROOT / "lab").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    known = {path.relative_to(ROOT / "solutions") for path in (ROOT / "solutions").rglob("*")}
    assert made <= known
