"""The learner's files of one stage, read and never run here."""

import json
from pathlib import Path
from typing import Any

from .expectations import Unmet

# Far above what anybody writes by hand, and far below what would fill this computer's memory.
LARGEST_BYTES = 1 << 20


class StageFiles:
    """The folder of one stage in a workspace, such as lab/09-function."""

    def __init__(self, workspace: Path, key: str):
        self.key = key
        self.folder = workspace / key
        self._shown = f"{workspace.name}/{key}"

    def bytes(self, name: str) -> bytes:
        """Return a file's content. Raises Unmet where it is missing, too large or no plain file."""
        path = self.folder / name
        try:
            if path.is_symlink() or not path.is_file():
                raise FileNotFoundError
            if path.stat().st_size > LARGEST_BYTES:
                raise self._unmet(
                    name, f"a file of at most {LARGEST_BYTES:,} bytes", "it is larger"
                )
            return path.read_bytes()
        except FileNotFoundError:
            back = f"no such file; `lab reset {self.key}` brings the starter back, and keeps a copy of yours"
            raise self._unmet(name, "the file to be there", back) from None
        except OSError as error:
            raise self._unmet(name, "a file that can be read", str(error.strerror)) from None

    def text(self, name: str) -> str:
        """Return a file's text. Raises Unmet as `bytes`, and where it is not UTF-8."""
        try:
            return self.bytes(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            seen = f"byte {error.start} is no UTF-8; save the file as UTF-8 in your editor"
            raise self._unmet(name, "text in UTF-8", seen) from None

    def json(self, name: str, text: str | None = None) -> Any:
        """Return the value of a JSON file, or of the text made from it. Raises Unmet for bad JSON."""
        try:
            return json.loads(self.text(name) if text is None else text)
        except ValueError as error:
            raise self._unmet(name, "valid JSON", f"{error}") from None
        except RecursionError:
            raise self._unmet(name, "valid JSON", "it is nested too deeply") from None

    def _unmet(self, name: str, expected: str, seen: str) -> Unmet:
        return Unmet(tried=f"read {self._shown}/{name}", expected=expected, seen=seen)
