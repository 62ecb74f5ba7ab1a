"""The name is read by a regular expression, and the layer is packed from an unpacked folder by shutil."""

import os
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

import boto3

s3 = boto3.client("s3")
NAME = re.compile(
    r"[^-]+-(?P<version>[\d.]+)-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>.+)\.whl"
)
OLD = {"1": 5, "2010": 12, "2014": 17}


def glibc(platform, machine):
    found = re.findall(rf"manylinux(?:_2_(\d+)|(1|2010|2014))_{machine}(?=\.|$)", platform)
    return min((int(new) if new else OLD[old] for new, old in found), default=None)


def choose_wheel(names, runtime, architecture):
    machine = "aarch64" if architecture == "arm64" else architecture
    own = f"cp3{runtime.split('.')[1]}"
    limit = 26 if runtime.endswith(".11") else 34
    fitting = []
    for name in names:
        match = NAME.fullmatch(name)
        if match["platform"] == "any" and "py3" in match["python"].split("."):
            fitting.append(name)
        elif match["python"] == match["abi"] == own:
            needed = glibc(match["platform"], machine)
            if needed is not None and needed <= limit:
                fitting.append(name)
    fitting.sort(key=lambda name: [int(n) for n in NAME.fullmatch(name)["version"].split(".")])
    return fitting[-1] if fitting else None


def build_layer(wheel, target):
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as source:
        keep = [
            name for name in source.namelist() if not re.search(r"(^|/)(__pycache__|tests?)/", name)
        ]
        if sum(source.getinfo(name).file_size for name in keep) > 250 * 2**20:
            raise ValueError("A layer has at most 250 MB")
        python = Path(folder, "layer", "python")
        source.extractall(python, keep)
        for path in python.rglob("*"):
            path.chmod(0o755 if path.is_dir() else 0o644)
        made = shutil.make_archive(f"{folder}/made", "zip", f"{folder}/layer", "python")
        shutil.move(made, target)


def handler(event, context):
    """Choose a wheel and, where the event names a bucket, build the layer and put it there.

    The event has names, runtime and architecture, or the wheel to take; for building it has also the
    bucket, the folder of the wheels there, and the layer's key.
    """
    name = event.get("wheel") or choose_wheel(
        event["names"], event["runtime"], event["architecture"]
    )
    if name and "bucket" in event:
        wheel, layer = f"/tmp/{name}", "/tmp/layer.zip"
        try:
            s3.download_file(event["bucket"], event["folder"] + name, wheel)
            build_layer(wheel, layer)
            s3.upload_file(layer, event["bucket"], event["layer"])
        finally:
            for path in (wheel, layer):
                if os.path.exists(path):
                    os.remove(path)
    return {"wheel": name}
