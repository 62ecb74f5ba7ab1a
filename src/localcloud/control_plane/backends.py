"""moto's backends without its bookkeeping, which costs more than a policy's evaluation."""

from typing import Any


def backend_of(backends: Any, account_id: str, region: str) -> Any:
    """The backend of an account and region ("aws" where a service has no regions).

    For S3, IAM, STS, Lambda and Logs alone: of others the state of the last time is read when moto
    is asked for them (see state).
    """
    try:
        # BackendDict takes a lock and walks a list on every access.
        return dict.__getitem__(dict.__getitem__(backends, account_id), region)
    except KeyError:
        return backends[account_id][region]


def regions_in_use(backends: Any, account_id: str) -> list[tuple[str, Any]]:
    """The regions and backends of an account that were used; asks nothing of moto, as backend_of."""
    return list(dict.get(backends, account_id, {}).items())
