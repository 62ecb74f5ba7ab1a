# Other: download_file, which writes under another name and renames by itself; importlib for the chart.
import importlib
import json
import os
import tempfile

import boto3

PATH = f"{tempfile.gettempdir()}/colours"
S3 = boto3.client("s3")
if not os.path.isfile(PATH):
    S3.download_file(os.environ["MODEL_BUCKET"], os.environ["MODEL_KEY"], PATH)
with open(PATH, encoding="utf-8") as file:
    MODEL = json.load(file)
STATE = {"cold": True}


def handler(event, context):
    red, green, blue = (value * MODEL["steps"] // 256 for value in event["rgb"])
    name = MODEL["names"][(red * MODEL["steps"] + green) * MODEL["steps"] + blue]
    answer = {"name": name, "cold": STATE.pop("cold", False)}
    if event.get("chart"):
        answer["chart"] = importlib.import_module("chart").draw(event["rgb"])
    return answer
