"""`lab author`: a stage is made, and refused until it is whole."""

import pytest

from kit_copy import KEY, copy_kit

pytestmark = [pytest.mark.needs("bwrap"), pytest.mark.timeout(600)]
NEW = "60-count-on"


@pytest.fixture
def kit(tmp_path):
    made = copy_kit(tmp_path / "kit", "http://127.0.0.1:9")
    (made.folder / "notebooks").mkdir()
    return made


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_new_stage_is_whole_when_its_author_has_filled_it(kit):
    said = kit.lab("author", "make", NEW, "--title", "Counting", code=0).stdout
    assert f"checks/check_{NEW.replace('-', '_')}.py" in said and f"solutions/{NEW}/app.py" in said
    said = kit.lab("author", "check", NEW, code=1, limit_s=400).stdout
    assert "has not three hints" in said and "there are no mutants" in said
    listed = kit.folder / "checks" / "stages.toml"
    edit(listed, '    "",\n    "",\n    "",\n', '    "one?",\n    "two",\n    "three",\n')
    mutant = "[[mutant]]\nname = 'm'\nwhat = 'w'\nfile = 'app.py'\ncaught_by = 'check_answers'\n"
    (kit.folder / "tests" / "mutants" / f"{NEW}.toml").write_text(mutant)
    assert kit.lab("author", "check", NEW, code=0, limit_s=400).stdout == f"✓ {NEW}\n"
    edit(kit.folder / "lab" / NEW / "app.py", '["number"]}', '["number"] + 1}')
    assert (
        "the starter passes check_answers already"
        in kit.lab("author", "check", NEW, code=1, limit_s=400).stdout
    )
    edit(kit.folder / "solutions" / NEW / "app.py", "+ 1", "+ 2")
    said = kit.lab("author", "check", NEW, code=1, limit_s=400).stdout
    assert "the solution does not pass check_answers: another one" in said


def test_what_lacks_a_place_is_refused(kit):
    (kit.lab_files / "more.txt").write_text("")
    (kit.folder / "solutions" / KEY / "notes.txt").unlink()
    said = kit.lab("author", "check", code=1, limit_s=400).stdout
    for words in (
        f"there is no notebooks/{KEY}.ipynb",
        f"there is no solutions/{KEY}/notes.txt, which stages.toml names",
        f"lab/{KEY}/more.txt is not among the files in stages.toml",
        f"there are no mutants in tests/mutants/{KEY}.toml",
        f"there are no alternatives in tests/alternatives/{KEY}/",
    ):
        assert words in said


@pytest.mark.parametrize(("key", "words"), [("my stage", "A key is two digits"), (KEY, "already")])
def test_a_bad_key_makes_nothing(kit, key, words):
    before = sorted(kit.folder.rglob("*.py"))
    assert words in kit.lab("author", "make", key, code=2).stdout
    assert sorted(kit.folder.rglob("*.py")) == before
