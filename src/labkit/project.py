"""Where the kit's files lie."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
FIRST_NOTEBOOK = NOTEBOOKS / "00-start-here.ipynb"
PHOTOS = ROOT / "assets" / "photos"
TEMPLATE = ROOT / "cloudformation" / "image-resizer.yaml"
SOLUTIONS = ROOT / "solutions"
# What the kit writes while it runs; git ignores it.
WORK = ROOT / ".lab"
