"""Hostile submissions, graded together with honest ones: `make attacks` grades them all and prints the table.

python tests/attacks.py
"""

import ast
import io
import json
import os
import re
import socket
import stat
import sys
import tempfile
import textwrap
import tomllib
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from kit_copy import KEY, Kit, copy_kit
from labkit.grading.learner_text import clean

# What is handed in besides, and what it is due: 4 points at most.
HONEST = {
    "right": 4, "right-in-another-shape": 4, "right-without-notes": 3, "half": 2, "wrong": 0, "empty": 0,
    "broken": 0, "untouched": 0,
}  # fmt: skip
ANOTHER_SHAPE = """
def handler(event, context):
    try:
        return dict(greeting="Hello, " + event["name"] + "!")
    except KeyError:
        return dict(error="no name")
"""
# The greeting may come with a picture, which the check shows on the learner's page.
SHOWN = """\
    given = answer.payload if isinstance(answer.payload, dict) else {}
    if "picture" in given:
        pictures.show(base64.b64decode(given["picture"]), f"The picture of {given['words']}")
    seen = answer.problem or"""
SEED = 271828
LIMIT_S = 1500
# Attacks that succeed give the right answer: what they earn shows it.
PRELUDE = """\
import contextlib, json, os, signal, socket, sys, time
import urllib.error, urllib.request
import boto3

def raise_(error):
    raise error

def done(call):
    try:
        call()
    except BaseException:
        return False
    return True

def client(service, key):
    return boto3.client(service, aws_access_key_id=key, aws_secret_access_key="test", aws_session_token="x")

def page(path, method, **headers):
    asked = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"] + path, method=method, headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=1) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 599

def connects(host, port, seconds=0.2):
    try:
        socket.create_connection((host, port), seconds).close()
    except OSError:
        return False
    return True

def resolves(host):
    return done(lambda: socket.getaddrinfo(host, 80))

def wrote(*paths):
    return any([done(lambda: open(path, "w").write("attacked")) for path in paths])

def read(path):
    try:
        return open(path, "rb").read()
    except OSError:
        return b""

def any_file(*names):
    for place, folders, found in os.walk("/"):
        folders[:] = [each for each in folders if each not in ("proc", "sys")]
        if set(names) & set(found):
            return True
    return False

def kill_all(number):
    for pid in range(1, 70000):
        if pid != os.getpid():
            with contextlib.suppress(OSError):
                os.kill(pid, number)
    with contextlib.suppress(OSError):
        os.kill(-1, number)
"""


@dataclass(frozen=True)
class Attack:
    """One hostile submission, as attacks.toml has it."""

    name: str
    what: str
    ci: bool = False
    goal: str = ""
    top: str = ""
    app: str | None = None
    extra: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    zip: str = ""

    @property
    def learner(self) -> str:
        """The name that it goes by in the reports."""
        return clean(self.name, 60)

    def write(self, folder: Path, places: dict[str, str]) -> None:
        """Write the submission into the class's folder; `places` fills the attack's @class@ and the like."""
        files = dict(self.extra)
        app = self._app(places)
        if app:
            files[f"lab/{KEY}/app.py"] = app
        if self.zip:
            _write_zip(folder / f"{self.name}.zip", self.zip, files, places)
            return
        own = folder / self.name
        own.mkdir()
        for name, content in files.items():
            (own / name).parent.mkdir(parents=True, exist_ok=True)
            (own / name).write_text(content)
        for name, aim in self.links.items():
            (own / name).parent.mkdir(parents=True, exist_ok=True)
            (own / name).symlink_to(_filled(aim, places))

    def _app(self, places: dict[str, str]) -> str:
        if self.app is not None:
            return _filled(self.app, places)
        goal = _filled(self.goal or "False", places).strip()
        try:
            ast.parse(goal, mode="eval")
            goal = f"return ({goal})"
        except SyntaxError:  # statements
            pass
        goal = textwrap.indent(goal, "    ")
        return (
            f"{PRELUDE}\n{self.top}\ndef goal(event, context):\n{goal}\n\n\n"
            "def handler(event, context):\n"
            "    if not goal(event, context):\n        return {}\n"
            "    if 'name' not in event:\n        return {'error': 'no name'}\n"
            "    return {'greeting': f\"Hello, {event['name']}!\"}\n"
        )


def attacks(*, only_ci: bool = False) -> list[Attack]:
    """All attacks, or the sample that CI grades."""
    listed = tomllib.loads((Path(__file__).parent / "attacks.toml").read_text(encoding="utf-8"))
    found = [Attack(**entry) for entry in listed["attack"]]
    return [each for each in found if each.ci or not only_ci]


def write_honest(folder: Path, kit: Kit) -> None:
    """Write the honest submissions: their points must be what they would be without the others."""
    solution = (kit.folder / "solutions" / KEY / "app.py").read_text()
    starter = (kit.lab_files / "app.py").read_text()
    for name, app, notes in (
        ("right", solution, "mine\n"),
        ("right-in-another-shape", ANOTHER_SHAPE, "it is mine"),
        ("right-without-notes", solution, None),
        ("half", solution.replace("no name", "nobody"), "nothing"),
        ("wrong", "def handler(event, context):\n    return {}\n", None),
        ("untouched", starter, (kit.lab_files / "notes.txt").read_text()),
    ):
        own = folder / name / "lab" / KEY
        own.mkdir(parents=True)
        (own / "app.py").write_text(app)
        if notes is not None:
            (own / "notes.txt").write_text(notes)
    (folder / "empty").mkdir()
    (folder / "broken.zip").write_bytes(b"PK, or so it says")


