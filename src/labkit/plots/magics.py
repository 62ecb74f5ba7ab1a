"""`%timeline FUNCTION` and `%%figure WORDS`: pictures in a cell's output, with words for a screen reader."""

import json
import os
import time
import urllib.parse
import urllib.request
from typing import Any
from unittest import mock

import boto3
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from .. import target
from . import live, timeline
from .pictures import png, show


@magics_class
class PictureMagics(Magics):
    """What `%load_ext labkit` adds for pictures."""

    def __init__(self, shell: Any):
        super().__init__(shell)
        # Functions of the same name may have lived before this notebook was opened.
        self._since = time.time()

    @line_magic("timeline")
    def draw_timeline(self, line: str) -> None:
        """`%timeline NAME [NAME …]`: the life of these functions' execution environments so far."""
        names = line.split()
        if not names:
            print("Name a function: %timeline hello")
            return
        spans = sorted(
            (s for name in names for s in self._spans(name)), key=lambda span: span.start
        )
        title, words = ", ".join(names), timeline.describe(spans)
        if spans:
            picture = png(timeline.figure(spans, title))
            show(picture, words, live.page(spans, title, picture))
        else:
            print(f"{title}: {words}")

    @cell_magic("figure")
    def show_figure(self, line: str, cell: str) -> None:
        """`%%figure WORDS` over a cell that draws with pyplot: these words are the picture's text."""
        import matplotlib.pyplot as plt

        plt.close("all")
        with mock.patch.object(plt, "show"):  # it would show the figure without words
            self.shell.ex(cell)  # and run_cell would show it at the cell's end
        if plt.get_fignums():
            drawn = plt.gcf()
            plt.close("all")
            show(png(drawn), line.strip())

    def _spans(self, name: str) -> list[timeline.Span]:
        if target.name() == "local":
            query = urllib.parse.urlencode({"function": name})
            address = f"{os.environ['AWS_ENDPOINT_URL']}/_localcloud/events?{query}"
            with urllib.request.urlopen(address, timeout=10) as answer:
                entries = json.load(answer)
            return timeline.spans_of_record(e for e in entries if e["time"] >= self._since)
        pages = (
            boto3.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=f"/aws/lambda/{name}", startTime=int(self._since * 1000))
        )
        return timeline.spans_of_log(event for page in pages for event in page["events"])
