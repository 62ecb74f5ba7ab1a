"""What is taken from a submission: the files that stages.toml names, whatever else it holds."""

import json
import os
import stat
import struct
import tracemalloc
import zipfile

import pytest

from kit_copy import KEY
from labkit import workspace
from labkit.classroom import submission
from labkit.classroom.submission import UnreadableSubmission
from labkit.grading.stage_files import LARGEST_BYTES

APP, BILL = "lab/09-function/app.py", "lab/02-memory-and-cost/bill.py"


def as_folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def as_zip(path, files):
    with zipfile.ZipFile(path.with_suffix(".zip"), "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path.with_suffix(".zip")


@pytest.mark.parametrize("make", [as_folder, as_zip])
@pytest.mark.parametrize("base", ["", "a-repository-main/"])
def test_named_files_are_taken_and_all_else_is_reported(tmp_path, make, base):
    files = {APP: b"one", BILL: b"\xff\xfe", "conftest.py": b"", "lab/09-function/more.py": b"",
             "lab/pytest.ini": b"", "lab/.DS_Store": b""}  # fmt: skip
    path = make(tmp_path / "ada", {base + name: content for name, content in files.items()})
    taken = submission.read("ada", [path])
    assert taken.files == {"09-function/app.py": b"one", "02-memory-and-cost/bill.py": b"\xff\xfe"}
    for name in ("conftest.py", "lab/09-function/more.py", "lab/pytest.ini"):
        assert f"ignored: {base}{name}: no stage names it" in taken.notes
    assert f"{base}{BILL} is not in UTF-8: save it as UTF-8 in your editor" in taken.notes
    assert len(taken.notes) == 4


def test_stages_without_lab_around_them_are_found(tmp_path):
    taken = submission.read("ada", [as_folder(tmp_path / "ada", {"09-function/app.py": b"one"})])
    assert taken.files == {"09-function/app.py": b"one"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
def test_a_file_of_another_encoding_is_taken_and_told_of(tmp_path, encoding):
    path = as_folder(tmp_path / "ada", {APP: "# Größe".encode(encoding), BILL: "# Größe".encode()})
    taken = submission.read("ada", [path])
    assert set(taken.files) == {"09-function/app.py", "02-memory-and-cost/bill.py"}
    assert taken.notes == (f"{APP} is not in UTF-8: save it as UTF-8 in your editor",)


def test_stages_as_they_were_given_are_known(tmp_path):
    given = workspace.starter_files("07-events-and-iam")
    files = {f"lab/07-events-and-iam/{name}": content for name, content in given.items()}
    files[APP] = workspace.starter_files("09-function")["app.py"] + b"# begun\n"
    taken = submission.read("ada", [as_folder(tmp_path / "ada", files)])
    assert taken.untouched == ("07-events-and-iam",)


def test_links_pipes_and_huge_files_are_not_taken(tmp_path):
    path = as_folder(tmp_path / "eve", {APP: b"x" * (LARGEST_BYTES + 1)})
    (path / "lab/02-memory-and-cost").mkdir()
    os.mkfifo(path / BILL)
    (path / "lab/02-memory-and-cost/choose.py").symlink_to("/etc/passwd")
    (path / "lab/10-trigger").symlink_to("/etc")
    taken = submission.read("eve", [path])
    assert taken.files == {}
    words = "\n".join(taken.notes)
    assert f"{APP}: larger than 1,048,576 bytes" in words and f"{BILL}: no plain file" in words
    assert "choose.py: a link" in words and "lab/10-trigger" in words


def test_a_zip_is_not_believed(tmp_path):
    path = tmp_path / "eve.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../lab/09-function/app.py", "out")
        archive.writestr("/lab/09-function/app.py", "out")
        link = zipfile.ZipInfo("lab/10-trigger/trigger.py")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr(BILL, bytes(8 << 20))
    size = (8 << 20).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (100).to_bytes(4, "little")))
    taken = submission.read("eve", [path])
    assert taken.files.get("02-memory-and-cost/bill.py", b"") in (b"", bytes(100))
    assert set(taken.files) <= {"02-memory-and-cost/bill.py"}
    words = "\n".join(taken.notes)
    assert words.count("leads out of the submission") == 2 and "trigger.py: a link" in words


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + b"\xff" * 18, "cut"])
def test_a_broken_zip_is_refused_in_a_sentence(tmp_path, content):
    path = tmp_path / "bob.zip"
    if content == "cut":
        content = as_zip(tmp_path / "whole", {APP: os.urandom(5000)}).read_bytes()[:3000]
    path.write_bytes(content)
    with pytest.raises(UnreadableSubmission, match="it can't be read"):
        submission.read("bob", [path])


def test_a_file_that_can_not_be_unpacked_costs_only_itself(tmp_path):
    path = as_zip(tmp_path / "bob", {APP: b"x" * 4000, BILL: b"fine"})
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"x" * 4000, b"y" * 4000))
    taken = submission.read("bob", [path])
    assert taken.files == {"02-memory-and-cost/bill.py": b"fine"}
    assert taken.notes == (f"not taken: {APP}: can't be read (BadZipFile)",)


def test_folders_and_zips_are_the_learners(tmp_path):
    (tmp_path / "ada").mkdir()
    (tmp_path / "bob.zip").write_bytes(b"")
    for name in ("notes.txt", "eve.tar.gz"):
        (tmp_path / name).write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "ada")
    (tmp_path / ".git").mkdir()
    found, others = submission.find(tmp_path)
    assert found == {"ada": [tmp_path / "ada"], "bob": [tmp_path / "bob.zip"]}
    assert [path.name for path in others] == ["eve.tar.gz", "link", "notes.txt"]


