"""How commands speak in a terminal."""

import sys

from rich.console import Console


def console(*, stderr: bool = False) -> Console:
    """A console for sentences, which it leaves as long as they are; NO_COLOR is honoured."""
    # A terminal that can't show a sign shows another one; that is no reason to end.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    file = sys.stderr if stderr else sys.stdout
    return Console(file=file, highlight=False, soft_wrap=True, emoji=False)


def agrees(question: str) -> bool:
    """Whether the person at the terminal says yes; without one nobody does, and that is said."""
    if not sys.stdin.isatty():
        print("Nobody is here to be asked; --yes says that it is meant.", file=sys.stderr)
        return False
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        print()
        return False
