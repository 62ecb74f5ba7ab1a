"""`python -m localcloud --port N`: the local cloud alone, in the foreground, until a signal."""

import argparse
import gc
import signal
import sys
import threading
from pathlib import Path

from . import DEFAULT_PORT


def main(arguments: list[str] | None = None) -> int:
    """Run the server and return the exit code: 0 after a signal, 1 if port or state is in use."""
    parser = argparse.ArgumentParser(prog="localcloud", description="An AWS on this computer.")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes any free port")
    parser.add_argument("--state", type=Path, help="a folder in which everything survives the end")
    parser.add_argument("--isolation", choices=["auto", "bubblewrap", "unshare", "plain"])
    parser.add_argument("--runtime-client", choices=["auto", "native", "python"])
    options = parser.parse_args(arguments)
    gc.disable()  # what is loaded now stays: to look through it again and again is in vain
    from .cloud import LocalCloud, PortInUse
    from .state_folder import StateInUse

    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        cloud = LocalCloud(
            options.port,
            state=options.state,
            isolation=options.isolation,
            runtime_client=options.runtime_client,
        ).start()
    except PortInUse as error:
        print(
            f"Port {error.port} is taken by another program. Stop it, or use a free one: "
            f"--port {error.free_port}",
            file=sys.stderr,
        )
        return 1
    except StateInUse as error:
        print(f"{error}. Stop that one first, or use another folder.", file=sys.stderr)
        return 1
    print(f"localcloud answers on {cloud.endpoint_url}", flush=True)
    gc.freeze()
    gc.enable()
    ended.wait()
    cloud.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
