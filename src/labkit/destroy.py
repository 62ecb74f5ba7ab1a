"""`lab destroy`: remove all that the kit has made in the cloud in use, and prove that nothing is left."""

import json
import sys

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from . import target, terminal
from .cloud_errors import explain
from .inventory import KINDS, Kind, NotRemoved

_DONE, _LEFT, _NOT_MEANT, _REFUSED = 0, 1, 2, 3
Found = list[tuple[Kind, str]]


def run(*, yes: bool, as_json: bool) -> int:
    """Remove it all. Returns 0 when nothing is left, 1 when something is, 2 when nobody said yes, 3 when the
    cloud refuses to be looked at.
    """
    console = terminal.console(stderr=as_json)
    removed: Found = []
    left: Found = []
    try:
        with target.cloud() as cloud:
            console.print(f"Looking in {cloud} for what has the kit's tag: {target.account()}")
            found = _find()
            for kind, name in found:
                console.print(f"  {kind.words} {name}", markup=False)
            if found and not yes and not terminal.agrees(f"Remove these {len(found)}, for good?"):
                return _NOT_MEANT
            removed = _remove(found, console)
            # What a stack kept, and what came while others went.
            removed += _remove(_find(), console)
            left = _find()
    except (BotoCoreError, ClientError) as error:
        console.print(f"✗ The cloud refused: {explain(error)}", style="red", markup=False)
        return _REFUSED
    _tell(removed, left, console)
    if as_json:
        as_words = [[kind.words, name] for kind, name in left]
        done = [[kind.words, name] for kind, name in removed]
        json.dump({"removed": done, "left": as_words}, sys.stdout, indent=2)
        print()
    return _LEFT if left else _DONE


def _find() -> Found:
    return [(kind, name) for kind in KINDS for name in kind.find()]


def _remove(found: Found, console: Console) -> Found:
    removed = []
    for kind, name in found:
        try:
            with console.status(f"{kind.words} {name} …"):
                kind.remove(name)
        except ClientError as error:
            # A stack that went may have taken it along.
            if kind.words == "stack" or name in kind.find():
                console.print(f"✗ {kind.words} {name}: {error}", style="red", markup=False)
            continue
        except NotRemoved as reason:
            console.print(f"✗ {kind.words} {name}: {reason}", style="red", markup=False)
            continue
        console.print(f"✓ {kind.words} {name}", markup=False)
        removed.append((kind, name))
    return removed


def _tell(removed: Found, left: Found, console: Console) -> None:
    if left:
        console.print(f"{len(left)} are left, and cost what they cost:", style="red")
        for kind, name in left:
            console.print(f"  {kind.words} {name}", markup=False)
        console.print("Once more: lab destroy. If it stays, the line above says why.")
    elif removed:
        console.print("Looked again: nothing with the kit's tag is left.")
    else:
        console.print("There is nothing with the kit's tag.")
