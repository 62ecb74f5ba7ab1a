"""Clouds whose language model is computed by one engine or another, and its own pages."""

import json
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from localcloud import LocalCloud
from localcloud.foundation_models.language_model import loaded

STAND_INS = Path(__file__).parent / "stand_ins"


@contextmanager
def cloud_with(package, **environment):
    """A cloud with these variables, where llama_cpp is the stand-in, missing, or as installed."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LOCALCLOUD_TEXT_ENGINE", "LOCALCLOUD_TEXT_ENDPOINT"):
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        if package != "installed":
            patch.setitem(sys.modules, "llama_cpp", None)
        if package == "stand-in":
            patch.syspath_prepend(STAND_INS)
            patch.delitem(sys.modules, "llama_cpp")
        loaded.cache_clear()  # a process chooses once
        try:
            with LocalCloud(port=0) as cloud:
                yield cloud
        finally:
            loaded.cache_clear()


def page(cloud, name="distribution", **asked):
    request = urllib.request.Request(
        f"{cloud.endpoint_url}/_localcloud/language-model/{name}", json.dumps(asked).encode()
    )
    with urllib.request.urlopen(request, timeout=100) as answer:
        return json.load(answer)
