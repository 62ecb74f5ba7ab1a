"""grades.csv in a spreadsheet: no text of a submission's becomes a formula, wherever cells are split."""

import csv

import pytest

from labkit.classroom import reports
from labkit.classroom.records import Record, Records
from labkit.classroom.rules import Rules
from labkit.grading.stages import Stage

STAGE = Stage("50-greeting", "Greeting", "", 5, 6, ("app.py",), ())
FORMULA = "=cmd|'calc'!A1"


@pytest.mark.parametrize("delimiter", ",;\t")
@pytest.mark.parametrize("sign", "=+-@")
def test_no_cell_is_a_formula(tmp_path, delimiter, sign):
    attack = sign + FORMULA[1:]
    kept = Records(tmp_path)
    names = [attack, f"eve;{attack}", f"eve; {attack}"]
    for name in names:
        kept.write(Record(name, (), {}, notes=(f"ignored: a;{attack}: no stage names it", attack)))
    reports.write_all(kept, [STAGE], Rules(), {name: [tmp_path / "nowhere"] for name in names})
    with (tmp_path / "grades.csv").open(newline="") as table:
        cells = [cell for row in csv.reader(table, delimiter=delimiter) for cell in row]
    assert sum(FORMULA[1:] in cell for cell in cells) >= 3
    assert [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))] == []
