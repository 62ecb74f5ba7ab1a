"""The photographs: real pictures, small enough, each with its source and licence."""

from pathlib import Path

import pytest
from PIL import Image

FOLDER = Path(__file__).parents[1] / "assets" / "photos"
PHOTOS = sorted(path for path in FOLDER.iterdir() if path.suffix in (".jpg", ".png"))


def table():
    """The rows of the README's table by file name: shows, from, author, licence."""
    rows = {}
    for line in (FOLDER / "README.md").read_text().splitlines():
        if line.startswith("| `"):
            name, *cells = (cell.strip() for cell in line.strip("|").split(" | "))
            rows[name.strip("` ")] = cells
    return rows


def test_every_photograph_has_a_row_and_every_row_a_photograph():
    assert {path.name for path in PHOTOS} == set(table())


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.name)
def test_photograph(path):
    with Image.open(path) as picture:
        picture.load()
        assert max(picture.size) <= 1600
        assert f"{picture.width} × {picture.height}" in table()[path.name][0]
    assert path.stat().st_size <= 400_000
    shows, source, author, licence = table()[path.name]
    assert all((shows, source, author))
    assert "public domain" in licence or "CC0" in licence
