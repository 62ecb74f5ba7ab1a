"""``python -m benchmarks.language_model``: how fast the local language model loads, reads and writes.

Each figure is of a process of its own, in which nothing else runs: the model as the local cloud uses it,
one thread. Where llama-cpp-python is installed, the engines are measured in turn, so that other work on the
machine slows both. Aims: loaded in 5 s, 35 tokens a second, 700 MB at the most.
"""

import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

RUNS = 3
ENGINES = ["onnxruntime"] + ["llama.cpp"] * bool(importlib.util.find_spec("llama_cpp"))
READ, WRITTEN = 512, 128  # tokens
AIMS = {"load": "5 s", "write": "35/s", "peak": "700 MB"}


def measure() -> dict[str, float]:
    """One run: seconds to load, tokens a second read and written, and written in a second of processor time,
    seconds to the first token of a short question, and the process's peak memory in MB.
    """
    begun = time.perf_counter()
    from localcloud.foundation_models.generation import Generation
    from localcloud.foundation_models.language_model import LanguageModel
    from localcloud.foundation_models.text_engine import Sampling

    model = LanguageModel()
    loaded = time.perf_counter()
    generation = Generation(
        model, [("user", "Tell me a long story about a lighthouse.")], Sampling(WRITTEN, seed=1)
    )
    pieces = []
    while not pieces or pieces[-1].stop_reason is None:
        piece = generation.step()
        if piece:
            pieces.append(piece)
            if len(pieces) == 1:
                first, first_worked = time.perf_counter(), time.process_time()
    written, worked = time.perf_counter(), time.process_time() - first_worked
    tokens = (model.tokenize("The lighthouse stands on the cliff. ") * READ)[:READ]
    model.evaluator.cache().read(tokens)
    read = time.perf_counter()
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "load": loaded - begun,
        "first": first - loaded,
        "write": (len(pieces) - 1) / (written - first),
        "work": (len(pieces) - 1) / worked,
        "read": READ / (read - written),
        "peak": kilobytes / (1024 * 1024 if sys.platform == "darwin" else 1024),
    }


def in_a_process(engine: str) -> dict[str, float]:
    """One run of an engine, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.language_model", "--one"]
    environment = {**os.environ, "LOCALCLOUD_TEXT_ENGINE": engine}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout)


def main() -> int:
    """Print the medians."""
    if "--one" in sys.argv:
        print(json.dumps(measure()))
        return 0
    runs = {engine: [] for engine in ENGINES}
    for _ in range(RUNS):
        for engine, measured in runs.items():
            measured.append(in_a_process(engine))
    table = Table(
        "local language model", *ENGINES, "aim", title=f"Medians of {RUNS} runs, one thread"
    )
    for name, label, form in (
        ("load", "load", "{:.1f} s"),
        ("first", "first token of a short question", "{:.2f} s"),
        ("write", f"{WRITTEN} tokens written", "{:.0f}/s"),
        ("work", "the same by processor time", "{:.0f}/s"),
        ("read", f"{READ} tokens read", "{:.0f}/s"),
        ("peak", "peak memory of the process", "{:.0f} MB"),
    ):
        medians = [statistics.median(run[name] for run in measured) for measured in runs.values()]
        table.add_row(label, *map(form.format, medians), AIMS.get(name, ""))
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
