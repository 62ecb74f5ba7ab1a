"""Build a layer of Pillow from the right wheel, in a Lambda function of its own.

choose_wheel(names, runtime, architecture) picks from a list of wheel file names the newest version
that a function of that runtime ("python3.11" to "python3.14") and architecture ("x86_64" or "arm64")
can import. It returns None where no wheel fits.

build_layer(wheel, target) writes the zip of a layer to the file `target`, made from the file `wheel`.
All that the wheel installs lies under python/ there, but for compiled caches (__pycache__) and
folders of tests. Everybody may read every file. Files of more than 250 MB, unpacked, are no layer:
ValueError says so, before anything is written.

handler(event, context) is done: it takes the list, calls both, and puts the layer into the bucket.
"""

import os
import zipfile

import boto3

# The glibc of each runtime's system: Amazon Linux 2 for python3.11, Amazon Linux 2023 for those after it.
GLIBC = {
    "python3.11": (2, 26),
    "python3.12": (2, 34),
    "python3.13": (2, 34),
    "python3.14": (2, 34),
}
# What Lambda calls an architecture, and what wheels call it.
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
# Older names of manylinux tags (PEP 600).
OLD_NAMES = {
    "manylinux1": "manylinux_2_5",
    "manylinux2010": "manylinux_2_12",
    "manylinux2014": "manylinux_2_17",
}
# Lambda's limit for a function and all its layers together, unpacked, in bytes.
LARGEST = 250 * 1024 * 1024

s3 = boto3.client("s3")


def fits_python(pythons, abis, runtime):
    """Whether a wheel's tags of Python and ABI, two lists such as ["cp313"], fit the runtime.

    python3.13 takes cp313 with the ABI cp313, and wheels with nothing compiled: py3 with the ABI none.
    """
    # TODO 1: Compare the tags with the runtime's own, such as cp313 for python3.13.
    return False


def fits_platform(tag, runtime, architecture):
    """Whether one platform tag, such as manylinux_2_28_x86_64, fits runtime and architecture."""
    if tag == "any":
        return True
    # TODO 2: Is the tag for this machine? Return False if not. What stands before it is the system.
    system = tag
    # TODO 3: Only manylinux is for Lambda, and only if it asks for no newer glibc than GLIBC[runtime].
    return OLD_NAMES.get(system, system) == "manylinux_2_28"


def fits(name, runtime, architecture):
    """Whether a function of this runtime and architecture can import what is in the wheel."""
    # pillow-13.0.0-cp313-cp313-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl: the last three parts
    # are tags, and each may hold several with dots between them. One that fits is enough.
    pythons, abis, platforms = name.removesuffix(".whl").split("-")[-3:]
    return fits_python(pythons.split("."), abis.split("."), runtime) and any(
        fits_platform(tag, runtime, architecture) for tag in platforms.split(".")
    )


def choose_wheel(names, runtime, architecture):
    """Return the name of the newest wheel that fits, or None."""
    fitting = [name for name in names if fits(name, runtime, architecture)]
    # TODO 4: Return the newest version, and None where nothing fits. 12.2.0 is newer than 9.5.0.
    return fitting[0] if fitting else None


def version_of(name):
    """Return the version in a wheel's name as numbers: (13, 0, 0)."""
    return tuple(int(number) for number in name.split("-")[1].split("."))


def is_needed(path):
    """Whether a file of the wheel belongs into the layer; `path` is such as PIL/Image.py."""
    # TODO 5: Leave out what lies in a folder __pycache__, test or tests. The licence stays.
    return True


def build_layer(wheel, target):
    """Write the layer's zip to the file `target`, made from the file `wheel`. Raises ValueError."""
    with zipfile.ZipFile(wheel) as source:
        entries = [e for e in source.infolist() if not e.is_dir() and is_needed(e.filename)]
        # TODO 6: Raise ValueError if the files are more than LARGEST. An entry knows its file_size.
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as layer:
            for entry in entries:
                # TODO 7: Write it under python/. Everybody may read it: external_attr = 0o644 << 16.
                layer.writestr(entry, source.read(entry))


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
