"""The runtime and the extensions of one environment: started, frozen and ended together."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

from .extensions import Extensions
from .sandbox import Sandbox
from .telemetry import Telemetry

# A process that left its process group runs on this long after an invocation: to look for one costs
# more than an invocation may take.
_STRAYS_AFTER_S = 0.02


class Programs:
    """What runs in one sandbox. `folder` holds the external extensions. Belongs to the event loop."""

    def __init__(
        self, sandbox: Sandbox, folder: Path, extensions: Extensions, telemetry: Telemetry
    ):
        self._sandbox = sandbox
        self._folder = folder
        self._extensions = extensions
        self._telemetry = telemetry
        self._loop = asyncio.get_running_loop()
        self._strays: asyncio.TimerHandle | None = None
        self._one_ended = asyncio.Event()

    def start_extensions(self) -> None:
        """Start the external extensions. Raises OSError where the sandbox is gone."""
        self._extensions.begin(executables(self._folder))
        for name in self._extensions.expected:
            self._sandbox.start(f"{self._sandbox.view.opt}/extensions/{name}")

    def freeze(self) -> None:
        """Stop everything until the next invocation."""
        self._sandbox.freeze()
        self._telemetry.pause()
        self._strays = self._loop.call_later(_STRAYS_AFTER_S, self._sandbox.freeze_strays)

    def thaw(self) -> None:
        """Let everything go on."""
        self.leave_strays()
        self._sandbox.thaw()
        self._telemetry.resume()

    def leave_strays(self) -> None:
        """Look for no more processes to freeze."""
        if self._strays:
            self._strays.cancel()
            self._strays = None

    def kill(self) -> None:
        """Kill everything but the sandbox."""
        self._sandbox.kill_programs()

    def ended(self) -> None:
        """One of them has ended."""
        self._one_ended.set()

    async def until_all_ended(self, limit_s: float | None = None) -> None:
        """Wait for the end of all, or of the time; None waits for as long as it takes."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while self._sandbox.programs and self._sandbox.is_alive:
                    self._one_ended.clear()
                    await self._one_ended.wait()

    async def shut_down(self, reason: str) -> None:
        """The Shutdown phase where there are extensions, or the reset: they get their time to end.

        `reason` is SPINDOWN, TIMEOUT or FAILURE.
        """
        limit_s = self._extensions.shutdown_s
        with contextlib.suppress(OSError):
            self.thaw()
            await self._telemetry.drain()
            self._sandbox.signal("runtime", signal.SIGTERM)
            self._extensions.shut_down(reason, time.time() + limit_s)
            await self.until_all_ended(limit_s)
        self.kill()
        self._extensions.forget()


def executables(folder: Path) -> list[str]:
    """The names of the programs in a folder that may not exist."""
    if not folder.is_dir():
        return []
    return sorted(f.name for f in folder.iterdir() if f.is_file() and os.access(f, os.X_OK))
