"""Data sources: which objects of which bucket a knowledge base reads, and how it cuts them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .calls import Call
from .chunking import InvalidChunking, check_chunking
from .errors import BedrockError, invalid, not_found
from .ingestion import forget_documents
from .knowledge_bases import asked_base, new_id
from .pages import summaries

_SETTABLE = (
    "name", "description", "dataSourceConfiguration", "dataDeletionPolicy",
    "vectorIngestionConfiguration", "serverSideEncryptionConfiguration",
)  # fmt: skip
_NOT_DONE = (
    "customTransformationConfiguration", "parsingConfiguration", "contextEnrichmentConfiguration",
)  # fmt: skip
_KEPT = ("documents", "jobs")


def create(call: Call) -> Mapping[str, Any]:
    """CreateDataSource: a bucket in S3."""
    base = asked_base(call)
    if any(each["name"] == call.get("name") for each in base["sources"].values()):
        raise BedrockError(  # UNCONFIRMED
            "ConflictException", f"DataSource with name {call.get('name')} already exists."
        )
    now = datetime.now(UTC)
    source = {
        "dataDeletionPolicy": "DELETE",
        **_settings(call),
        "knowledgeBaseId": base["knowledgeBaseId"],
        "dataSourceId": new_id(),
        "status": "AVAILABLE",
        "createdAt": now,
        "updatedAt": now,
        "documents": {},
        "jobs": {},
    }
    base["sources"][source["dataSourceId"]] = source
    return {"dataSource": _shown(source)}


def get(call: Call) -> Mapping[str, Any]:
    """GetDataSource."""
    return {"dataSource": _shown(asked_source(call))}


def list_sources(call: Call) -> Mapping[str, Any]:
    """ListDataSources."""
    sources = asked_base(call)["sources"]
    names = ("knowledgeBaseId", "dataSourceId", "name", "description", "status", "updatedAt")
    return summaries(call, sources, "dataSourceSummaries", names)


def update(call: Call) -> Mapping[str, Any]:
    """UpdateDataSource. How documents are cut can't change (API reference)."""
    source, settings = asked_source(call), _settings(call)
    chunking = settings.get("vectorIngestionConfiguration")
    if chunking not in (None, source.get("vectorIngestionConfiguration")):
        raise invalid("The chunking configuration of a data source can't be updated")  # UNCONFIRMED
    source.update(settings, updatedAt=datetime.now(UTC))
    return {"dataSource": _shown(source)}


def delete(call: Call) -> Mapping[str, Any]:
    """DeleteDataSource, with its vectors unless its policy is RETAIN."""
    base, source = asked_base(call), asked_source(call)
    if source["dataDeletionPolicy"] == "DELETE":
        forget_documents(base, source, list(source["documents"]), call.account_id)
    del base["sources"][source["dataSourceId"]]
    ids = {name: source[name] for name in ("knowledgeBaseId", "dataSourceId")}
    return {**ids, "status": "DELETING"}


def asked_source(call: Call) -> dict[str, Any]:
    """The data source that a request names. Raises ResourceNotFoundException."""
    source = asked_base(call)["sources"].get(call.get("dataSourceId"))
    if source is None:  # UNCONFIRMED
        raise not_found(f"DataSource with id {call.get('dataSourceId')} does not exist")
    return source


def _settings(call: Call) -> dict[str, Any]:
    settings = {name: call.get(name) for name in _SETTABLE if call.get(name) is not None}
    configuration = settings["dataSourceConfiguration"]
    if configuration["type"] != "S3" or "s3Configuration" not in configuration:
        raise invalid("localcloud has data sources of type S3 alone")
    how = settings.get("vectorIngestionConfiguration", {})
    for name in _NOT_DONE:
        if name in how:
            raise invalid(f"localcloud has no {name}")
    if "chunkingConfiguration" in how:
        try:
            check_chunking(how["chunkingConfiguration"])
        except InvalidChunking as error:
            raise invalid(str(error)) from None
    return settings


def _shown(source: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in source.items() if name not in _KEPT}


OPERATIONS = {
    ("bedrock-agent", "CreateDataSource"): create,
    ("bedrock-agent", "GetDataSource"): get,
    ("bedrock-agent", "ListDataSources"): list_sources,
    ("bedrock-agent", "UpdateDataSource"): update,
    ("bedrock-agent", "DeleteDataSource"): delete,
}
