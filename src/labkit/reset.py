"""`lab reset --cloud`: an empty local cloud, whether it runs or not."""

import http.client
import json
import sys

from localcloud import StateInUse, empty_state, find_server

from . import project

_QUESTION = "Delete every bucket, function, role, stack and log of the local cloud? [y/N] "


def run(*, cloud: bool, yes: bool) -> int:
    """Return 0 when the cloud is empty, 1 when nothing was done."""
    if not cloud:
        print("Say what to reset: `lab reset --cloud` empties the local cloud.")
        return 1
    if not (yes or _agrees()):
        print("Nothing was deleted.")
        return 1
    server = find_server(project.CLOUD)
    try:
        if server:
            _ask_server(server.port)
        else:
            empty_state(project.CLOUD)
    except (StateInUse, OSError, http.client.HTTPException) as error:
        print(f"The local cloud could not be emptied: {error}")
        return 1
    print("The local cloud is empty.")
    return 0


def _agrees() -> bool:
    if not sys.stdin.isatty():
        print("Nobody is here to be asked; --yes says that it is meant.")
        return False
    return input(_QUESTION).strip().lower() in ("y", "yes")


def _ask_server(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("DELETE", "/_localcloud/resources")
        answer = connection.getresponse()
        if answer.status != 200 or json.loads(answer.read()).get("status") != "running":
            raise http.client.HTTPException(f"it answered {answer.status}")
    finally:
        connection.close()
