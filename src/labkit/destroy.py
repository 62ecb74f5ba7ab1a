"""`lab destroy`: remove all that the kit has made in the cloud in use, and prove that nothing is left."""

import json
import sys
import time

from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from . import target, terminal
from .cloud_errors import explain, refuses_keys
from .inventory import KINDS
from .resource_kinds import GONE, Kind, NotRemoved

_DONE, _LEFT, _NOT_MEANT, _REFUSED, _INTERRUPTED = 0, 1, 2, 3, 130
# A queue is listed for up to 60 seconds after it was deleted (SQS API reference, DeleteQueue), a table until
# it is DELETED.
_LISTED_S, _LOOK_S = 90, 2
Found = list[tuple[Kind, str]]


def run(*, yes: bool, as_json: bool) -> int:
    """Remove it all. Returns 0 when nothing is left, 1 when something is, 2 when nobody said yes, 3 when no
    cloud runs or it refuses to be looked at, all of it or one kind.
    """
    console = terminal.console(stderr=as_json)
    if not target.stays():
        console.print(
            "No local cloud runs: what it keeps was not looked at. lab start, or lab cloud, runs it; "
            "lab reset --cloud empties it."
        )
        return _REFUSED
    removed: Found = []
    left: Found = []
    try:
        with target.cloud() as cloud:
            console.print(f"Looking in {cloud} for what has the kit's tag: {target.account()}")
            unseen: dict[str, str] = {}
            found = _find(unseen)
            for kind, name in found:
                console.print(f"  {kind.words} {name}", markup=False)
            if found and not yes and not terminal.agrees(f"Remove these {len(found)}, for good?"):
                return _NOT_MEANT
            removed = _remove(found, console)
            # What a stack kept, and what came while others went.
            removed += _remove(_not_in(removed, _find(unseen)), console)
            left = _look_again(removed, unseen)
    except (BotoCoreError, ClientError) as error:
        console.print(f"✗ The cloud refused: {explain(error)}", style="red", markup=False)
        return _REFUSED
    except KeyboardInterrupt:
        console.print("\nBroken off; the rest is still there, and costs what it costs: lab destroy")
        return _INTERRUPTED
    _tell(removed, left, unseen, console)
    if as_json:
        as_words = [[kind.words, name] for kind, name in left]
        done = [[kind.words, name] for kind, name in removed]
        json.dump({"removed": done, "left": as_words, "not_seen": unseen}, sys.stdout, indent=2)
        print()
    return _LEFT if left else _REFUSED if unseen else _DONE


def _find(unseen: dict[str, str]) -> Found:
    """All that is there. A kind whose service does not answer, or won't list all of it, goes into `unseen`
    with the reason, and the others are looked at. Raises ClientError where the keys don't hold.
    """
    found = []
    for kind in KINDS:
        try:
            for name in kind.find():
                found.append((kind, name))
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            unseen[kind.words] = str(error)
        except ClientError as error:
            if refuses_keys(error):
                raise
            unseen[kind.words] = str(error)
    return found


def _not_in(removed: Found, found: Found) -> Found:
    return [each for each in found if each not in removed]


def _look_again(removed: Found, unseen: dict[str, str]) -> Found:
    """What is left, when what was removed is no longer listed."""
    deadline = time.monotonic() + _LISTED_S
    left = _find(unseen)
    while len(_not_in(removed, left)) < len(left) and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
        left = _find(unseen)
    return left


def _remove(found: Found, console: Console) -> Found:
    removed = []
    for kind, name in found:
        try:
            with console.status(f"{kind.words} {name} …"):
                kind.remove(name)
        except (BotoCoreError, ClientError, NotRemoved) as error:
            if isinstance(error, ClientError):
                if refuses_keys(error):
                    raise
                if error.response["Error"]["Code"] in GONE:
                    continue  # with a stack that went
            console.print(f"✗ {kind.words} {name}: {error}", style="red", markup=False)
            continue
        console.print(f"✓ {kind.words} {name}", markup=False)
        removed.append((kind, name))
    return removed


def _tell(removed: Found, left: Found, unseen: dict[str, str], console: Console) -> None:
    for words, reason in unseen.items():
        console.print(f"? {words}: not looked at: {reason}", style="yellow", markup=False)
    if unseen:
        console.print(
            "Of these nothing is known. Allow what docs/learner-policy-*.json does, or see in the console. "
            "A service that is not in this region has nothing there."
        )
    if left:
        console.print(f"{len(left)} are left, and cost what they cost:", style="red")
        for kind, name in left:
            console.print(f"  {kind.words} {name}", markup=False)
        console.print("Once more: lab destroy. If it stays, the line above says why.")
    elif removed:
        console.print("Looked again: nothing with the kit's tag is left" + _elsewhere(unseen))
    else:
        console.print("There is nothing with the kit's tag" + _elsewhere(unseen))


def _elsewhere(unseen: dict[str, str]) -> str:
    return " among the rest." if unseen else "."
