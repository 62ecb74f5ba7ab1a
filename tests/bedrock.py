"""Bedrock's models by boto3, and the settings that lessons and tests use."""

import json
import urllib.request
from contextlib import contextmanager

from botocore.config import Config

NOVA = "amazon.nova-micro-v1:0"
HAIKU = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
# Each try counts.
ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"}, read_timeout=100)


def runtime(cloud, region="us-east-1"):
    """A client of bedrock-runtime that tries once."""
    session = cloud.session()
    endpoint = cloud.endpoint_url
    return session.client("bedrock-runtime", endpoint_url=endpoint, region_name=region, config=ONCE)


def turn(text, role="user"):
    """A message of Converse with one text."""
    return {"role": role, "content": [{"text": text}]}


def said(answer):
    """The text of Converse's answer."""
    return "".join(block.get("text", "") for block in answer["output"]["message"]["content"])


def change(cloud, **settings):
    """Change settings of the cloud and return all of them."""
    request = urllib.request.Request(
        f"{cloud.endpoint_url}/_localcloud/settings", json.dumps(settings).encode(), method="PUT"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


@contextmanager
def changed(cloud, **settings):
    """The cloud with other settings for a while."""
    url = f"{cloud.endpoint_url}/_localcloud/settings"
    with urllib.request.urlopen(url, timeout=10) as answer:
        before = json.load(answer)
    change(cloud, **settings)
    try:
        yield
    finally:
        change(cloud, **{name: before[name] for name in settings})
