# Other: a class with the handler as a method, the resource in place of the client, a pickle in place of JSON.
import json
import os
import pickle
import tempfile
from pathlib import Path

import boto3


class Colours:
    def __init__(self, folder):
        self.calls = 0
        path = folder / f"{os.environ['MODEL_KEY'].replace('/', '-')}.pickle"
        if path.exists():
            self.steps, self.names = pickle.loads(path.read_bytes())
            return
        item = boto3.resource("s3").Object(os.environ["MODEL_BUCKET"], os.environ["MODEL_KEY"])
        model = json.load(item.get()["Body"])
        self.steps, self.names = model["steps"], model["names"]
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as part:
            pickle.dump((self.steps, self.names), part)
        os.rename(part.name, path)

    def handle(self, event, context):
        self.calls += 1
        r, g, b = (value * self.steps // 256 for value in event["rgb"])
        answer = {
            "name": self.names[r * self.steps**2 + g * self.steps + b],
            "cold": self.calls < 2,
        }
        if event.get("chart"):
            import chart

            answer |= {"chart": chart.draw(event["rgb"])}
        return answer


handler = Colours(Path(tempfile.gettempdir())).handle
