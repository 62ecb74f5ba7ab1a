"""A large class takes the grader no more memory than a small one, and it tells how far it is."""

import pytest

from kit_copy import copy_kit

pytestmark = [pytest.mark.needs("bwrap"), pytest.mark.timeout(300)]
FEW, MANY = 3, 90
BESIDE = " " * (1 << 20)
# Results as an earlier run has left them, so that this one grades nothing: a mebibyte for each learner.
GRADED = """
import sys
from pathlib import Path
from labkit.classroom import digests
from labkit.classroom.records import Record, Records
from labkit.grading.results import CheckResult, StageResult
from labkit.grading.stages import stages
kept, (stage,) = Records(Path(sys.argv[1])), stages()
picture = ("one", "data:," + "x" * (1 << 20))
check = CheckResult("check_greets", "It greets.", "1", "passed", 4, pictures=(picture,))
result = StageResult(stage.key, stage.title, 1, (check,))
for learner in sys.argv[2:]:
    kept.write(Record(learner, (result,), {stage.key: digests.of(stage, {}, 1, True)}))
"""
MEASURED = """
import resource, sys
from labkit.cli import app
try:
    app(["grade", *sys.argv[1:]])
except SystemExit as ended:
    print("ended with", ended.code, "at a peak of", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_class(tmp_path):
    kit = copy_kit(tmp_path / "kit", "http://127.0.0.1:9")
    peaks = []
    for count in (FEW, MANY):
        folder, out = tmp_path / f"class-{count}", tmp_path / f"out-{count}"
        learners = [f"learner-{number:03}" for number in range(count)]
        for learner in learners:
            (folder / learner).mkdir(parents=True)
            (folder / learner / "progress.json").write_text(BESIDE)
        kit.python("-c", GRADED, str(out), *learners, code=0)
        done = kit.python("-c", MEASURED, str(folder), "--out", str(out), "--seed", "1", code=0)
        told = done.stdout.splitlines()
        assert any(f"{count}/{count}" in line and "left" in line for line in told), done.stdout
        assert f"{count} submissions, {count} stages as before, 0 graded, " in done.stdout
        (last,) = [line for line in told if line.startswith("ended with 0 at a peak of")]
        peaks.append(int(last.split()[-1]))  # KiB
        assert len((out / "results.jsonl").read_text().splitlines()) == count
    assert peaks[1] < 1.25 * peaks[0], peaks
