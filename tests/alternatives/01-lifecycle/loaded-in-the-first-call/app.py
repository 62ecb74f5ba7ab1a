# Other: client and model are made in the first call and kept by functools.cache; Init only imports.
import functools
import json
import os
import tempfile

import boto3

CACHE = os.path.join(tempfile.gettempdir(), "model.json")
calls = 0


@functools.cache
def model():
    if not os.path.exists(CACHE):
        found = client().get_object(Bucket=os.environ["MODEL_BUCKET"], Key=os.environ["MODEL_KEY"])
        descriptor, part = tempfile.mkstemp()
        with os.fdopen(descriptor, "wb") as file:
            file.write(found["Body"].read())
        os.replace(part, CACHE)
    with open(CACHE) as file:
        return json.load(file)


@functools.cache
def client():
    return boto3.client("s3")


def handler(event, context):
    global calls
    calls += 1
    known, index = model(), 0
    for value in event["rgb"]:
        index = index * known["steps"] + value * known["steps"] // 256
    answer = {"name": known["names"][index], "cold": calls == 1}
    if event.get("chart"):
        from chart import draw

        answer["chart"] = draw(event["rgb"])
    return answer
