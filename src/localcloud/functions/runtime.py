"""The managed runtime's software, in one folder: what stands at /var/runtime.

It holds awslambdaric, boto3 and what these two need, as Lambda's runtime does, and nothing else that
happens to be installed: Pillow has to come from a layer, here as on AWS.
"""

import compileall
import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).parent
_OURS = ("bootstrap.py", "fork_server.py", "kernel.py", "namespace_root.py")
_DISTRIBUTIONS = ("awslambdaric", "boto3")
RUNTIME_VERSION = "python:{}.{}.v{}".format(*platform.python_version_tuple())


def native_client_available() -> bool:
    """Whether AWS's native runtime client can be imported here (it is built for Linux only)."""
    return importlib.util.find_spec("runtime_client") is not None


def prepare_runtime(native_client: bool) -> Path:
    """Return the runtime's folder, made once for each set of package versions.

    It lies in the Python environment that localcloud is installed in, or in the temporary folder
    where that can't be written to.
    """
    distributions = _closure(_DISTRIBUTIONS)
    client = "native" if native_client else "python"
    sources = [_HERE / name for name in _OURS]
    if not native_client:
        sources.append(_HERE / "runtime_client.py")
    identity = "\n".join([client, sys.version, *sorted(distributions)]).encode() + b"".join(
        source.read_bytes() for source in sources
    )
    name = f"runtime-{client}-{hashlib.sha256(identity).hexdigest()[:16]}"
    parent = Path(sys.prefix) / "share" / "localcloud"
    if (parent / name).is_dir():
        return parent / name
    try:
        parent.mkdir(parents=True, exist_ok=True)
        writable = os.access(parent, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        parent = Path(tempfile.gettempdir()) / f"localcloud-{os.getuid()}"
        parent.mkdir(exist_ok=True, mode=0o700)
    final = parent / name
    if final.is_dir():
        return final
    partial = Path(tempfile.mkdtemp(dir=parent, prefix="partial-"))
    for distribution in distributions.values():
        _copy(distribution, partial, native_client)
    for source in sources:
        shutil.copy(source, partial)
    # An environment can't write there: what has no bytecode, it would compile at every start.
    compileall.compile_dir(partial, quiet=2)
    (partial / "passwd").write_text("sbx_user1051:x:993:990::/home/sbx_user1051:/sbin/nologin\n")
    partial.chmod(0o755)
    try:
        partial.rename(final)
    except OSError:  # another process was first
        shutil.rmtree(partial)
    return final


def _closure(names: tuple[str, ...]) -> dict[str, importlib.metadata.Distribution]:
    """The named distributions and all that they require, extras left out, by name and version."""
    found: dict[str, importlib.metadata.Distribution] = {}
    todo, seen = list(names), set()
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        distribution = _distribution(name)
        metadata = distribution.metadata  # read once: each time that it is asked for takes 1 ms
        found[f"{metadata['Name']}=={metadata['Version']}"] = distribution
        for requirement in metadata.get_all("Requires-Dist", ()):
            if "extra ==" not in requirement:
                todo.append(re.match(r"[A-Za-z0-9._-]+", requirement).group())
    return found


def _distribution(name: str) -> importlib.metadata.Distribution:
    """An installed distribution, or one that was laid beside for a system it has no wheel for.

    awslambdaric has Linux wheels only; on macOS the set-up unpacks its Python part there.
    """
    try:
        return importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        beside = Path(sys.prefix) / "share" / "localcloud" / name
        for found in importlib.metadata.distributions(name=name, path=[str(beside)]):
            return found
        raise


def _copy(distribution: importlib.metadata.Distribution, target: Path, native: bool) -> None:
    for file in distribution.files or ():
        if file.parts[0] in ("..", "__pycache__"):
            continue
        if file.parts[0].startswith("runtime_client.") and not native:
            continue
        destination = target / file
        destination.parent.mkdir(parents=True, exist_ok=True)
        source = Path(str(distribution.locate_file(file)))
        if not source.exists():  # bytecode that was listed and cleaned
            continue
        try:
            os.link(source, destination)
        except OSError:  # another file system
            shutil.copy2(source, destination)
