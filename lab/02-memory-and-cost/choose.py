"""The cheapest memory size for a function, found by measuring.

This file runs as a function of its own, whose role may configure and invoke the function to measure.
"""

import base64
import json
import re
from statistics import median

import boto3

functions = boto3.client("lambda")
WARM_CALLS = 5


def handler(event, context):
    """Return cheapest() of what the event names. This function is finished."""
    return cheapest(event["function"], event["payload"], event["sizes"], event["deadline_ms"])


def cheapest(function, payload, sizes, deadline_ms):
    """Return the memory size in MB, out of `sizes`, at which `function` costs least; None if none will do.

    A size will do if no call fails at it, and the median duration of its warm calls is at most
    `deadline_ms`. What a call costs there is the size times the median billed duration. `sizes` are in
    any order. Afterwards the function has the memory size that it had before.
    """
    before = functions.get_function_configuration(FunctionName=function)["MemorySize"]
    costs = {}
    for size in sizes:
        set_memory(function, size)
        calls = warm_calls(function, payload)
        # TODO 2: If the size will do, put what a call costs there into costs[size].
        print(size, calls)
    # TODO 3: Give the function the memory size back that it had before.
    # TODO 4: Return the size of the lowest cost, or None where no size will do.
    raise NotImplementedError("TODO 4: return the size of the lowest cost")


def warm_calls(function, payload):
    """Return WARM_CALLS calls that were warm, each as call() gives it; None as soon as one fails.

    The first call after set_memory() is cold: the function gets a new execution environment.
    """
    # TODO 1: Call until there are enough warm ones. Leave the cold ones out. Stop where one fails.
    raise NotImplementedError("TODO 1: collect warm calls, and stop where one fails")


def call(function, payload):
    """Invoke the function once and read its REPORT line. This function is finished."""
    answer = functions.invoke(FunctionName=function, Payload=json.dumps(payload), LogType="Tail")
    log = base64.b64decode(answer["LogResult"]).decode()
    report = log[log.rindex("REPORT RequestId: ") :]
    return {
        "duration_ms": float(re.search(r"\tDuration: ([\d.]+) ms", report)[1]),
        "billed_ms": int(re.search(r"\tBilled Duration: (\d+) ms", report)[1]),
        "cold": "\tInit Duration: " in report,
        "failed": "FunctionError" in answer,
    }


def set_memory(function, size):
    """Give the function this much memory, in MB, and wait until it has it. This function is finished."""
    functions.update_function_configuration(FunctionName=function, MemorySize=size)
    functions.get_waiter("function_updated_v2").wait(FunctionName=function)
