"""`lab env`: the lines that lead a shell's programs, such as `aws` and `sam`, to the cloud in use."""

import os
import shlex
import sys

from . import target

_NOTHING_RUNS = 3


def run() -> int:
    """Print the lines for `eval`; return 3, and say what to do, where no local cloud runs."""
    if target.name() == "aws":
        # What an earlier `lab env` has set is taken back.
        print(f"unset {' '.join(target.LOCAL_ONLY)}")
        return 0
    endpoint = target.running_endpoint()
    if endpoint is None:
        print("No local cloud is running. Start it in another terminal: lab cloud", file=sys.stderr)
        return _NOTHING_RUNS
    changed = dict(os.environ)
    target.apply(endpoint, changed)
    # Nothing that runs against this computer reports anything to anybody.
    changed["SAM_CLI_TELEMETRY"] = "0"
    for name in sorted(os.environ.keys() - changed.keys()):
        print(f"unset {name}")
    for name, value in sorted(changed.items()):
        if os.environ.get(name) != value:
            print(f"export {name}={shlex.quote(value)}")
    return 0
