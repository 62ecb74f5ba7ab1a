"""Ingestion jobs: a thread for each, one at a time for a data source."""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..control_plane.state import note_change
from .calls import Call
from .data_sources import asked_source
from .embeddings import BrokenOff, ended
from .errors import BedrockError, not_found
from .ingestion import STATISTICS, Failed, synchronise
from .knowledge_bases import asked_base, new_id
from .pages import AGENTS_PAGE, page

_log = logging.getLogger(__name__)
_UNDER_WAY = ("STARTING", "IN_PROGRESS", "STOPPING")
_CUT_OFF = "The local cloud was stopped meanwhile; start another job"
_starting = threading.Lock()


@dataclass(frozen=True)
class _Running:
    thread: threading.Thread
    ended: threading.Event = field(default_factory=threading.Event)


# The jobs of this process by id: one that a restart cut off is in no thread any more.
_running: dict[str, _Running] = {}


@atexit.register
def end() -> None:
    """Break off what runs, and wait for it."""
    with _starting:
        under_way = list(_running.values())
    for running in under_way:
        running.ended.set()
        running.thread.join()


def start(call: Call) -> Mapping[str, Any]:
    """StartIngestionJob."""
    base, source = asked_base(call), asked_source(call)
    with _starting:
        _check_free(source)
        now = datetime.now(UTC)
        job = {
            "knowledgeBaseId": base["knowledgeBaseId"],
            "dataSourceId": source["dataSourceId"],
            "ingestionJobId": new_id(),
            "description": call.get("description"),
            "status": "STARTING",
            "statistics": dict.fromkeys(STATISTICS, 0),
            "failureReasons": None,
            "startedAt": now,
            "updatedAt": now,
        }
        source["jobs"][job["ingestionJobId"]] = job
        answer = _shown(job)
        thread = threading.Thread(
            target=_run, args=(call, base, source, job), name="ingestion", daemon=True
        )
        _running[job["ingestionJobId"]] = _Running(thread)
        thread.start()
    return {"ingestionJob": answer}


def _check_free(source: dict[str, Any]) -> None:
    for other in map(_judged, source["jobs"].values()):
        if other["status"] in _UNDER_WAY:  # the text is UNCONFIRMED
            raise BedrockError(
                "ConflictException",
                f"Ingestion job {other['ingestionJobId']} of data source {source['dataSourceId']} "
                "is under way; wait for its end",
            )


def get(call: Call) -> Mapping[str, Any]:
    """GetIngestionJob."""
    return {"ingestionJob": _shown(_judged(_asked_job(call)))}


def list_jobs(call: Call) -> Mapping[str, Any]:
    """ListIngestionJobs, the newest first unless asked otherwise."""
    jobs = {job["ingestionJobId"]: _judged(job) for job in asked_source(call)["jobs"].values()}
    for wanted in call.get("filters", ()):
        jobs = {key: job for key, job in jobs.items() if job["status"] in wanted["values"]}
    how = call.get("sortBy", {"attribute": "STARTED_AT", "order": "DESCENDING"})
    attribute = "status" if how["attribute"] == "STATUS" else "startedAt"
    ordered = sorted(jobs.values(), key=lambda job: (job[attribute], job["startedAt"]))
    if how["order"] == "DESCENDING":
        ordered.reverse()
    places = {f"{place:06}": job for place, job in enumerate(ordered)}
    found, token = page(list(places), call.get("maxResults", AGENTS_PAGE), call.get("nextToken"))
    names = [name for name in _shown(ordered[0])] if ordered else []
    names = [name for name in names if name != "failureReasons"]
    shown = [{name: places[place][name] for name in names} for place in found]
    return {"ingestionJobSummaries": shown, "nextToken": token}


def stop(call: Call) -> Mapping[str, Any]:
    """StopIngestionJob: after the document that it is at."""
    job = _judged(_asked_job(call))
    if job["status"] not in _UNDER_WAY:  # UNCONFIRMED
        raise BedrockError("ConflictException", f"The ingestion job is {job['status']}")
    job["status"] = "STOPPING"
    return {"ingestionJob": _shown(job)}


def _run(call: Call, base: dict, source: dict, job: dict) -> None:
    broken_off = _running[job["ingestionJobId"]].ended
    ended.set(broken_off)

    def go_on() -> bool:
        if broken_off.is_set():
            raise BrokenOff
        return job["status"] == "IN_PROGRESS"

    try:
        if job["status"] == "STARTING":
            job["status"] = "IN_PROGRESS"
        reasons = synchronise(call, base, source, job["statistics"], go_on)
        outcome = "COMPLETE" if go_on() else "STOPPED"
    except Failed as error:
        outcome, reasons = "FAILED", [str(error)]
    except BrokenOff:
        outcome, reasons = "FAILED", [_CUT_OFF]
    except Exception as error:
        _log.exception("ingestion failed")
        outcome, reasons = "FAILED", [repr(error)]
    job.update(failureReasons=reasons or None, updatedAt=datetime.now(UTC), status=outcome)
    _running.pop(job["ingestionJobId"], None)
    note_change()


def _judged(job: dict[str, Any]) -> dict[str, Any]:
    """A job, failed where the local cloud ended in the middle of it."""
    if job["status"] in _UNDER_WAY and job["ingestionJobId"] not in _running:
        job["status"] = "FAILED"
        job["failureReasons"] = [_CUT_OFF]
    return job


def _asked_job(call: Call) -> dict[str, Any]:
    job = asked_source(call)["jobs"].get(call.get("ingestionJobId"))
    if job is None:  # UNCONFIRMED
        raise not_found(f"Ingestion job with id {call.get('ingestionJobId')} does not exist")
    return job


def _shown(job: Mapping[str, Any]) -> dict[str, Any]:
    return {**job, "statistics": dict(job["statistics"])}


OPERATIONS = {
    ("bedrock-agent", "StartIngestionJob"): start,
    ("bedrock-agent", "GetIngestionJob"): get,
    ("bedrock-agent", "ListIngestionJobs"): list_jobs,
    ("bedrock-agent", "StopIngestionJob"): stop,
}
