"""The lock files: complete, with hashes, without addresses; and a reason for each dependency."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-test.lock", "tests/clients.lock")
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = SETTINGS["project"]


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def direct(*extras):
    listed = list(PROJECT["dependencies"])
    for extra in extras:
        listed += PROJECT["optional-dependencies"][extra]
    return names(listed)


def names(requirements):
    return {canonical(re.match(r"[A-Za-z0-9._-]+", line)[0]) for line in requirements}


def pins(name):
    """Each pinned requirement of a lock file, with its marker, and how many hashes it has."""
    found = {}
    text = (ROOT / name).read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            requirement, *hashes = re.split(r"\s+--hash=sha256:", line)
            found[requirement.strip()] = len(hashes)
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_lock_file_has_hashes_and_no_address(name):
    assert "://" not in (ROOT / name).read_text()
    assert "--index" not in (ROOT / name).read_text()
    assert "--find-links" not in (ROOT / name).read_text()
    assert pins(name)
    for requirement, hashes in pins(name).items():
        assert re.match(r"[a-z0-9-]+==\S+", requirement), requirement
        assert hashes, requirement


@pytest.mark.parametrize(
    ("name", "extras"), [(LOCKS[0], ["build", "model"]), (LOCKS[1], ["build", "model", "test"])]
)
def test_lock_file_holds_every_direct_dependency(name, extras):
    locked = {requirement.split("==")[0] for requirement in pins(name)}
    assert direct(*extras) <= locked


def test_the_clients_lock_holds_every_client():
    locked = {requirement.split("==")[0] for requirement in pins(LOCKS[2])}
    assert names(SETTINGS["dependency-groups"]["clients"]) <= locked


def test_the_test_lock_holds_the_learners_versions():
    assert set(pins(LOCKS[0])) <= set(pins(LOCKS[1]))


def test_every_direct_dependency_has_its_reason():
    lines = (ROOT / "docs" / "dependencies.md").read_text().splitlines()
    reasons = {
        canonical(m[1]): m[2] for line in lines if (m := re.match(r"\| `(.+?)` \| (.+) \|", line))
    }
    clients = names(SETTINGS["dependency-groups"]["clients"])
    assert set(reasons) == direct("test", "build", "model", "fast") | clients
    assert all(len(reason) > 20 for reason in reasons.values())
