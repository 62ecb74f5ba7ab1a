"""A vector index: vectors with keys and metadata in one matrix, and the nearest of them to another."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .metadata_filters import Predicate

_FIRST_ROWS = 64


@dataclass(frozen=True)
class StoredVector:
    """A vector as it was put; `data` is float32 of shape (dimension,)."""

    key: str
    data: np.ndarray
    metadata: dict[str, Any]


@dataclass(frozen=True)
class Neighbour:
    """A vector that a query found; `distance` is 0 for an equal one (cosine: 0 to 2)."""

    key: str
    distance: float
    metadata: dict[str, Any]


class VectorIndex:
    """Vectors of one dimension. `metric` is cosine or euclidean. Safe to use from several threads."""

    def __init__(self, dimension: int, metric: str):
        self.dimension = dimension
        self.metric = metric
        self._rows: dict[str, int] = {}
        self._keys: list[str] = []
        self._metadata: list[dict[str, Any]] = []
        self._matrix = np.zeros((_FIRST_ROWS, dimension), np.float32)
        self._lengths = np.ones(_FIRST_ROWS, np.float32)
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._keys)

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            size = len(self)
            kept = {"_matrix": self._matrix[:size].copy(), "_lengths": self._lengths[:size].copy()}
            kept |= {"_keys": list(self._keys), "_metadata": list(self._metadata)}
            return {**self.__dict__, **kept, "_rows": dict(self._rows)}

    def put(self, key: str, data: Sequence[float], metadata: dict[str, Any]) -> None:
        """Add a vector, or replace the one with this key."""
        with self._lock:
            row = self._rows.get(key)
            if row is None:
                row = self._rows[key] = len(self._keys)
                if row == len(self._matrix):
                    more = np.zeros((max(row, _FIRST_ROWS), self.dimension), np.float32)
                    self._matrix = np.concatenate([self._matrix, more])
                    self._lengths = np.concatenate([self._lengths, more[:, 0]])
                self._keys.append(key)
                self._metadata.append(metadata)
            self._matrix[row] = data
            self._lengths[row] = np.linalg.norm(self._matrix[row])
            self._metadata[row] = metadata

    def delete(self, key: str) -> None:
        """Take a vector away; nothing happens where there is no such key."""
        with self._lock:
            row = self._rows.pop(key, None)
            if row is None:
                return
            last_key, last_metadata = self._keys.pop(), self._metadata.pop()
            if last_key != key:  # the last row closes the gap
                self._matrix[row] = self._matrix[len(self._keys)]
                self._lengths[row] = self._lengths[len(self._keys)]
                self._keys[row], self._metadata[row] = last_key, last_metadata
                self._rows[last_key] = row

    def get(self, key: str) -> StoredVector | None:
        """The vector with a key."""
        with self._lock:
            row = self._rows.get(key)
            if row is None:
                return None
            return StoredVector(key, self._matrix[row].copy(), self._metadata[row])

    def in_order(self) -> Iterator[StoredVector]:
        """All vectors by their keys."""
        for key in sorted(self._rows):
            vector = self.get(key)
            if vector:
                yield vector

    def nearest(
        self, query: Sequence[float], count: int, predicate: Predicate | None = None
    ) -> list[Neighbour]:
        """The `count` nearest of the vectors whose metadata fit, nearest first.

        The filter comes before the search, as in S3 Vectors' index mode ENHANCED, and the search is
        exact where that of AWS is approximate.
        """
        with self._lock:
            size = len(self._keys)
            if predicate is None:
                rows = slice(size)
            else:
                rows = [row for row, each in enumerate(self._metadata) if predicate(each)]
            distances = self._distances(rows, np.asarray(query, np.float32))
            order = np.argsort(distances, kind="stable")[:count]
            found = order if predicate is None else [rows[place] for place in order]
            return [
                Neighbour(self._keys[row], float(distances[place]), self._metadata[row])
                for place, row in zip(order, found, strict=True)
            ]

    def _distances(self, rows: slice | list[int], query: np.ndarray) -> np.ndarray:
        matrix = self._matrix[rows]
        if self.metric == "euclidean":
            return np.linalg.norm(matrix - query, axis=1)
        lengths = self._lengths[rows] * np.linalg.norm(query)
        return np.maximum(1 - matrix @ query / lengths, 0)