def test_two_of_one_name_are_nobodys(tmp_path):
    for name in ("ada.zip", "ada.ZIP"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "ada").mkdir()
    found, _ = submission.find(tmp_path)
    with pytest.raises(
        UnreadableSubmission, match="3 of this name, ada, ada.ZIP, ada.zip: keep one"
    ):
        submission.read("ada", found["ada"])


def test_a_name_is_one_however_its_accents_are_written(tmp_path):
    for name in ("Jos\N{LATIN SMALL LETTER E WITH ACUTE}", "Zoe\N{COMBINING DIAERESIS}"):
        (tmp_path / name).mkdir()
    assert list(submission.find(tmp_path)[0]) == [
        "Jos\N{LATIN SMALL LETTER E WITH ACUTE}", "Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}",
    ]  # fmt: skip


def test_a_name_that_can_not_be_shown_or_be_a_files_is_changed(tmp_path):
    for name in (
        "\x1b[2J",
        "\u202eada",
        os.fsdecode(b"\xff\xfe"),
        "写" * 80,
        "a" * 250,
        "line\nline",
    ):
        (tmp_path / name).mkdir()
    names = list(submission.find(tmp_path)[0])
    assert len(names) == 6 and all(name.isprintable() for name in names)
    assert max(len(f".{name}.json.partial".encode()) for name in names) <= 255


@pytest.mark.parametrize("make", [as_folder, as_zip])
def test_a_copy_of_the_whole_kit_is_taken_with_all_that_it_hides(tmp_path, make):
    """A virtual environment and a repository of git have more files than are looked at."""
    hidden = {
        f"kit/{folder}/{n}": b"" for folder in (".venv/lib", ".git/objects") for n in range(15_000)
    }
    taken = submission.read("ada", [make(tmp_path / "ada", hidden | {f"kit/{APP}": b"one"})])
    assert taken.files == {"09-function/app.py": b"one"}
    assert sorted(taken.notes) == [
        f"ignored: kit/{each}/: no stage names it" for each in (".git", ".venv")
    ]


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_unpacks_without_a_bound_is_not_unpacked(tmp_path, compression):
    """Both headers lie: a few hundred bytes would become 64 MiB before anybody could count them."""
    path = tmp_path / "eve.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr(APP, bytes(64 << 20))
    size = (64 << 20).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (100).to_bytes(4, "little")))
    tracemalloc.start()
    taken = submission.read("eve", [path])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20
    assert "compressed in a way that is not read here" in taken.notes[0]


def test_a_zip_with_a_directory_that_fills_the_memory_is_refused(tmp_path):
    """Each of its files takes fifty bytes there, and ten times as much in memory."""
    entry = b"PK\x01\x02" + bytes(24) + (1).to_bytes(2, "little") + bytes(16) + b"a"
    many = (20 << 20) // len(entry)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, many * len(entry), 0, 0)
    (tmp_path / "eve.zip").write_bytes(entry * many + end)
    tracemalloc.start()
    with pytest.raises(UnreadableSubmission, match="far too many files"):
        submission.read("eve", [tmp_path / "eve.zip"])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20


def test_a_zip_with_a_thousand_faults_has_a_few_notes(tmp_path):
    path = as_zip(tmp_path / "eve", {f"../{n}": b"" for n in range(1000)} | {APP: b"one"})
    taken = submission.read("eve", [path])
    assert taken.files == {"09-function/app.py": b"one"}
    assert len(taken.notes) < 60 and taken.notes[-1] == "960 notes more of this kind"


def test_a_pipe_that_is_called_a_zip_is_nobodys(tmp_path):
    (tmp_path / "ada").mkdir()
    os.mkfifo(tmp_path / "eve.zip")
    found, others = submission.find(tmp_path)
    assert list(found) == ["ada"] and [path.name for path in others] == ["eve.zip"]


def test_lab_submit_takes_what_is_graded_and_nothing_else(kit):
    kit.solve()
    (kit.lab_files / "secret.txt").write_text("mine alone")
    (kit.folder / "notebooks").mkdir()
    predicted = ["my_guess_ms = 5\n", "my_guess_word = 'no'\n", "x = 1"]
    cells = [
        {"cell_type": "code", "source": predicted},
        {"cell_type": "code", "source": "%check"},
        {"cell_type": "markdown", "source": "my_guess_no = 1"},
    ]
    (kit.folder / "notebooks" / f"{KEY}.ipynb").write_text(json.dumps({"cells": cells}))
    kit.lab("check", KEY, code=0)
    said = kit.lab("submit", "--out", "mine.zip", code=0).stdout
    assert said == "mine.zip: 2 files of lab/, your progress and your predictions.\n"
    with zipfile.ZipFile(kit.folder / "mine.zip") as archive:
        assert sorted(archive.namelist()) == [
            "answers.json", f"lab/{KEY}/app.py", f"lab/{KEY}/notes.txt", "progress.json", "submission.json",
        ]  # fmt: skip
        assert json.loads(archive.read("answers.json")) == {
            KEY: {"my_guess_ms": 5, "my_guess_word": "no"}
        }
        assert archive.read("progress.json") == (kit.work / "progress.json").read_bytes()
        assert set(json.loads(archive.read("submission.json"))) == {"kit", "made"}


def test_lab_submit_says_what_is_missing(kit):
    (kit.lab_files / "app.py").unlink()
    (kit.lab_files / "notes.txt").write_bytes(bytes(LARGEST_BYTES + 1))
    done = kit.lab("submit", code=1)
    assert "Left out: 50-greeting/app.py is no file of its own" in done.stdout
    assert "notes.txt has more than 1,048,576 bytes" in done.stdout
    assert (
        "There is nothing to submit" in done.stdout and not (kit.folder / "submission.zip").exists()
    )
