"""Stage 08: the wheel that fits, and the layer made from it."""

import io
import random
import re
import zipfile

import pytest

from labkit import packages
from labkit.grading import expect

from . import wheels
from .layer_builder import Builder

RULES = "4 · Read a wheel's name"
PACKING = "7 · Build the layer"
PUBLISHING = "8 · Publish it"
# The largest that Lambda takes without a bucket, and the largest unpacked, in bytes.
LARGEST_ZIP, LARGEST_UNPACKED = 50 * 1024 * 1024, 250 * 1024 * 1024
# The libraries of a layer lie in one of these two folders.
_PYTHON = re.compile(r"python/(lib/python3\.\d+/site-packages/)?")

PROBE = """
import importlib.metadata, io
import PIL
from PIL import Image

def handler(event, context):
    picture = io.BytesIO()
    Image.new("RGB", event["size"], tuple(event["colour"])).save(picture, "JPEG")
    found = Image.open(picture)
    centre = found.getpixel((found.width // 2, found.height // 2))
    return {"size": found.size, "colour": centre, "file": PIL.__file__,
            "version": importlib.metadata.version("pillow")}
"""


@pytest.fixture(scope="module")
def builder(deployment, workspace):
    """The learner's build_layer.py, as a function that may use one bucket."""
    bucket = deployment.bucket("wheels")
    arn = f"arn:{deployment.partition}:s3:::{bucket}"
    allow = [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{arn}/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn},
    ]
    role = deployment.role("builder", {"Version": "2012-10-17", "Statement": allow})
    function = deployment.function(
        "builder", {"build_layer.py": workspace.text("build_layer.py")},
        handler="build_layer.handler", role=role, memory=1769, timeout=25,
    )  # fmt: skip
    return Builder(deployment, function, bucket)


@pytest.fixture(scope="module")
def made_up(builder, seed):
    """The made-up wheel's files, and the entries of the layer that was built from it."""
    files = wheels.swatches(random.Random(f"{seed} swatches"))
    tag = wheels.tag_of(packages.runtime())
    name = (
        f"swatches-1.4.0-{tag}-{tag}-manylinux2014_{wheels.MACHINES[packages.architecture()]}.whl"
    )
    tried = f"called build_layer with a small wheel of {len(files)} files"
    answer = builder.build({name: wheels.packed(files)}, "swatches.zip", wheel=name)
    return files, builder.entries("swatches.zip", answer, tried)


@pytest.fixture(scope="module")
def pillow_zip(builder, rng_of_module):
    """The layer that the learner's function made of Pillow: it chose among wheels, one of which fits."""
    runtime, architecture = packages.runtime(), packages.architecture()
    own, machine = wheels.tag_of(runtime), wheels.MACHINES[architecture]
    # The name says what Lambda's system takes. The local cloud's system is this computer's.
    _, right = packages.pillow_wheel()
    _, wrong = packages.pillow_wheel(".cpython-39-x86_64-linux-gnu.so")
    fitting = wheels.wheel("13.0.0", own, f"manylinux2014_{machine}")
    others = [
        wheels.wheel("13.0.0", "cp39", f"manylinux2014_{machine}"),
        wheels.wheel("13.0.0", own, f"musllinux_1_2_{machine}"),
    ]
    names = wheels.shuffled(rng_of_module, [fitting, *others])
    content = {name: right if name == fitting else wrong for name in names}
    event = {"names": names, "runtime": runtime, "architecture": architecture}
    answer = builder.build(content, "pillow.zip", **event)
    builder.entries(
        "pillow.zip",
        answer,
        "let your function choose a wheel of Pillow and build its layer",
    )
    return builder.read("pillow.zip")


@pytest.fixture(scope="module")
def rng_of_module(seed):
    """Chance for the module's fixtures."""
    return random.Random(seed)


@pytest.fixture
def parameters(deployment, workspace):
    """layer.json for a runtime and an architecture, as publish_layer_version's parameters."""

    def filled(runtime, architecture):
        text = deployment.fill(
            workspace.text("layer.json"), Runtime=runtime, Architecture=architecture
        )
        found = workspace.json("layer.json", text)
        expect(
            isinstance(found, dict),
            tried="read layer.json",
            expected="an object { } of publish_layer_version's parameters",
            seen=f"it is a {type(found).__name__}",
        )
        return found

    return filled


