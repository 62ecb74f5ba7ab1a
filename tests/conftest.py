"""What all tests share.

`@pytest.mark.needs("bwrap")` skips a test where a program is not installed. LAB_NO_SKIP=1 turns every
skip into a failure: where the tests must prove something, nothing may be left out quietly.
"""

import functools
import os
import shutil

import pytest

from kit_copy import copy_kit
from stacks import delete


def pytest_configure(config):
    config.addinivalue_line("markers", "needs(*programs): programs that must be installed")
    # What other engines write differs in words, and one may be installed where the tests run.
    os.environ.setdefault("LOCALCLOUD_TEXT_ENGINE", "onnxruntime")
    # What `make test VENV=…` was told is not for a make that a test runs: it would set up that environment
    # anew, from the test's own copy of the kit.
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "VENV", "PYTHON"):
        os.environ.pop(name, None)


def pytest_runtest_setup(item):
    for marker in item.iter_markers("needs"):
        missing = [program for program in marker.args if shutil.which(program) is None]
        if missing:
            pytest.skip(f"not installed here: {', '.join(missing)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if os.environ.get("LAB_NO_SKIP") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"LAB_NO_SKIP is set, and this test was skipped: {report.longrepr}"
    return report


@pytest.fixture
def kit(tmp_path, local_cloud):
    """A copy of the kit with one small stage; its commands use the test module's local cloud."""
    return copy_kit(tmp_path / "kit", local_cloud.endpoint_url)


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium, for tests marked as needing it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def cloud(local_cloud):
    """A function that gives boto3 clients of a running cloud, each made once."""
    return functools.cache(local_cloud.client)


@pytest.fixture(scope="module")
def cfn(local_cloud):
    """A client of CloudFormation."""
    return local_cloud.client("cloudformation")


@pytest.fixture
def no_stack_left(cfn):
    """Deletes all stacks after a test."""
    yield
    for _ in range(3):  # what imports is deleted before what exports
        for stack in cfn.describe_stacks()["Stacks"]:
            name = stack["StackName"]
            if "ParentId" not in stack:
                cfn.update_termination_protection(StackName=name, EnableTerminationProtection=False)
                delete(cfn, name)
    assert cfn.describe_stacks()["Stacks"] == []