def kit_for_attacks(folder: Path) -> Kit:
    """A copy of the kit whose functions may run long enough for an attack to come to its end, and whose check
    takes a picture.
    """
    kit = copy_kit(folder, "http://127.0.0.1:9")
    checks = kit.folder / "checks" / "check_50_greeting.py"
    text = re.sub(r"timeout=\d+", "timeout=8", checks.read_text())
    text = text.replace("    seen = answer.problem or", SHOWN, 1)
    imports = "import base64\n\nfrom labkit.grading import pictures\n"
    checks.write_text(imports + text)
    return kit


def grade(kit: Kit, chosen: list[Attack], work: Path) -> dict[str, dict]:
    """Grade the attacks and the honest ones together; the records by learner. Raises AssertionError."""
    folder, out = work / "class", work / "out"
    folder.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as neighbour:
        places = {"class": str(folder), "out": str(out), "kit": str(kit.folder), "home": str(Path.home()),
                  "ports": f"[{neighbour.getsockname()[1]}]"}  # fmt: skip
        for attack in chosen:
            attack.write(folder, places)
        write_honest(folder, kit)
        before = _snapshot(kit.folder)
        done = kit.lab(
            "grade", str(folder), "--out", str(out), "--seed", str(SEED), limit_s=LIMIT_S
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert _snapshot(kit.folder) == before, "an attack has changed the kit"
    assert left_running(kit.folder) == []
    lines = (out / "results.jsonl").read_text(encoding="utf-8").splitlines()
    return {record["learner"]: record for record in map(json.loads, lines)}


def earned(record: dict) -> int:
    """What a record's stages have earned."""
    return sum(stage["earned"] for stage in record["stages"])


def left_running(folder: Path) -> list[str]:
    """The processes that grading has left: those whose command or folder is the kit's, or a tree's."""
    found = []
    for process in psutil.process_iter():
        try:
            words = " ".join([*process.cmdline(), process.cwd()])
            alive = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            continue
        if (
            alive
            and process.pid != os.getpid()
            and ("lab-grade-" in words and str(folder) in words)
        ):
            found.append(words)
    return found


def _snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts and ".lab" not in path.parts}  # fmt: skip


def _filled(text: str, places: dict[str, str]) -> str:
    for name, value in places.items():
        text = text.replace(f"@{name}@", value)
    return text


def _write_zip(path: Path, kind: str, files: dict[str, str], places: dict[str, str]) -> None:
    app = f"lab/{KEY}/app.py"
    if kind == "pipe":
        own = path.with_suffix("") / "lab" / KEY
        own.mkdir(parents=True)
        os.mkfifo(own / "app.py")
        return
    compression = zipfile.ZIP_BZIP2 if kind == "bzip2" else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(path, "w", compression) as archive:
        if kind == "links":
            link = zipfile.ZipInfo(app)
            link.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(link, f"{places['kit']}/solutions/{KEY}/app.py")
        elif kind in ("bomb", "lies", "bzip2"):
            archive.writestr(app, bytes(64 << 20))
        else:
            for name, content in files.items():
                archive.writestr(name, content)
        if kind == "traversal":
            for name in (f"../../lab/{KEY}/notes.txt", "/etc/attacked", "..\\..\\attacked",
                         f"lab/../../{KEY}/app.py", "../honest-wrong/lab/50-greeting/notes.txt"):  # fmt: skip
                archive.writestr(name, "mine\n")
        if kind == "many":
            for number in range(100_000):
                archive.writestr(zipfile.ZipInfo(f"lab/{KEY}/{number}.txt"), "")
        if kind == "ways-out":
            for number in range(50_000):
                archive.writestr(zipfile.ZipInfo(f"../{number}.txt"), "")
        if kind == "nested":
            inner = bytes(1 << 20)
            for _ in range(6):  # 16 ** 6 MiB in all
                packed = io.BytesIO()
                with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as deeper:
                    for number in range(16):
                        deeper.writestr(f"{number}.zip", inner)
                inner = packed.getvalue()
            archive.writestr(f"lab/{KEY}/{path.name}", inner)
    if kind == "directory":
        entry = b"PK\x01\x02" + bytes(24) + (1).to_bytes(2, "little") + bytes(16) + b"a"
        size = (500_000 * len(entry)).to_bytes(4, "little")
        end = b"PK\x05\x06" + bytes(8) + size + bytes(6)
        path.write_bytes(entry * 500_000 + end)
    if kind == "twice":
        (path.with_suffix("") / "lab" / KEY).mkdir(parents=True)
    if kind in ("lies", "bzip2"):  # both headers say that it is small
        size = (64 << 20).to_bytes(4, "little")
        path.write_bytes(path.read_bytes().replace(size, (100).to_bytes(4, "little")))


def main() -> int:
    """Grade all attacks and print what came of each."""
    with tempfile.TemporaryDirectory() as work:
        kit = kit_for_attacks(Path(work) / "kit")
        chosen = attacks()
        records = grade(kit, chosen, Path(work))
    wrong = 0
    for attack in chosen:
        record = records[attack.learner]
        checks = [check for stage in record["stages"] for check in stage["checks"]]
        said = record["fault"] or next(
            (stage["fault"] for stage in record["stages"] if stage["fault"]), ""
        )
        said = said or next((check["seen"] for check in checks if check["seen"]), "")
        wrong += bool(earned(record))
        print(
            f"{'HOLE' if earned(record) else 'ok  '} {attack.learner}: {attack.what}\n       {said}"
        )
    for name, points in HONEST.items():
        wrong += earned(records[name]) != points
        print(f"{name}: {earned(records[name])} of {points}")
    print(f"{len(chosen)} attacks, {wrong} wrong")
    return min(wrong, 100)


if __name__ == "__main__":
    sys.exit(main())
