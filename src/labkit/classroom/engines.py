"""Where stages are graded: processes of this machine, or the workers of a Dask cluster.

Both take tasks as they come, hold only a few at a time, and yield each task with its result when it is done.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from ..grading.results import StageResult
from . import tree
from .grade_stage import Task, grade_stage

Done = tuple[Task, StageResult | Exception]
# A stage waits for its functions half of the time: more than processors keep them busy.
PER_PROCESSOR = 2


def processes(tasks: Iterable[Task], count: int) -> Iterator[Done]:
    """Grade on this machine, `count` stages at once. Each has a process tree, watched by a thread."""
    with ThreadPoolExecutor(count) as pool:
        try:
            yield from _as_completed(tasks, count, pool.submit)
        except BaseException:  # Ctrl-C, too: nobody waits for what runs now
            tree.end_all()
            raise


def dask(tasks: Iterable[Task], address: str) -> Iterator[Done]:
    """Grade on the workers of the cluster whose scheduler listens at the address, as tcp://host:8786.

    A stage whose worker is lost is graded by another. Raises ImportError without `distributed`,
    OSError where no scheduler answers.
    """
    from distributed import Client, as_completed

    with Client(address, timeout="15s", set_as_default=False) as client:
        room = 2 * max(1, sum(client.nthreads().values()))
        source = iter(tasks)
        futures = as_completed(loop=client.loop)
        running = {}

        def more() -> None:
            for task in source:
                # Not pure: a task that is asked for again shall run again.
                future = client.submit(grade_stage, task, pure=False, retries=2)
                running[future.key] = task
                futures.add(future)
                if len(running) >= room:
                    return

        more()
        for future in futures:
            task = running.pop(future.key)
            error = future.exception()
            yield task, error if error else future.result()
            future.release()
            more()


def default_processes() -> int:
    """How many stages this machine grades at once."""
    return PER_PROCESSOR * (os.cpu_count() or 1)


def _as_completed(tasks: Iterable[Task], room: int, submit: Callable) -> Iterator[Done]:
    running = {}
    source = iter(tasks)
    while True:
        while len(running) < room and (task := next(source, None)) is not None:
            running[submit(grade_stage, task)] = task
        if not running:
            return
        finished, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in finished:
            task = running.pop(future)
            error = future.exception()
            yield task, error if error else future.result()
