"""`lab reset`: the starter files of stages anew, or an empty local cloud."""

import http.client
import json
import shutil
import sys
import time
from pathlib import Path

from localcloud import StateInUse, empty_state, find_server

from . import project, terminal, workspace
from .grading.stages import Stage, UnknownStage, find, stages

DONE, NOT_DONE, UNKNOWN = 0, 1, 2


def cloud(*, yes: bool) -> int:
    """Empty the local cloud, whether it runs or not; return the exit code."""
    question = "Delete every bucket, function, role, stack and log of the local cloud?"
    if not (yes or terminal.agrees(question)):
        print("Nothing was deleted.")
        return NOT_DONE
    server = find_server(project.CLOUD)
    try:
        if server:
            _ask_server(server.port)
        else:
            empty_state(project.CLOUD)
    except (StateInUse, OSError, http.client.HTTPException) as error:
        print(f"The local cloud could not be emptied: {error}")
        return NOT_DONE
    print("The local cloud is empty.")
    return DONE


def files(key: str | None, *, yes: bool) -> int:
    """Put the starter of a stage, or of all, into lab/, and keep what was there; return the exit code."""
    try:
        chosen = [find(key)] if key else list(stages())
    except UnknownStage as error:
        print(error, file=sys.stderr)
        return UNKNOWN
    changed = [stage for stage in chosen if not _is_starter(stage.key)]
    if not changed:
        print("Nothing to do: what is in lab/ is the starter.")
        return DONE
    names = ", ".join(stage.key for stage in changed)
    question = f"Go back to the starter of {names}? A copy of your files is kept."
    if not (yes or terminal.agrees(question)):
        print("Nothing was changed.")
        return NOT_DONE
    for stage in changed:
        kept = _keep(stage)
        workspace.write_stage(project.LAB, stage.key)
        where = f" Your files are in {kept}." if kept else ""
        print(f"lab/{stage.key} is the starter again.{where}")
    return DONE


def _is_starter(key: str) -> bool:
    folder = project.LAB / key
    if not folder.is_dir():
        return False
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if _counts(path)
    }
    return found == workspace.starter_files(key)


def _counts(path: Path) -> bool:
    made_by_tools = {"__pycache__", ".ipynb_checkpoints"} & set(path.parts)
    return not made_by_tools and (path.is_symlink() or not path.is_dir())


def _keep(stage: Stage) -> Path | None:
    """Move the stage's folder out of lab/; where there is one."""
    folder = project.LAB / stage.key
    if not (folder.exists() or folder.is_symlink()):
        return None
    kept = project.WORK / "kept" / f"{stage.key}-{time.strftime('%Y%m%d-%H%M%S')}"
    while kept.exists():
        kept = kept.with_name(f"{kept.name}-")
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(folder, kept)
    return kept


def _ask_server(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("DELETE", "/_localcloud/resources")
        answer = connection.getresponse()
        if answer.status != 200 or json.loads(answer.read()).get("status") != "running":
            raise http.client.HTTPException(f"it answered {answer.status}")
    finally:
        connection.close()
