"""`lab stop`: end this project's local cloud, whichever command has started it."""

import contextlib
import os
import signal

from localcloud import find_server, wait_until_free

from . import project

_LIMIT_S = 30


def run() -> int:
    """Return 0 when no local cloud of this project runs any more, else 1."""
    server = find_server(project.CLOUD)
    if server is None:
        print("No local cloud of this project is running.")
        return 0
    with contextlib.suppress(ProcessLookupError):  # it ends by itself
        os.kill(server.pid, signal.SIGTERM)
    if not wait_until_free(project.CLOUD, _LIMIT_S):
        print(f"Process {server.pid} did not end within {_LIMIT_S} seconds.")
        return 1
    print(f"The local cloud has stopped. What was in it is kept in {project.CLOUD}.")
    return 0
