"""`lab watch`: check a stage again whenever one of its files is saved."""

import contextlib
import os
import queue
import select
import signal
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import watchfiles
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from . import hint, preflight, project, show_progress, target, terminal
from .check import INTERRUPTED, NO_CLOUD, UNKNOWN, Report
from .cloud_errors import explain
from .grading import progress
from .grading.results import StageResult
from .grading.stages import Stage, UnknownStage, find, stages
from .grading.warm import Run

# An editor may write a file in several steps, or write another one and rename it: all that is one save.
_QUIET_MS, _LONGEST_MS = 30, 300


def run(key: str | None) -> int:
    """Watch until q or Ctrl-C, and return the exit code."""
    console = terminal.console()
    try:
        only = find(key) if key else None
    except UnknownStage as error:
        console.print(str(error), style="red", markup=False)
        return UNKNOWN
    if not project.LAB.is_dir():
        console.print("There is no folder lab/; `lab reset` makes it.")
        return UNKNOWN
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with console.status("The cloud gets ready"):
        cloud = contextlib.ExitStack()
        cloud.enter_context(target.cloud())
    with cloud:
        try:
            keys = [only.key] if only else [stage.key for stage in stages()]
            preflight.ask(keys, yes=False, console=console)
        except preflight.NotMeant as error:
            console.print(str(error))
            return UNKNOWN
        except (BotoCoreError, ClientError) as error:
            console.print(explain(error), style="red", markup=False)
            return NO_CLOUD
        return _Watch(console, only).run()


class _Watch:
    """What goes on comes as (kind, value) through one queue: files saved, keys pressed, a run's messages."""

    def __init__(self, console: Console, only: Stage | None):
        self._console = console
        self._stages = [only] if only else list(stages())
        self._waiting = [only or _first_open()]
        self._stage = self._waiting[0]
        self._run: Run | None = None
        self._report: Report | None = None
        self._happened: queue.Queue[tuple[str, object]] = queue.Queue()

    def run(self) -> int:
        ended = threading.Event()
        threading.Thread(target=self._hear_of_saves, args=(ended,), daemon=True).start()
        try:
            with _keys(ended, self._tell):
                self._begin()
                while True:
                    kind, value = self._happened.get()
                    if (kind, value) == ("key", "q"):
                        return 0
                    self._handle(kind, value)
        except KeyboardInterrupt:
            return INTERRUPTED
        finally:
            ended.set()
            if self._report:
                self._report.__exit__()
            if self._run:
                self._run.end()

    def _tell(self, kind: str, value: object) -> None:
        self._happened.put((kind, value))

    def _hear_of_saves(self, ended: threading.Event) -> None:
        for changes in watchfiles.watch(
            project.LAB, watch_filter=_Sources(), stop_event=ended, step=_QUIET_MS,
            debounce=_LONGEST_MS, rust_timeout=500, raise_interrupt=False,
        ):  # fmt: skip
            # A file may be a link to one that lies elsewhere; lab/ itself is in no stage.
            folder = project.LAB.resolve()
            parts = {(Path(path).parent.resolve() / Path(path).name).parts for _, path in changes}
            depth = len(folder.parts)
            self._tell("saved", {each[depth] for each in parts if len(each) > depth})

    def _handle(self, kind: str, value) -> None:
        if kind == "saved":
            saved = [stage for stage in self._stages if stage.key in value]
            self._waiting += [stage for stage in saved if stage not in self._waiting]
        elif kind == "key" and not self._run:
            self._press(value)
        elif kind == "started":
            self._report.started(self._run.stage, value)
        elif kind == "ended":
            self._report.ended(self._run.stage, value)
        elif kind == "finished":
            self._finish(value)
        if self._waiting:
            self._begin()

    def _press(self, key: str) -> None:
        if key == "c":
            self._waiting.append(self._stage)
        elif key == "h":
            self._console.print()
            hint.hint(self._stage.key, as_json=False)

    def _begin(self) -> None:
        if self._run:
            self._run.stop()  # what was saved meanwhile is checked when it has ended
            return
        self._stage = self._waiting.pop(0)
        if self._console.is_terminal:
            self._console.clear()
        self._report = Report(self._console, [self._stage]).__enter__()
        self._run = Run(self._stage, project.LAB)
        threading.Thread(target=self._run.follow, args=(self._tell,), daemon=True).start()

    def _finish(self, result: StageResult | None) -> None:
        self._report.__exit__()
        self._run = None
        if result is None:
            return
        self._report.finish([result])
        stored = progress.record_results([result])
        done = show_progress.summary(stored)
        self._console.print(f"\nIn all: {done['earned']} of {done['points']} points", style="dim")
        if self._console.is_terminal:
            self._console.print(
                f"[bold]h[/] hint · [bold]c[/] check again · [bold]q[/] quit    "
                f"[dim]waits for files in lab/{self._stage.key} to be saved[/]"
            )


class _Sources(watchfiles.DefaultFilter):
    """What a learner writes, and nothing that tools leave."""

    ignore_dirs = (*watchfiles.DefaultFilter.ignore_dirs, ".ipynb_checkpoints")


def _first_open() -> Stage:
    """The first stage that has not passed as a whole; the last one where all have."""
    stored = progress.read()
    listed = stages()
    return next((s for s in listed if stored.of(s.key).earned < s.points), listed[-1])


@contextlib.contextmanager
def _keys(ended: threading.Event, tell) -> Iterator[None]:
    """Tell each key at once, where there is a keyboard."""
    if not sys.stdin.isatty():
        yield
        return
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)

    def read() -> None:
        while not ended.is_set():
            if select.select([keyboard], [], [], 0.2)[0]:
                tell("key", os.read(keyboard, 1).decode(errors="replace").lower())

    try:
        tty.setcbreak(keyboard)
        threading.Thread(target=read, daemon=True).start()
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
