"""The layer is made in memory, and the choice is one expression."""

import io
import os
import zipfile

import boto3

s3 = boto3.client("s3")


def glibc_of(tag, machine):
    names = {"manylinux1": 205, "manylinux2010": 212, "manylinux2014": 217}
    system, _, rest = tag.partition("_")
    if tag.startswith("manylinux_") and tag.endswith("_" + machine):
        major, minor = rest[: -len(machine) - 1].split("_")
        return int(major) * 100 + int(minor)
    return names.get(system, 9999) if rest == machine else 9999


def choose_wheel(names, runtime, architecture):
    machine = {"arm64": "aarch64"}.get(architecture, architecture)
    most = {"python3.11": 226}.get(runtime, 234)
    own = runtime.replace("python", "cp").replace(".", "")
    parts = {name: name[:-4].split("-") for name in names}
    return max(
        (
            name
            for name, (_, _, python, abi, platform) in parts.items()
            if (abi == "none" and platform == "any" and "py3" in python)
            or (
                python == abi == own
                and min(glibc_of(t, machine) for t in platform.split(".")) <= most
            )
        ),
        key=lambda name: [int(number) for number in parts[name][1].split(".")],
        default=None,
    )


def build_layer(wheel, target):
    output, total = io.BytesIO(), 0
    with (
        zipfile.ZipFile(wheel) as source,
        zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as layer,
    ):
        for entry in source.infolist():
            total += entry.file_size
            if total > 262_144_000:
                raise ValueError(f"more than 250 MB: {entry.filename} is one file too many")
            if any(
                part in ("tests", "test", "__pycache__") for part in entry.filename.split("/")[:-1]
            ):
                continue
            new = zipfile.ZipInfo("python/" + entry.filename, date_time=entry.date_time)
            new.external_attr = (0o40755 << 16) if entry.is_dir() else (0o644 << 16)
            layer.writestr(new, source.read(entry), zipfile.ZIP_DEFLATED, 1)
    with open(target, "wb") as file:
        file.write(output.getvalue())


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
