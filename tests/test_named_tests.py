"""What the documents say of tests: each that they name is there, and API Gateway's features have one."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_every_test_that_a_page_names_is_there(page):
    named = set(re.findall(r"\btest_\w+\.py\b", (ROOT / "docs" / page).read_text()))
    assert {name for name in named if not (ROOT / "tests" / name).exists()} == set()


def test_features_of_api_gateway_are_each_backed_by_a_test():
    _, _, after = (ROOT / "docs" / "localcloud.md").read_text().partition("\n## API Gateway\n")
    part, _, _ = after.partition("\n## ")
    rows = [
        line for line in part.splitlines() if re.match(r"\| \S", line) and "| test |" not in line
    ]
    unbacked = [row for row in rows if "test_" not in row and not row.startswith("| not |")]
    assert len(rows) > 50 and unbacked == []
