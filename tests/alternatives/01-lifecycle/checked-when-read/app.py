# Other: the file is written in place and looked at when it is read; what is no JSON is fetched again.
import json
import os
import tempfile
from pathlib import Path

import boto3

CACHE = Path(tempfile.gettempdir()) / "model.json"


def load_model():
    try:
        return json.loads(CACHE.read_text())
    except (OSError, ValueError):
        found = boto3.client("s3").get_object(
            Bucket=os.environ["MODEL_BUCKET"], Key=os.environ["MODEL_KEY"]
        )
        body = found["Body"].read()
        CACHE.write_bytes(body)
        return json.loads(body)


model = load_model()
first_request = None


def handler(event, context):
    global first_request
    first_request = first_request or context.aws_request_id
    index = 0
    for value in event["rgb"]:
        index = index * model["steps"] + value * model["steps"] // 256
    answer = {"name": model["names"][index], "cold": context.aws_request_id == first_request}
    if "chart" in event and event["chart"]:
        import chart

        answer["chart"] = chart.draw(event["rgb"])
    return answer
