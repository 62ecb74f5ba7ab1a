"""What passes against a second cloud: the record, its reasons, and the table of docs/aws.md made of them."""

import pytest
from benchmarks.peer import locked_version

import second_cloud
import second_record
from labkit.grading.results import IN_TIME, CheckResult
from second_record import Measured, Seen

KEY = "10-trigger"
FIRST, SECOND = second_record.checks_of(KEY)[:2]


@pytest.fixture
def reasons(monkeypatch, tmp_path):
    """Write reasons of the test's own."""
    file = tmp_path / "reasons.toml"
    monkeypatch.setattr(second_record, "REASONS", file)
    return file.write_text


def measured(**checks):
    """A record of a stage whose checks passed, but for those named."""
    passed = {name: Seen("passed") for name in second_record.checks_of(KEY)}
    return Measured(locked_version(), passed | checks)


def test_everything_was_measured_with_the_version_in_use():
    record = second_record.read()
    assert list(record) == second_record.everything(), "make second"
    assert {one.version for one in record.values()} == {locked_version()}, "make second"


def test_the_documents_table_is_the_records():
    record = second_record.read()
    assert second_record.tables_place()[1] == second_record.table(record), "make second"


def test_what_does_not_pass_has_its_reason():
    assert list(second_record.faults(second_record.read())) == []


def test_a_check_without_a_reason_is_a_fault_and_is_shown(reasons):
    reasons("reason = []")
    record = {KEY: measured(**{FIRST: Seen("failed", "403 | Forbidden")})}
    (fault,) = second_record.faults(record)
    assert fault.startswith(f"{KEY}: {FIRST} does not pass") and "403" in fault
    (row,) = [line for line in second_record.table(record).splitlines() if KEY in line]
    count = len(second_record.checks_of(KEY))
    assert f"| {count - 1} of {count} |" in row
    assert f"`{FIRST}`: **no reason known**; seen: 403 \\| Forbidden" in row


def test_checks_of_one_reason_stand_together(reasons):
    reasons(f'[[reason]]\nwhy = "it has no queues"\nchecks.{KEY} = ["{FIRST}", "{SECOND}"]')
    record = {KEY: measured(**{FIRST: Seen("failed", "404"), SECOND: Seen("not run", "the same")})}
    assert list(second_record.faults(record)) == []
    assert f"`{FIRST}`, `{SECOND}`: it has no queues |" in second_record.table(record)


def test_a_reason_for_all_checks_of_a_stage(reasons):
    reasons(f'[[reason]]\nwhy = "it has no buckets"\nchecks.{KEY} = "all"')
    names = second_record.checks_of(KEY)
    record = {KEY: measured(**dict.fromkeys(names, Seen("failed", "404")))}
    assert list(second_record.faults(record)) == []
    row = f"| {KEY} | 0 of {len(names)} | all of them: it has no buckets |"
    assert row in second_record.table(record)


def test_a_reason_that_does_not_hold_any_more_is_a_fault(reasons):
    reasons(f'[[reason]]\nwhy = "it has no queues"\nchecks.{KEY} = ["{FIRST}", "check_gone"]')
    passes, gone = second_record.faults({KEY: measured()})
    assert "passes, and has a reason" in passes and "none of its checks" in gone


def test_a_check_that_ran_out_of_time_has_not_failed_and_is_measured_again(reasons):
    reasons("reason = []")
    cut = CheckResult(FIRST, "Wants.", "", "failed", 1, expected=IN_TIME, seen="Timeout (>180.0s)")
    seen = second_cloud.seen_of(cut)
    record = {KEY: measured(**{FIRST: seen})}
    assert seen.outcome == "ran out of time" and list(second_record.faults(record)) == []
    assert f"`{FIRST}`: ran out of time" in second_record.table(record)
    assert not record[KEY].holds(KEY, locked_version())
    assert measured().holds(KEY, locked_version()) and not measured().holds(KEY, "0.0")


def test_stages_whose_checks_have_changed_are_measured_again():
    renamed = measured(check_new=Seen("passed"))
    assert not renamed.holds(KEY, locked_version())


@pytest.mark.timeout(300)
def test_the_templates_there_and_their_way_back():
    """A sample of `make second` with what the record says of it: four stacks, and `lab destroy`."""
    found = second_cloud.measured("templates").checks
    recorded = second_record.read()["templates"].checks
    assert {name: check.outcome for name, check in found.items()} == {
        name: check.outcome for name, check in recorded.items()
    }
    # What it could not look at, and nothing that is left.
    assert "vector" in found["lab destroy"].seen and "are left" not in found["lab destroy"].seen