@pytest.mark.check(points=2, section=RULES)
def check_python(builder, rng):
    """The wheel is for the Python of the runtime, python3.11 to python3.14."""
    for runtime in ("python3.13", *wheels.shuffled(rng, wheels.RUNTIMES)):
        own, platform = wheels.tag_of(runtime), "manylinux2014_x86_64"
        others = [(p, platform) for p in wheels.OTHER_PYTHONS if p != own]
        _choice_among(builder, rng, runtime, "x86_64", (own, platform), others)


@pytest.mark.check(points=2, section=RULES)
def check_abi(builder, rng):
    """Wheels for PyPy, Python 2, Python without a global lock don't fit; one with nothing compiled does."""
    for runtime in ("python3.13", *wheels.shuffled(rng, wheels.RUNTIMES)):
        own, platform = wheels.tag_of(runtime), "manylinux2014_x86_64"
        others = [
            (own, platform, f"{own}t"),
            (own.replace("cp", "pp"), platform, "pypy311_pp73"),
            ("py2", "any", "none"),
        ]
        _choice_among(builder, rng, runtime, "x86_64", (own, platform), others)
        pure = (rng.choice(["py3", "py2.py3"]), "any", "none")
        _choice_among(builder, rng, runtime, "arm64", pure, others)


@pytest.mark.check(points=2, section=RULES)
def check_machine(builder, rng):
    """The wheel is for the machine: aarch64 for arm64, x86_64 for x86_64."""
    strangers = ("i686", "armv7l", "ppc64le", "s390x")
    for architecture, machine in wheels.MACHINES.items():
        others = [m for m in (*wheels.MACHINES.values(), *strangers) if m != machine]
        right, *wrong = [("cp313", f"manylinux2014_{m}") for m in (machine, *others)]
        _choice_among(builder, rng, "python3.13", architecture, right, wrong)


@pytest.mark.check(points=2, section=RULES)
def check_system(builder, rng):
    """The wheel is for Lambda's system: manylinux, never musllinux, macosx or win."""
    for architecture, machine in wheels.MACHINES.items():
        right = ("cp313", f"manylinux2014_{machine}")
        others = [("cp313", system) for system in wheels.ELSEWHERE]
        _choice_among(builder, rng, "python3.13", architecture, right, others)
        names = [wheels.wheel("12.3.0", *tags) for tags in wheels.shuffled(rng, others)]
        _choice(builder, names, "python3.13", architecture, None)


@pytest.mark.check(points=2, section="5 · The age of the system")
def check_glibc(builder, rng):
    """The wheel asks for no newer glibc than the runtime's system has: 2.26 for python3.11, 2.34 after it."""
    for architecture, machine in wheels.MACHINES.items():
        names = wheels.old_and_new(machine)
        for runtime in wheels.RUNTIMES:
            version = "12.2.0" if runtime == "python3.11" else "13.0.0"
            right = next(n for n in names if f"-{version}-{wheels.tag_of(runtime)}-" in n)
            _choice(builder, wheels.shuffled(rng, names), runtime, architecture, right)
        for runtime in wheels.RUNTIMES:
            own, least = wheels.tag_of(runtime), 26 if runtime == "python3.11" else 34
            too_new = [
                (own, f"manylinux_2_{least + 1 + more}_{machine}")
                for more in (0, rng.randrange(1, 4))
            ]
            fitting = [f"manylinux_2_{least}_{machine}"]
            if runtime == "python3.11":
                fitting.append((f"manylinux_2_39_{machine}", f"manylinux_2_5_{machine}"))
                fitting += [f"{old}_{machine}" for old in ("manylinux2010", "manylinux1")]
            for platforms in fitting:
                _choice_among(builder, rng, runtime, architecture, (own, platforms), too_new)


@pytest.mark.check(points=2, section=RULES)
def check_newest(builder, rng):
    """Of the wheels that fit, the newest version is taken: 12.2.0 is newer than 9.5.0."""
    for versions in (
        ["9.5.0", "12.2.0", "11.3.0"],
        ["12.2.0", "12.10.0", "12.9.9"],
        ["8.4.0", "10.0.1", "10.0.0"],
    ):
        versions = sorted(versions, key=lambda v: [int(n) for n in v.split(".")])
        names = [wheels.wheel(v, "cp313", "manylinux2014_x86_64") for v in versions]
        for order in (names, names[::-1], wheels.shuffled(rng, names)):
            _choice(builder, order, "python3.13", "x86_64", names[-1])


