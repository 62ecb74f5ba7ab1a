"""Taking turns: A, B, then B, A, so that a machine's bad moment falls on both clouds."""

import gc
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Sampler = Callable[[], Iterable[float]]


@dataclass
class Samples:
    """What was measured of one line: per cloud its values, or the sentence why there are none."""

    values: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def median(self, cloud: str) -> float | None:
        values = self.values.get(cloud)
        return statistics.median(values) if values else None

    def worst_over_median(self, cloud: str) -> float | None:
        values = self.values.get(cloud)
        return max(values) / statistics.median(values) if values else None


def take_turns(samplers: dict[str, Sampler], rounds: int, budget_s: float) -> Samples:
    """Call each cloud's sampler once a round, until the rounds or the seconds are used up.

    A cloud whose sampler raises is left out of the rounds that follow, with its error kept: one
    cloud's fault must not take the other's numbers away.
    """
    samples = Samples(values={cloud: [] for cloud in samplers})
    deadline = time.monotonic() + budget_s
    order = list(samplers)
    for _ in range(rounds):
        for cloud in order:
            if cloud in samples.failures:
                continue
            gc.collect()
            gc.disable()  # our own collector's pauses are not the cloud's
            try:
                samples.values[cloud].extend(samplers[cloud]())
            except Exception as error:  # noqa: BLE001 - any failure becomes a line of the table
                samples.failures[cloud] = sentence(error)
            finally:
                gc.enable()
        order.reverse()
        if time.monotonic() > deadline:
            break
    return samples


def timed_ms(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def sentence(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return f"{type(error).__name__}: {text}"[:300]
