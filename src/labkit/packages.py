"""The zip files that Lambda takes: a function's code, and Pillow as a layer.

The layer is made of the Pillow that is installed in this Python environment, so that nothing is
downloaded. It fits a Lambda function on the same system and Python minor version as this one.
"""

import functools
import importlib.metadata
import io
import platform
import sys
import zipfile
from collections.abc import Mapping
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path


def function_zip(source: Path) -> bytes:
    """Zip one file of code, at the top of the archive: handler `app.handler` is app.py there."""
    return zipped({source.name: source.read_bytes()})


@functools.cache
def pillow_layer_zip() -> bytes:
    """Zip the installed Pillow under python/, the folder of a layer that Python imports from."""
    distribution = importlib.metadata.distribution("pillow")
    return zipped(
        {
            f"python/{file.as_posix()}": Path(str(distribution.locate_file(file))).read_bytes()
            for file in distribution.files or ()
            if _belongs(file)
        }
    )


def pillow_wheel(extension_suffix: str | None = None) -> tuple[str, bytes]:
    """The file name and content of a wheel with the installed Pillow, by its own metadata.

    With `extension_suffix`, such as ".cpython-39-x86_64-linux-gnu.so", the compiled modules get that
    ending instead of their own: this Python can import them as little as those of a wheel for another one.
    """
    distribution = importlib.metadata.distribution("pillow")
    files = {}
    for file in distribution.files or ():
        if _belongs(file):
            name = file.as_posix()
            own = next((end for end in EXTENSION_SUFFIXES if name.endswith(end)), None)
            if own and extension_suffix:
                name = name.removesuffix(own) + extension_suffix
            files[name] = Path(str(distribution.locate_file(file))).read_bytes()
    tags = [
        line.removeprefix("Tag: ").strip().split("-")
        for line in (distribution.read_text("WHEEL") or "").splitlines()
        if line.startswith("Tag: ")
    ]
    joined = "-".join(".".join(dict.fromkeys(part)) for part in zip(*tags, strict=True))
    return f"pillow-{distribution.version}-{joined}.whl", zipped(files, zipfile.ZIP_STORED)


def pillow_version() -> str:
    """What is in the Pillow layer, in words: "Pillow 13.0.0"."""
    return f"Pillow {importlib.metadata.version('pillow')}"


def runtime() -> str:
    """The Lambda runtime of this Python's minor version, such as python3.13."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def architecture() -> str:
    """This computer's instruction set, in Lambda's words: x86_64 or arm64."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def _belongs(file: importlib.metadata.PackagePath) -> bool:
    top = file.parts[0].lower()
    ours = top in ("pil", "pillow.libs") or top.startswith("pillow-")
    return ours and "__pycache__" not in file.parts


def zipped(files: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Zip files, name in the archive -> content; the same files give the same bytes."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        for name in sorted(files):
            # A date that never changes: the same files give the same bytes.
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = method
            entry.external_attr = 0o644 << 16
            target.writestr(entry, files[name])
    return archive.getvalue()
