"""A stack's operations run beside the requests that asked for them, one after another for each stack.

CloudFormation answers before it begins. Here a request waits a little, so that what is quick is done when
it has its answer; what takes longer, such as a custom resource that is waited for, goes on behind it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextvars import ContextVar

from moto.cloudformation.models import Stack

from .custom_resource_responses import CloudStopped
from .stack_events import add_event
from .state import note_change

_log = logging.getLogger(__name__)
_PATIENCE_S = 10.0

# What the operation that runs notes of nested stacks, by their ids; None outside of one.
_noted: ContextVar[dict[str, tuple[str, dict]] | None] = ContextVar("noted", default=None)
_latest: dict[str, threading.Thread] = {}


def noted() -> dict[str, tuple[str, dict]]:
    """Template and parameters that nested stacks had before the operation that runs, by the stacks' ids."""
    return _noted.get()


def is_running(stack: Stack) -> bool:
    """Whether an operation other than the caller's is under way on a stack or on the one that it is nested
    in. What the end of a cloud has cut off is not, whatever the stack's status says.
    """
    return _noted.get() is None and not _latest.keys().isdisjoint((stack.stack_id, stack.root_id))


def run(stack: Stack, operation: Callable[[], None]) -> None:
    """Run an operation on a stack; return when it has ended, at the latest after ten seconds.

    A nested stack's operation is part of its parent's.
    """
    if _noted.get() is not None:
        operation()
        return
    before = _latest.get(stack.stack_id)

    def work() -> None:
        _noted.set({})
        try:
            if before:
                before.join()
            operation()
        except CloudStopped:
            pass
        except Exception as error:
            _log.exception("the operation on stack %s failed", stack.name)
            verb = stack.status.partition("_")[0]
            add_event(stack, f"{verb}_FAILED", f"Internal failure: {error!r}")
        finally:
            if _latest.get(stack.stack_id) is threading.current_thread():
                del _latest[stack.stack_id]
            note_change()  # the request that asked for it may have had its answer long ago

    thread = threading.Thread(target=work, name=f"stack {stack.name}", daemon=True)
    _latest[stack.stack_id] = thread
    thread.start()
    thread.join(_PATIENCE_S)
