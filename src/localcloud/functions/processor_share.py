"""A function's share of the processor: in proportion to its memory, 1,769 MB being one vCPU.

"Configure Lambda function memory" in the Lambda developer guide. No cgroup can be had without root, so
the function's processes are stopped and continued, as the kernel's own bandwidth control would: they
may use their share of each period, and what they used beyond it is taken off the next ones. What is still
owed when an invocation is over is waited for, so that it takes as long however late this process was.
"""

import asyncio

from .sandbox import Sandbox

FULL_VCPU_MB = 1769
_PERIOD_S = 0.02


class ProcessorShare:
    """Holds one environment to its share while it runs an invocation. Belongs to the event loop.

    Functions of 1,769 MB or more are not held back.
    """

    def __init__(self, sandbox: Sandbox, memory_mb: int):
        self._sandbox = sandbox
        self._share = memory_mb / FULL_VCPU_MB
        self._budget_s = self._share * _PERIOD_S
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._used_s = 0.0
        self._seen = self._loop.time()
        self._stopped = False

    def start(self) -> None:
        """An invocation begins."""
        if self._share >= 1:
            return
        self._used_s = self._sandbox.cpu_seconds()
        self._earn()
        self._next(self._budget_s)

    def stop(self) -> float:
        """The invocation is over; return for how many seconds more it would have been stopped."""
        if self._timer is None:
            return 0.0
        self._timer.cancel()
        self._timer = None
        if self._stopped:
            self._stopped = False
            self._sandbox.thaw()
        else:
            self._spend()
        return max(-self._budget_s / self._share, 0.0)

    def _tick(self) -> None:
        if self._stopped:
            self._earn()
            self._stopped = False
            self._sandbox.thaw()
        else:
            self._spend()
        if self._budget_s > 0:
            self._next(self._budget_s)
        else:
            self._stopped = True
            self._sandbox.freeze()
            self._next((self._share * _PERIOD_S - self._budget_s) / self._share)

    def _spend(self) -> None:
        used_s = self._sandbox.cpu_seconds()
        self._budget_s -= used_s - self._used_s
        self._used_s = used_s
        self._earn()

    def _earn(self) -> None:
        now = self._loop.time()
        earned = self._budget_s + (now - self._seen) * self._share
        self._budget_s = min(earned, self._share * _PERIOD_S)
        self._seen = now

    def _next(self, delay_s: float) -> None:
        self._timer = self._loop.call_later(max(delay_s, 0.001), self._tick)
