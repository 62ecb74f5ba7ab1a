"""Lambda's and API Gateway's metrics, where moto's CloudWatch looks for those that services bring."""

import copy
import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.metric_data_expression_parser import parse_expression
from moto.cloudwatch.models import CloudWatchBackend, MetricAggregatedDatum
from moto.core.common_models import CloudWatchMetricProvider

from ..functions.metrics import NAMESPACE, Datum

# By namespace: what was counted in a region.
_sources: dict[str, Callable[[str], list[Datum]]] = {}


class OwnMetrics(CloudWatchMetricProvider):
    """moto asks every subclass of the provider; it makes no instance."""

    @staticmethod
    def get_cloudwatch_metrics(account_id: str, region: str) -> list[MetricAggregatedDatum]:
        """A datum for each metric and minute."""
        return [
            MetricAggregatedDatum(
                namespace,
                datum.name,
                min_stat=datum.values.least,
                max_stat=datum.values.most,
                sample_count=datum.values.count,
                sum_stat=datum.values.total,
                dimensions=[{"Name": name, "Value": value} for name, value in datum.dimensions],
                timestamp=datetime.fromtimestamp(datum.time, UTC).replace(tzinfo=None),
                unit=datum.unit,
            )
            for namespace, data in list(_sources.items())
            for datum in data(region)
        ]


def install(data: Callable[[str], list[Datum]]) -> None:
    """Let CloudWatch read Lambda's metrics: `data(region)` gives what was counted."""
    _sources.clear()
    add(NAMESPACE, data)
    CloudWatchBackend.get_metric_statistics = _get_metric_statistics
    CloudWatchBackend.get_metric_data = _get_metric_data
    CloudWatchBackend.get_filtered_metrics = _get_filtered_metrics


def add(namespace: str, data: Callable[[str], list[Datum]]) -> None:
    """Let CloudWatch read another namespace's metrics too."""
    _sources[namespace] = data


# Statistics belong to one set of dimensions, neither more nor fewer ("CloudWatch concepts",
# Dimensions). moto also adds up what has more, and lists a metric once for each value.
_moto_statistics = CloudWatchBackend.get_metric_statistics
_moto_data = CloudWatchBackend.get_metric_data


def _dimension_set(dimensions: list) -> frozenset[tuple[str, str]]:
    return frozenset(
        (each["Name"], each["Value"]) if isinstance(each, dict) else (each.name, each.value)
        for each in dimensions
    )


def _of(backend: CloudWatchBackend, dimensions: list[dict[str, str]]) -> CloudWatchBackend:
    """The backend as it would be if it had only what is given under exactly these dimensions."""
    wanted = _dimension_set(dimensions)
    data = [each for each in backend.get_all_metrics() if _dimension_set(each.dimensions) == wanted]
    view = copy.copy(backend)
    view.get_all_metrics = lambda: data
    return view


@functools.wraps(_moto_statistics)
def _get_metric_statistics(
    self, namespace, metric_name, start_time, end_time, period, stats, dimensions, unit=None
):
    view = _of(self, dimensions)
    return _moto_statistics(
        view, namespace, metric_name, start_time, end_time, period, stats, dimensions, unit
    )


@functools.wraps(_moto_data)
def _get_metric_data(self, queries, start_time, end_time, scan_by="TimestampAscending"):
    found: dict[str, dict[str, Any]] = {}
    for query in queries:
        if "MetricStat" in query:
            metric = query["MetricStat"]["Metric"]
            view = _of(self, metric.get("Dimensions", []))
            alone = {
                **query,
                "ReturnData": True,
                "MetricStat": {**query["MetricStat"], "Metric": {**metric, "Dimensions": []}},
            }
            [found[query["Id"]]] = _moto_data(view, [alone], start_time, end_time, scan_by)
    answers = []
    for query in queries:
        if "MetricStat" not in query:
            answers += _expression(self, query, found, start_time, end_time, scan_by)
        elif query.get("ReturnData", True):
            answers.append(found[query["Id"]])
    return answers


def _expression(backend, query, found, start_time, end_time, scan_by) -> list[dict[str, Any]]:
    if query["Expression"].startswith("SELECT"):
        return _moto_data(backend, [query], start_time, end_time, scan_by)
    values, timestamps = parse_expression(query["Expression"], list(found.values()))
    return [
        {
            "id": query["Id"],
            "label": query.get("Label") or query["Id"],
            "values": values,
            "timestamps": timestamps,
            "status_code": "Complete",
        }
    ]


def _get_filtered_metrics(self, metric_name, namespace, dimensions):
    metrics = {
        (each.namespace, each.name, _dimension_set(each.dimensions)): each
        for each in self.get_all_metrics()
        if each.filter(namespace, metric_name, dimensions)
    }
    return list(metrics.values())
