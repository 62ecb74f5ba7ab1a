"""Seven warm calls, and the mean without the two slowest and the two fastest in place of the median.

Every size is measured first, and then one sorted list of candidates decides; the memory goes back in
a finally.
"""

import base64
import json
import re

import boto3

aws = boto3.client("lambda")


def handler(event, context):
    name = event["function"]
    before = aws.get_function_configuration(FunctionName=name)["MemorySize"]
    try:
        table = [(size, measured(name, event["payload"], size)) for size in sorted(event["sizes"])]
    finally:
        resize(name, before)
    in_time = [
        (size * middle([billed for _, billed in calls]), size)
        for size, calls in table
        if calls and middle([duration for duration, _ in calls]) <= event["deadline_ms"]
    ]
    return sorted(in_time)[0][1] if in_time else None


def middle(values):
    kept = sorted(values)[2:-2]
    return sum(kept) / len(kept)


def resize(name, size):
    aws.update_function_configuration(FunctionName=name, MemorySize=size)
    aws.get_waiter("function_updated").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def measured(name, payload, size):
    resize(name, size)
    calls = []
    while len(calls) < 7:
        answer = aws.invoke(FunctionName=name, Payload=json.dumps(payload).encode(), LogType="Tail")
        if answer.get("FunctionError"):
            return []
        last = base64.b64decode(answer["LogResult"]).decode().strip().splitlines()[-1]
        if "Init Duration" in last:
            continue
        duration, billed = re.findall(r"Duration: ([\d.]+) ms", last)
        calls.append((float(duration), float(billed)))
    return calls
