"""Names of wheels, right and wrong ones for a Lambda function, and a made-up wheel to build a layer from."""

import io
import random
import zipfile
from collections.abc import Iterable

RUNTIMES = ("python3.11", "python3.12", "python3.13", "python3.14")
# What Lambda calls an architecture, and what wheels call it.
MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
# The tags of systems that Lambda is not.
ELSEWHERE = (
    "musllinux_1_2_x86_64", "musllinux_1_2_aarch64", "macosx_10_13_x86_64", "macosx_11_0_arm64",
    "win32", "win_amd64", "win_arm64", "ios_13_0_arm64_iphoneos", "android_21_x86_64",
)  # fmt: skip
OTHER_PYTHONS = ("cp39", "cp310", "cp311", "cp312", "cp313", "cp314", "cp315")


def tag_of(runtime: str) -> str:
    """The tag of a runtime's Python: cp313 for python3.13."""
    return "cp" + runtime.removeprefix("python").replace(".", "")


def wheel(version: str, python: str, platforms: str | Iterable[str], abi: str | None = None) -> str:
    """The file name of a Pillow wheel; several platform tags are joined as wheels do."""
    joined = platforms if isinstance(platforms, str) else ".".join(platforms)
    return f"pillow-{version}-{python}-{abi or python}-{joined}.whl"


def old_and_new(machine: str) -> list[str]:
    """What Pillow 13.0.0 and 12.2.0 have for Linux, for each Python: only 12.2.0 runs on glibc 2.17."""
    new = (f"manylinux_2_27_{machine}", f"manylinux_2_28_{machine}")
    old = (f"manylinux2014_{machine}", f"manylinux_2_17_{machine}")
    return [
        wheel(version, tag_of(runtime), platforms)
        for version, platforms in (("13.0.0", new), ("12.2.0", old))
        for runtime in RUNTIMES
    ]


def shuffled(rng: random.Random, names: Iterable[str]) -> list[str]:
    """The names in another order."""
    listed = list(names)
    rng.shuffle(listed)
    return listed


# A library that does not exist, with what wheels hold: path -> whether a layer needs it.
SWATCHES = {
    "swatches/__init__.py": True,
    "swatches/latest.py": True,
    "swatches/testing.py": True,
    "swatches/contests/__init__.py": True,
    "swatches/data/colours.json": True,
    "swatches/_mix.cpython-313-x86_64-linux-gnu.so": True,
    "swatches.libs/libmix-1a2b3c4d.so.2.0": True,
    "swatches-1.4.0.dist-info/METADATA": True,
    "swatches-1.4.0.dist-info/licenses/LICENSE": True,
    "swatches/__pycache__/latest.cpython-313.pyc": False,
    "swatches/contests/__pycache__/__init__.cpython-313.pyc": False,
    "swatches/tests/__init__.py": False,
    "swatches/tests/pictures/red.txt": False,
    "swatches/test/test_latest.py": False,
}


def swatches(rng: random.Random) -> dict[str, bytes]:
    """The files of that wheel: path -> content, another content in every run."""
    return {path: rng.randbytes(40) for path in SWATCHES}


def packed(files: dict[str, bytes]) -> bytes:
    """A wheel of these files, which only their owner may read."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, (2026, 10, 15, 0, 0, 0))
            entry.external_attr = 0o600 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content, compresslevel=1)
    return archive.getvalue()
