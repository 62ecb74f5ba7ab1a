"""One learner's submission, a folder or a zip: the files that stages.toml names, and nothing else of it.

A submission is read and never run here, and nothing of it is written to disk. Whatever is in it
besides, or can't be taken, becomes a note: the rest is graded.
"""

import functools
import io
import json
import lzma
import os
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from .. import workspace
from ..grading.learner_text import clean
from ..grading.stage_files import LARGEST_BYTES
from ..grading.stages import stages
from . import own_account
from .own_account import OwnAccount

_BESIDE = ("submission.json", "progress.json", "answers.json")
_MOST_ENTRIES = 20_000
_MOST_NOTES, _MOST_FAULTS = 12, 40
_LARGEST_ZIP_BYTES = 256 << 20
# A zip's directory is read as a whole before anything of it can be looked at: 50 bytes make an object of 500.
_LARGEST_DIRECTORY_BYTES = 16 << 20
# All others unpack without a bound: 400 bytes of bzip2 are 300 MB.
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Such as .git and .venv, which hold thousands of files: told once and not looked into.
_HIDDEN_FOLDER = re.compile(r"(?:[^/]+/)*?\.[^./][^/]*/")
# A name becomes that of files such as .NAME.json.partial, whose names may have 255 bytes.
_LONGEST_NAME = 60
# What no learner has made: it is left out without a word.
_SILENT = ("__MACOSX/", ".DS_Store", "__pycache__/", ".ipynb_checkpoints/")


class UnreadableSubmission(Exception):
    """Nothing can be taken from it; the text says why."""


@dataclass(frozen=True)
class Submission:
    """One learner's files by KEY/NAME, notes on what was not taken, and what lay beside the files: the kit's
    version, and by stage what the learner's own computer tells.
    """

    learner: str
    files: dict[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    kit: str = ""
    accounts: dict[str, OwnAccount] = field(default_factory=dict)

    def of(self, key: str) -> dict[str, bytes]:
        """The files of one stage, by name."""
        return {
            path.partition("/")[2]: content
            for path, content in self.files.items()
            if path.partition("/")[0] == key
        }

    @property
    def untouched(self) -> tuple[str, ...]:
        """The stages that were handed in as learners get them."""
        keys = dict.fromkeys(path.partition("/")[0] for path in sorted(self.files))
        return tuple(key for key in keys if self.of(key).items() <= _starter(key).items())


@functools.cache
def _starter(key: str) -> dict[str, bytes]:
    return workspace.starter_files(key)


def find(folder: Path) -> tuple[dict[str, list[Path]], list[Path]]:
    """The submissions in a folder by the learner's name, which are its folders and its zips, sorted; and what
    else lies there. A name has more than one path where two were handed in under it.

    Raises UnreadableSubmission where there are none.
    """
    found: dict[str, list[Path]] = {}
    others = []
    for path in sorted(folder.iterdir()):
        is_zip = path.suffix.lower() == ".zip"
        if path.name.startswith("."):
            continue
        if path.is_symlink() or not (path.is_dir() or (is_zip and path.is_file())):
            others.append(path)
            continue
        # macOS writes é as two signs, lists of a class as one.
        written = unicodedata.normalize("NFC", path.stem if is_zip else path.name)
        name = clean(written, _LONGEST_NAME)
        found.setdefault(name, []).append(path)
    if not found:
        raise UnreadableSubmission(f"{folder} holds neither folders nor zips")
    return found, others


def read(learner: str, paths: list[Path]) -> Submission:
    """Take the named files of a submission. Raises UnreadableSubmission where it can't be opened, or where
    more than one path has the learner's name: nobody but a person can tell which is meant.
    """
    path, *more = paths
    if more:
        names = ", ".join(each.name for each in paths)
        raise UnreadableSubmission(clean(f"there are {len(paths)} of this name, {names}: keep one"))
    try:
        if path.is_dir():
            return _taken(learner, _folder_entries(path))
        if path.stat().st_size > _LARGEST_ZIP_BYTES:
            raise OSError(f"it is larger than {_LARGEST_ZIP_BYTES >> 20} MiB")
        with _BoundedFile(path.open("rb", buffering=0)) as file, zipfile.ZipFile(file) as archive:
            return _taken(learner, _zip_entries(archive))
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RecursionError) as error:
        raise UnreadableSubmission(clean(f"it can't be read: {error}")) from None


class _BoundedFile(io.BufferedReader):
    """A file of which nobody reads much at once: zipfile so reads a directory, of the size that it is said to
    have, and a file's content in pieces.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Some bytes. Raises BadZipFile where they would be too many."""
        if size and size > _LARGEST_DIRECTORY_BYTES:
            raise zipfile.BadZipFile("it holds far too many files")
        return super().read(size)


