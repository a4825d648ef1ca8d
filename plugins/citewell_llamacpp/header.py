"""Reads the head of a GGUF file without any native code, and believes none of its numbers.

Source: the GGUF specification, version 3 (ggml, `docs/gguf.md`).
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NoReturn, TypeAlias

from msgspec import Struct

from citewell import ModelError

Scalar: TypeAlias = int | float | bool | str

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MAX_KEYS = 4_096
_MAX_TENSORS = 65_536
# All arrays together. A vocabulary of 300,000 tokens has half of it: texts, scores, types, merges.
_MAX_ITEMS = 3_000_000
_MAX_HEAD_BYTES = 128 * 1024 * 1024
_MAX_NAME_BYTES = 1_024
_MAX_TEXT_BYTES = 4 * 1024 * 1024
_MAX_DIMENSIONS = 4
_MAX_ALIGNMENT = 65_536
_BUFFER_BYTES = 256 * 1024
_ARRAY, _STRING = 9, 8
F32 = 6
"""The type of a key with a number of 32 bits."""

_NUMBERS = {
    number: struct.Struct(f"<{code}")
    for number, code in enumerate(("B", "b", "H", "h", "I", "i", "f", "?", "", "", "Q", "q", "d"))
    if code
}
# Items and bytes of a block, by the number of the type. Source: ggml, `ggml_type` and its traits.
_BLOCKS: Mapping[int, tuple[int, int]] = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 36), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    15: (256, 292), 16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18),
    21: (256, 110), 22: (256, 82), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8),
    28: (1, 8), 29: (256, 56), 30: (1, 2), 34: (256, 54), 35: (256, 66), 39: (32, 17), 40: (64, 36),
}  # fmt: skip


class Tensor(Struct, frozen=True):
    """A tensor of the file: its shape, the fastest dimension first."""

    shape: tuple[int, ...]
    type: int


class Header(Struct, frozen=True, kw_only=True):
    """What the head of a GGUF file says.

    Attributes:
        values: the keys with a single value.
        kinds: the type of each of these, by its number in the specification.
        counts: the keys with an array, and how many items it has.
        tensors: by name.
        size: of the file, in bytes.
    """

    values: Mapping[str, Scalar]
    kinds: Mapping[str, int]
    counts: Mapping[str, int]
    tensors: Mapping[str, Tensor]
    size: int

    @property
    def architecture(self) -> str:
        """The family of the model, like `llama`."""
        return str(self.values.get("general.architecture", ""))

    @property
    def is_adapter(self) -> bool:
        """Whether the file is a LoRA adapter and no model."""
        return self.values.get("general.type") == "adapter"

    def number(self, key: str) -> int | None:
        """Return the whole number that the architecture calls `key`, when there is one."""
        value = self.values.get(f"{self.architecture}.{key}")
        return value if type(value) is int else None


def read_header(path: Path) -> Header:
    """Return the head of the file, after checking every count against what may be.

    It is read and not mapped: to touch what was mapped and then cut away kills the process.

    Raises:
        ModelError: this is no whole GGUF file; says what was found and what was expected.
    """
    try:
        with path.open("rb", buffering=_BUFFER_BYTES) as file:
            return _Reader(path, file).header()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}; check the path") from error


class _Reader:
    """Walks over the head of one file."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self._end = min(self._size, _MAX_HEAD_BYTES)
        self._at = 0
        self._items = 0

    def header(self) -> Header:
        self._start()
        tensor_count = self._count("tensors", _MAX_TENSORS)
        key_count = self._count("keys", _MAX_KEYS)
        values: dict[str, Scalar] = {}
        kinds: dict[str, int] = {}
        counts: dict[str, int] = {}
        for _ in range(key_count):
            key = self._text(_MAX_NAME_BYTES)
            if key in values or key in counts:
                self._refuse(f"has the key {key!r} twice")
            kind = self._number(4)
            if kind == _ARRAY:
                counts[key] = self._array(key)
            else:
                values[key] = self._value(key, kind)
                kinds[key] = kind
        tensors = self._tensors(tensor_count, values.get("general.alignment", 32))
        return Header(values=values, kinds=kinds, counts=counts, tensors=tensors, size=self._size)

    def _start(self) -> None:
        magic = self._take(min(len(_MAGIC), self._size))
        if magic != _MAGIC:
            self._refuse(f"begins with {magic!r}; expected {_MAGIC!r}: this is no GGUF file")
        version = self._number(4)
        if version not in _VERSIONS:
            swapped = int.from_bytes(version.to_bytes(4, "little"), "big") in _VERSIONS
            hint = "it was written for big-endian machines" if swapped else "update its converter"
            self._refuse(f"has version {version}; expected {_VERSIONS[-1]}: {hint}")

    def _tensors(self, count: int, alignment: Scalar) -> dict[str, Tensor]:
        if (
            type(alignment) is not int
            or not 0 < alignment <= _MAX_ALIGNMENT
            or alignment & (alignment - 1)
        ):
            self._refuse(f"has the alignment {alignment!r}; expected a power of two")
        tensors: dict[str, Tensor] = {}
        ends: list[tuple[str, int]] = []
        for _ in range(count):
            name = self._text(_MAX_NAME_BYTES)
            if name in tensors:
                self._refuse(f"has the tensor {name!r} twice")
            dimensions = self._number(4)
            if not 0 < dimensions <= _MAX_DIMENSIONS:
                self._refuse(f"gives the tensor {name!r} {dimensions} dimensions; expected 1 to 4")
            shape = tuple(self._number(8) for _ in range(dimensions))
            tensors[name] = Tensor(shape, self._number(4))
            ends.append((name, self._number(8) + self._bytes_of(name, tensors[name])))
        begin = -(-self._at // alignment) * alignment
        for name, end in ends:
            if begin + end > self._size:
                self._refuse(
                    f"ends before its tensor {name!r}: {self._size:,} bytes of "
                    f"{begin + end:,}; it is cut short: fetch it again"
                )
        return tensors

    def _bytes_of(self, name: str, tensor: Tensor) -> int:
        if tensor.type not in _BLOCKS:
            self._refuse(f"stores the tensor {name!r} as type {tensor.type}, which is unknown")
        items, size = _BLOCKS[tensor.type]
        # Python's whole numbers do not overflow; those of the library that loads the file may.
        count = math.prod(tensor.shape)
        if not 0 < count <= self._size * items or tensor.shape[0] % items:
            self._refuse(f"gives the tensor {name!r} the shape {tensor.shape}, which cannot be")
        return count // items * size

    def _value(self, key: str, kind: int) -> Scalar:
        if kind == _STRING:
            return self._text(_MAX_TEXT_BYTES)
        if kind not in _NUMBERS:
            self._refuse(f"gives the key {key!r} type {kind}, which is unknown")
        form = _NUMBERS[kind]
        value: Scalar = form.unpack(self._take(form.size))[0]
        return value

    def _array(self, key: str) -> int:
        kind = self._number(4)
        count = self._count(f"items of {key!r}", _MAX_ITEMS)
        self._items += count
        if self._items > _MAX_ITEMS:
            self._refuse(f"has {self._items:,} items up to {key!r}; at most {_MAX_ITEMS:,} can be")
        if kind == _STRING:
            self._pass_texts(count)
        elif kind in _NUMBERS:
            self._take(count * _NUMBERS[kind].size)
        else:
            self._refuse(f"gives the items of {key!r} type {kind}, which is unknown")
        return count

    def _pass_texts(self, count: int) -> None:
        # There may be millions: a call of `_take` for each would cost more than all the reading.
        read, at, end = self._file.read, self._at, self._end
        for _ in range(count):
            size = int.from_bytes(read(8), "little")
            at += 8 + size
            if at > end:
                break
            read(size)
        self._at = at
        if at > end or self._file.tell() < at:
            self._refuse_end()

    def _count(self, what: str, highest: int) -> int:
        count = self._number(8)
        # Each takes a byte or more.
        most = min(highest, self._size)
        if count > most:
            self._refuse(f"says that it has {count:,} {what}; at most {most:,} can be")
        return count

    def _text(self, highest: int) -> str:
        size = self._number(8)
        if size > highest:
            self._refuse(f"has a text of {size:,} bytes in its head; at most {highest:,} can be")
        return self._take(size).decode("utf-8", "replace")

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "little")

    def _take(self, size: int) -> bytes:
        self._at += size
        if self._at > self._end:
            self._refuse_end()
        data = self._file.read(size)
        if len(data) < size:
            self._refuse_end()
        return data

    def _refuse_end(self) -> NoReturn:
        if self._end < min(self._at, self._size):
            self._refuse(f"has a head of more than {self._end:,} bytes, which cannot be")
        # Also where somebody cuts the file while it is read.
        self._refuse(
            f"ends inside its head, at byte {self._size:,}; it is cut short: fetch it again"
        )

    def _refuse(self, what: str) -> NoReturn:
        raise ModelError(f"{self._path}: {what}")
