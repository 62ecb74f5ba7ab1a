"""Reading GGUF files: a model's weights, quantized, its vocabulary and its settings.

The layout is ggml's (ggml repository, docs/gguf.md). The package gguf reads it too, but needs ten times
as long, as it makes an array of each of a vocabulary's hundred thousand strings.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

BLOCK = 32  # weights that share a scale
_NUMBERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_STRING, _ARRAY = 8, 9
_F32, _Q4_1, _Q8_0 = 0, 3, 8
# A block: Q4_1 has a scale, a minimum and 16 bytes of two weights each; Q8_0 a scale and 32 bytes.
_BLOCKS = {
    _Q4_1: np.dtype([("scale", "<f2"), ("minimum", "<f2"), ("weights", "u1", BLOCK // 2)]),
    _Q8_0: np.dtype([("scale", "<f2"), ("weights", "i1", BLOCK)]),
}


@dataclass(frozen=True)
class _Tensor:
    shape: tuple[int, ...]
    kind: int
    offset: int


class GgufFile:
    """A GGUF file of version 3. `settings` are its metadata by name. Raises ValueError for other files."""

    def __init__(self, path: Path):
        with open(path, "rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        magic, version, tensors, settings = struct.unpack_from("<4sIQQ", self._bytes)
        if (magic, version) != (b"GGUF", 3):
            raise ValueError(f"{path} is no GGUF file of version 3")
        self._position = 24
        self.settings: dict[str, Any] = {}
        for _ in range(settings):
            name = self._string()
            self.settings[name] = self._value(self._number("I"))
        self._tensors = dict(self._tensor() for _ in range(tensors))
        alignment = self.settings.get("general.alignment", 32)
        self._start = -(-self._position // alignment) * alignment

    def floats(self, name: str) -> np.ndarray:
        """A tensor that is not quantized, float32."""
        tensor = self._of_kind(name, _F32)
        return self._array(tensor, np.dtype("<f4")).reshape(tensor.shape)

    def four_bits(self, name: str) -> np.ndarray:
        """The blocks of a Q4_1 matrix, rows x blocks; fields scale, minimum and weights. Weight i of a
        block is the low half of byte i, weight i + 16 the high half; its value scale * weight + minimum.
        """
        tensor = self._of_kind(name, _Q4_1)
        return self._array(tensor, _BLOCKS[_Q4_1]).reshape(tensor.shape[0], -1)

    def eight_bits(self, name: str) -> np.ndarray:
        """The blocks of a Q8_0 matrix, rows x blocks; fields scale and weights, to be multiplied."""
        tensor = self._of_kind(name, _Q8_0)
        return self._array(tensor, _BLOCKS[_Q8_0]).reshape(tensor.shape[0], -1)

    def _of_kind(self, name: str, kind: int) -> _Tensor:
        tensor = self._tensors[name]
        if tensor.kind != kind:
            raise ValueError(f"{name} is quantized in a way that is not read here ({tensor.kind})")
        return tensor

    def _array(self, tensor: _Tensor, of: np.dtype) -> np.ndarray:
        count = int(np.prod(tensor.shape))
        blocks = count // BLOCK if of.names else count
        return np.frombuffer(self._bytes, of, blocks, self._start + tensor.offset)

    def _number(self, code: str) -> Any:
        (value,) = struct.unpack_from(f"<{code}", self._bytes, self._position)
        self._position += struct.calcsize(f"<{code}")
        return value

    def _string(self) -> str:
        length = self._number("Q")
        start = self._position
        self._position += length
        return self._bytes[start : self._position].decode()

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind != _ARRAY:
            return self._number(_NUMBERS[kind])
        kind, count = self._number("I"), self._number("Q")
        if kind == _STRING:
            return [self._string() for _ in range(count)]
        values = np.frombuffer(self._bytes, f"<{_NUMBERS[kind]}", count, self._position)
        self._position += values.nbytes
        return values

    def _tensor(self) -> tuple[str, _Tensor]:
        name = self._string()
        sizes = [self._number("Q") for _ in range(self._number("I"))]
        return name, _Tensor(tuple(reversed(sizes)), self._number("I"), self._number("Q"))
