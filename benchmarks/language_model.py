"""``python -m benchmarks.language_model``: how fast the local language model loads, reads and writes.

Each figure is of a process of its own, in which nothing else runs: the model as the local cloud uses it,
one thread. Aims: loaded in 5 s, 35 tokens a second, 700 MB at the most.
"""

import json
import resource
import statistics
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

RUNS = 3
READ, WRITTEN = 512, 128  # tokens
AIMS = {"load": "5 s", "write": "35/s", "peak": "700 MB"}


def measure() -> dict[str, float]:
    """One run: seconds to load, tokens a second read and written, seconds to the first token of a short
    question, and the process's peak memory in MB.
    """
    begun = time.perf_counter()
    from localcloud.foundation_models.generation import Generation
    from localcloud.foundation_models.language_model import Cache, LanguageModel
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
                first = time.perf_counter()
    written = time.perf_counter()
    tokens = (model.tokenize("The lighthouse stands on the cliff. ") * READ)[:READ]
    model.read(tokens, Cache(model.shape))
    read = time.perf_counter()
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "load": loaded - begun,
        "first": first - loaded,
        "write": (len(pieces) - 1) / (written - first),
        "read": READ / (read - written),
        "peak": kilobytes / (1024 * 1024 if sys.platform == "darwin" else 1024),
    }


def main() -> int:
    """Print the medians."""
    if "--one" in sys.argv:
        print(json.dumps(measure()))
        return 0
    command = [sys.executable, "-m", "benchmarks.language_model", "--one"]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        for _ in range(RUNS)
    ]
    median = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    table = Table("local language model", "median", "aim", title=f"{RUNS} runs, one thread")
    for name, label, form in (
        ("load", "load", "{:.1f} s"),
        ("first", "first token of a short question", "{:.2f} s"),
        ("write", f"{WRITTEN} tokens written", "{:.0f}/s"),
        ("read", f"{READ} tokens read", "{:.0f}/s"),
        ("peak", "peak memory of the process", "{:.0f} MB"),
    ):
        table.add_row(label, form.format(median[name]), AIMS.get(name, ""))
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