@pytest.mark.check(points=1, section=RULES)
def check_none_fits(builder, rng):
    """Where no wheel fits, choose_wheel returns None."""
    right = wheels.wheel("13.0.0", "cp313", "manylinux_2_28_x86_64")
    _choice(builder, [right], "python3.13", "x86_64", right)
    for runtime, architecture in (("python3.12", "x86_64"), ("python3.13", "arm64")):
        _choice(builder, [right], runtime, architecture, None)
    _choice(builder, [], rng.choice(wheels.RUNTIMES), "x86_64", None)


@pytest.mark.check(points=2, section=PACKING)
def check_under_python(made_up):
    """Everything the library needs lies under python/ in the layer, unchanged."""
    files, entries = made_up
    for path in (path for path, needed in wheels.SWATCHES.items() if needed):
        found = [name for name in entries if _inside(name) == path]
        expect(
            found,
            tried=f"looked for the wheel's {path} in the layer",
            expected=f"python/{path}",
            seen=f"not there; the layer has {_few(entries)}",
        )
        expect(
            entries[found[0]][1] == files[path],
            tried=f"read {found[0]} in the layer",
            expected=f"the {len(files[path])} bytes of the wheel's file",
            seen=f"{len(entries[found[0]][1])} others",
        )


@pytest.mark.check(points=1, section=PACKING, needs=("check_under_python",))
def check_only_what_is_needed(made_up):
    """Compiled caches and folders of tests stay out of the layer."""
    _, entries = made_up
    needless = {path for path, needed in wheels.SWATCHES.items() if not needed}
    found = sorted(name for name in entries if _inside(name) in needless)
    expect(
        not found,
        tried="looked for what no function imports",
        expected="no folder __pycache__, test or tests in the layer",
        seen=f"it has {_few(found)}",
    )


@pytest.mark.check(points=1, section=PACKING, needs=("check_under_python",))
def check_readable(made_up):
    """Everybody may read the layer's files, for Lambda runs your code as a user of its own."""
    _, entries = made_up
    locked = sorted(name for name, (mode, _) in entries.items() if mode & 0o444 != 0o444)
    expect(
        not locked,
        tried="looked at the mode that the zip gives each file",
        expected="0o644, or more",
        seen=f"{_few(locked)} has {oct(entries[locked[0]][0]) if locked else ''}",
    )


