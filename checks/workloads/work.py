"""The function that the checks of stage 02 measure. The event says what a call does, or names a task.

What a task does stands in tasks.json: whoever sends the event can find out by measuring alone.

cpu_ms: how long it calculates, in processor time. wait_ms: how long it waits; a dict holds one number
for each memory size. hold_mb: how much memory it fills. late_ms: how much longer the environment's
third call takes. fail: the text of the error that it raises. The log tells what the event was.
"""

import json
import os
import time
from pathlib import Path

TASKS = json.loads((Path(__file__).parent / "tasks.json").read_text())
time.sleep(int(os.environ["INIT_MS"]) / 1000)
calls = 0


def handler(event, context):
    """Do what the event says."""
    global calls
    calls += 1
    print("called with", json.dumps(event))
    event = TASKS.get(event.get("task"), event)
    began = time.process_time()
    while (time.process_time() - began) * 1000 < event.get("cpu_ms", 0):
        pass
    wait = event.get("wait_ms", 0)
    wait_ms = wait[context.memory_limit_in_mb] if isinstance(wait, dict) else wait
    held = b"\1" * (event.get("hold_mb", 0) << 20)
    if held:
        time.sleep(0.06)  # long enough to be seen
    time.sleep((wait_ms + (event.get("late_ms", 0) if calls == 3 else 0)) / 1000)
    if event.get("fail"):
        raise ValueError(event["fail"])
