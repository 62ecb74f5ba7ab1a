"""Every stage holds what learners need: what `lab author check` finds by reading."""

import pytest

from labkit.authoring import rules
from labkit.authoring.collection import collect
from labkit.grading.stages import UnknownStage, find, stages

each = pytest.mark.parametrize("stage", stages(), ids=lambda stage: stage.key)


@pytest.fixture(scope="module")
def collected():
    """The checks of all stages."""
    return collect(stages())


def test_there_are_stages():
    assert stages()
    assert [stage.key for stage in stages()] == sorted(stage.key for stage in stages())


@each
def test_a_stage_is_fit_for_learners(stage, collected):
    assert collected[stage.key].checks
    assert rules.faults(stage, collected[stage.key]) == []


@each
def test_its_number_and_its_word_name_it(stage):
    number, word = stage.key.split("-", 1)
    assert find(number) is find(word) is find(stage.key) is stage


@pytest.mark.parametrize("key", ["", "0", "nothing", "99"])
def test_an_unknown_key_is_refused(key):
    with pytest.raises(UnknownStage, match="The stages with an exercise"):
        find(key)