@pytest.mark.check(points=1, section="9 · Limits", needs=("check_under_python",))
def check_too_large(builder):
    """More than 250 MB unpacked is no layer: build_layer raises ValueError."""
    block = bytes(LARGEST_UNPACKED // 5)
    name = "swatches-2.0.0-py3-none-any.whl"
    files = {f"swatches/{number}.dat": block for number in range(5)}
    content = wheels.packed(files | {"swatches/one-more.dat": b"1"})
    answer = builder.build({name: content}, "large.zip", wheel=name)
    kind = answer.payload.get("errorType") if isinstance(answer.payload, dict) else None
    expect(
        answer.error and kind == "ValueError",
        tried=f"called build_layer with a wheel of {len(content):,} bytes that is "
        "250 MB and one byte unpacked",
        expected="ValueError",
        seen=answer.problem or "it returned as if all were well",
        log=answer.log,
    )


@pytest.mark.check(points=1, section=PUBLISHING)
def check_compatible(parameters):
    """layer.json says which runtime and which architecture the layer is for, by its placeholders."""
    for runtime, architecture in (("python3.13", "x86_64"), ("python3.12", "arm64")):
        found = parameters(runtime, architecture)
        for name, wanted in (
            ("CompatibleRuntimes", [runtime]),
            ("CompatibleArchitectures", [architecture]),
        ):
            expect(
                found.get(name) == wanted,
                tried=f"filled layer.json for {runtime} on {architecture}",
                expected=f'"{name}": {wanted}',
                seen=f"{found.get(name)!r}",
            )


@pytest.mark.check(points=1, section=PUBLISHING)
def check_described(parameters):
    """layer.json has a name, a description and Pillow's licence, MIT-CMU."""
    found = parameters("python3.13", "x86_64")
    rules = {
        "LayerName": (r"[a-zA-Z0-9-_]{1,140}", "1 to 140 letters, digits, - and _"),
        "Description": (r"(?s).{1,256}", "1 to 256 characters that say what is in the layer"),
        "LicenseInfo": (
            r".*\bMIT-CMU\b.*",
            "MIT-CMU, which the wheel's METADATA calls its License-Expression",
        ),
    }
    for name, (pattern, words) in rules.items():
        value = found.get(name)
        expect(
            isinstance(value, str) and value.strip() and re.fullmatch(pattern, value),
            tried=f"read {name} in layer.json",
            expected=words,
            seen=repr(value),
        )


@pytest.mark.check(points=1, section="9 · Limits")
def check_size(pillow_zip):
    """The layer of Pillow is within Lambda's limits: 50 MB zipped, 250 MB unpacked."""
    with zipfile.ZipFile(io.BytesIO(pillow_zip)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    expect(
        len(pillow_zip) < LARGEST_ZIP and unpacked < LARGEST_UNPACKED,
        tried="measured the layer of Pillow",
        expected="at most 50 MB zipped, and 250 MB unpacked",
        seen=f"{len(pillow_zip):,} bytes, and {unpacked:,} bytes",
    )


@pytest.mark.check(points=3, section=PUBLISHING)
def check_function_imports_it(deployment, parameters, pillow_zip, rng):
    """A function with your layer, published with layer.json, imports Pillow and makes a picture."""
    tried = "published your layer and ran a function with it that makes a picture"
    given = parameters(packages.runtime(), packages.architecture())
    # A name of this run's own, so that no layer of yours gets another version.
    layer = deployment.layer(
        "pillow", pillow_zip, **given | {"LayerName": deployment.name("pillow")}
    )
    function = deployment.function(
        "probe",
        {"probe.py": PROBE},
        handler="probe.handler",
        role=deployment.role("probe"),
        layers=[layer],
    )
    size, colour = (
        [rng.randrange(20, 200), rng.randrange(20, 200)],
        [rng.randrange(256) for _ in "RGB"],
    )
    answer = deployment.invoke(function, {"size": size, "colour": colour})
    answer.must_work(tried, "no error")
    seen = answer.payload
    near = all(abs(a - b) < 12 for a, b in zip(seen["colour"], colour, strict=True))
    expect(
        seen["size"] == size and near and seen["file"].startswith("/opt/python/"),
        tried=tried,
        expected=f"a picture of {size[0]} x {size[1]}, made by the PIL in /opt/python",
        seen=f"{seen['size'][0]} x {seen['size'][1]}, by {seen['file']}",
    )


def _choice_among(builder, rng, runtime, architecture, right, others):
    """Hold that the right one is chosen among others, of which there are newer and older versions.

    Wheels are given by their tags. How many are older is left to chance: a version says nothing of what fits.
    """
    own = rng.randrange(20, 40)
    wanted = wheels.wheel(f"12.{own}.0", *right)
    newer = [wheels.wheel(f"12.{own + rng.randrange(1, 9)}.0", *tags) for tags in others]
    some = rng.sample(others, rng.randrange(1, len(others) + 1))
    older = [wheels.wheel(f"12.{own - rng.randrange(1, 9)}.0", *tags) for tags in some]
    names = wheels.shuffled(rng, [wanted, *newer, *older])
    _choice(builder, names, runtime, architecture, wanted)


def _choice(builder, names, runtime, architecture, wanted):
    found = builder.choose(names, runtime, architecture)
    shown = (
        ", ".join(names) if len(names) < 4 else f"{names[0]}, {names[1]} and {len(names) - 2} more"
    )
    expect(
        found == wanted,
        tried=f"called choose_wheel for {runtime} on {architecture}"
        + (f" with {shown}" if found else ""),
        expected=f"{wanted}",
        seen=f"{found}" + ("" if found or not wanted else ", though that one fits"),
    )


def _inside(name):
    """A path of the layer as seen from the folder that Python imports from, or None if it lies elsewhere."""
    match = _PYTHON.match(name)
    return name[match.end() :] if match else None


def _few(names):
    listed = sorted(names)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
