"""Name a colour. Slow work is done once, and rare work when it is asked for.

handler({"rgb": [250, 128, 114]}, context) returns {"name": "salmon", "cold": True}: "cold" says whether
this was the first call since the code was loaded. With "chart": True in the event there is also "chart",
a picture of the colour.

The names come from a model of two megabytes, a JSON file in a bucket. The environment variables MODEL_BUCKET
and MODEL_KEY say where. As long as an execution environment lives, its model stays the same.
"""

import json
import os
import tempfile
from pathlib import Path

import boto3

# TODO 1: chart takes long to import, and hardly any call needs it. Import it where it is needed.
import chart

# /tmp in Lambda. It outlives a crash of your code, which the memory does not.
CACHE = Path(tempfile.gettempdir()) / "model.json"


def load_model():
    """Return the model: from CACHE if it is there, else from the bucket, which also fills CACHE.

    If the function dies while it writes, half a file stays behind. It must do no harm to the next try.
    """
    # TODO 2: Keep the file in CACHE, and read it from there if it is there. Beware of half a file.
    s3 = boto3.client("s3")
    found = s3.get_object(Bucket=os.environ["MODEL_BUCKET"], Key=os.environ["MODEL_KEY"])
    return json.loads(found["Body"].read())


def nearest(model, rgb):
    """Return the name that the model has for a colour. This function is finished.

    The model cuts the cube of all colours into steps × steps × steps cells, and names each of them.
    """
    index = 0
    for value in rgb:
        index = index * model["steps"] + value * model["steps"] // 256
    return model["names"][index]


# TODO 3: What is done here, outside the handler, is done once for each environment, in Init.
# TODO 4: Remember here whether this environment has been called before.


def handler(event, context):
    """Return the name of the colour event["rgb"], and whether this call was this environment's first."""
    # TODO 3 and 4: Use what you have prepared above.
    model = load_model()
    was_cold = None
    answer = {"name": nearest(model, event["rgb"]), "cold": was_cold}
    if event.get("chart"):
        # TODO 1 goes on here.
        answer["chart"] = chart.draw(event["rgb"])
    return answer
