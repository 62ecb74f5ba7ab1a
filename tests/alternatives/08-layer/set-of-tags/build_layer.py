"""All tags that the runtime takes are written down first, as pip does; a wheel is looked up among them."""

import os
import zipfile

import boto3

s3 = boto3.client("s3")


def accepted(runtime, architecture):
    own = "cp" + runtime[len("python") :].replace(".", "")
    machine = {"x86_64": "x86_64", "arm64": "aarch64"}[architecture]
    newest = 26 if runtime == "python3.11" else 34
    systems = [f"manylinux_2_{minor}" for minor in range(newest, 4, -1)]
    systems += ["manylinux2014", "manylinux2010", "manylinux1"]
    return {(own, own, f"{system}_{machine}") for system in systems} | {("py3", "none", "any")}


def tags(name):
    pythons, abis, platforms = (part.split(".") for part in name[: -len(".whl")].split("-")[2:])
    return {(p, a, s) for p in pythons for a in abis for s in platforms}


def choose_wheel(names, runtime, architecture):
    good = accepted(runtime, architecture)
    best = None
    for name in names:
        version = [int(n) for n in name.split("-")[1].split(".")]
        if tags(name) & good and (best is None or version > best[0]):
            best = (version, name)
    return best[1] if best else None


def build_layer(wheel, target):
    with zipfile.ZipFile(wheel) as source:
        wanted = {}
        for entry in source.infolist():
            folders = set(entry.filename.split("/")[:-1])
            if not folders & {"test", "tests", "__pycache__"} and not entry.is_dir():
                wanted[entry.filename] = entry.file_size
        if sum(wanted.values()) > 250 << 20:
            raise ValueError("too large")
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as layer:
            for name in sorted(wanted):
                info = zipfile.ZipInfo("python/" + name)
                info.external_attr = 0o100755 << 16
                layer.writestr(info, source.read(name))


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
