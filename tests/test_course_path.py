"""The whole course as a learner walks it: from the untouched starter to every point, stage by stage."""

import json

import pytest

from kit_copy import Kit, copy_whole_kit
from labkit.grading.stages import stages
from labkit.hint import solution_files


@pytest.mark.timeout(900)
def test_the_course_goes_from_no_points_to_all(tmp_path, local_cloud):
    copy_whole_kit(tmp_path / "kit")
    kit = Kit(tmp_path / "kit", local_cloud.endpoint_url)

    def check(stage, code):
        done = kit.lab("check", stage.key, "--json", code=code)
        [result] = json.loads(done.stdout)["stages"]
        return result

    for stage in stages():
        before = check(stage, 1)
        assert (before["earned"], before["points"]) == (0, stage.points)
        assert all(each["seen"] for each in before["checks"])
        for name, text in solution_files(stage).items():
            (kit.folder / "lab" / stage.key / name).write_text(text, encoding="utf-8")
        after = check(stage, 0)
        assert (after["earned"], after["points"]) == (stage.points, stage.points)

    progress = json.loads(kit.lab("progress", "--json", code=0).stdout)
    earned = {stage["key"]: stage["earned"] for stage in progress["stages"]}
    assert earned == {stage.key: stage.points for stage in stages()}