@dataclass(frozen=True)
class _Entry:
    """A file of a submission: its path as it stands there, why it can't be taken (or ""), its size."""

    path: str
    fault: str
    size: int
    open: object

    def content(self) -> bytes:
        """Its bytes, one more than are allowed at most. Raises what a broken zip raises."""
        opened: BinaryIO = self.open()
        with opened:
            return opened.read(LARGEST_BYTES + 1)


def _folder_entries(folder: Path) -> Iterator[_Entry]:
    for place, folders, names in os.walk(folder):  # follows no links
        for name in sorted(folders):
            shown = Path(place, name).relative_to(folder).as_posix()
            if Path(place, name).is_symlink():
                yield _Entry(shown, "a link", 0, None)
            elif name.startswith("."):
                yield _Entry(f"{shown}/", "", 0, None)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            shown, about = path.relative_to(folder).as_posix(), path.lstat()
            fault = "" if stat.S_ISREG(about.st_mode) else "no plain file"
            if stat.S_ISLNK(about.st_mode):
                fault = "a link"
            yield _Entry(shown, fault, about.st_size, lambda path=path: path.open("rb"))


def _zip_entries(archive: zipfile.ZipFile) -> Iterator[_Entry]:
    seen = set()
    for info in archive.infolist():
        if info.is_dir():
            continue
        hidden = _HIDDEN_FOLDER.match(info.filename)
        if hidden:
            if hidden[0] not in seen:
                yield _Entry(hidden[0], "", 0, None)
            seen.add(hidden[0])
            continue
        fault = ""
        if stat.S_ISLNK(info.external_attr >> 16):
            fault = "a link"
        elif info.flag_bits & 1:
            fault = "encrypted"
        elif info.compress_type not in _COMPRESSIONS:
            fault = "compressed in a way that is not read here: make a plain zip"
        elif info.filename in seen:
            fault = "there twice: the first one counts"
        seen.add(info.filename)
        yield _Entry(info.filename, fault, info.file_size, lambda info=info: archive.open(info))


def _taken(learner: str, entries: Iterable[_Entry]) -> Submission:
    found, notes = [], []
    for entry in entries:
        if len(found) == _MOST_ENTRIES:
            notes.append(f"more than {_MOST_ENTRIES:,} files: the others are not looked at")
            break
        if ".." in PurePosixPath(entry.path).parts or entry.path.startswith(("/", "\\")):
            notes.append(f"ignored: {entry.path}: its path leads out of the submission")
        elif not any(silent in entry.path for silent in _SILENT):
            found.append(entry)
    base = _base([entry.path for entry in found])
    named = {f"{stage.key}/{name}" for stage in stages() for name in stage.files}
    files: dict[str, bytes] = {}
    beside: dict[str, bytes] = {}
    ignored = []
    for entry in found:
        within = entry.path.removeprefix(base)
        name = within.removeprefix("lab/")
        if name not in named and within not in _BESIDE:
            ignored.append(entry.path)
            continue
        fault = entry.fault
        if not fault and entry.size > LARGEST_BYTES:
            fault = f"larger than {LARGEST_BYTES:,} bytes"
        if not fault and name in files:
            fault = "there twice: the first one counts"
        if not fault:
            try:
                content = entry.content()
                if len(content) > LARGEST_BYTES:  # the size that it gives is a lie
                    fault = f"larger than {LARGEST_BYTES:,} bytes"
            except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError,
                    NotImplementedError, RuntimeError) as error:  # fmt: skip
                fault = f"can't be read ({type(error).__name__})"
        if fault:
            notes.append(f"not taken: {entry.path}: {fault}")
        elif name in named:
            files[name] = content
            if not _is_text(content):
                notes.append(f"{entry.path} is not in UTF-8: save it as UTF-8 in your editor")
        else:
            beside[within] = content
    if len(notes) > _MOST_FAULTS:
        notes[_MOST_FAULTS:] = [f"{len(notes) - _MOST_FAULTS} notes more of this kind"]
    shown = ignored[:_MOST_NOTES]
    notes += [f"ignored: {path}: no stage names it" for path in shown]
    if len(ignored) > len(shown):
        notes.append(f"ignored: {len(ignored) - len(shown)} files more that no stage names")
    shown_notes = tuple(clean(note, 240) for note in notes)
    accounts = own_account.read(beside.get("progress.json"))
    return Submission(learner, files, shown_notes, _kit(beside), accounts)


def _is_text(content: bytes) -> bool:
    """Whether it is a text in UTF-8, which all files of the stages are."""
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


def _base(paths: list[str]) -> str:
    """The folder in which all lies, such as the one that a download of a repository adds."""
    top = {path.partition("/")[0] for path in paths}
    keys = {stage.key for stage in stages()}
    if len(top) == 1 and all("/" in path for path in paths) and not top & {"lab", *keys}:
        return f"{top.pop()}/"
    return ""


def _kit(beside: dict[str, bytes]) -> str:
    try:
        return clean(json.loads(beside["submission.json"])["kit"], 40)
    except (KeyError, ValueError, TypeError, RecursionError):
        return ""
