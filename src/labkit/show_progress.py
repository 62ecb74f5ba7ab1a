"""`lab progress`: what has been done, stage by stage."""

import json
from typing import Any

from rich.table import Table

from . import terminal
from .grading import progress
from .grading.stages import stages


def run(*, as_json: bool) -> int:
    """Show the table, or print it as JSON; return 0."""
    console = terminal.console(stderr=as_json)
    stored = progress.read()
    if stored.note:
        console.print(stored.note, markup=False)
    found = summary(stored)
    if as_json:
        print(json.dumps(found, indent=2))
        return 0
    table = Table(box=None, pad_edge=False)
    for name in ("stage", "points", "checks", "hints", ""):
        table.add_column(name, justify="right" if name in ("points", "checks", "hints") else "left")
    for row in found["stages"]:
        seen = "solution seen" if row["solution_shown"] else ""
        table.add_row(
            f"{row['key']} · {row['title']}", f"{row['earned']}/{row['points']}",
            f"{row['checks_passed']}/{row['checks']}", str(row["hints"]), seen,
        )  # fmt: skip
    console.print(table)
    console.print(f"\n{found['earned']} of {found['points']} points")
    return 0


def summary(stored: progress.Progress) -> dict[str, Any]:
    """The best results of all stages, for programs; times are in ISO 8601."""
    rows = []
    for stage in stages():
        mine = stored.of(stage.key)
        names = {name for topic in stage.topics for name in topic.checks}
        rows.append(
            {
                "key": stage.key,
                "title": stage.title,
                "earned": mine.earned,
                "points": stage.points,
                "checks_passed": sum(bool(c.passed) for n, c in mine.checks.items() if n in names),
                "checks": len(names),
                "hints": sum(mine.hints.values()),
                "solution_shown": mine.solution_shown,
                "last_run": mine.last_run,
            }
        )
    return {
        "earned": sum(row["earned"] for row in rows),
        "points": sum(row["points"] for row in rows),
        "stages": rows,
    }
