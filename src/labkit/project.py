"""Where the kit's files lie."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
FIRST_NOTEBOOK = NOTEBOOKS / "00-start-here.ipynb"
PHOTOS = ROOT / "assets" / "photos"
TEMPLATE = ROOT / "cloudformation" / "image-resizer.yaml"
SOLUTIONS = ROOT / "solutions"
LAB = ROOT / "lab"
CHECKS = ROOT / "checks"
MUTANTS = ROOT / "tests" / "mutants"
ALTERNATIVES = ROOT / "tests" / "alternatives"
# What the kit writes while it runs; git ignores it. LAB_WORK puts it elsewhere.
WORK = Path(os.environ.get("LAB_WORK") or ROOT / ".lab").absolute()
# The local cloud's buckets, functions and all the rest: what `lab reset --cloud` empties.
CLOUD = WORK / "cloud"
