"""The files of an index, and whether they are still what was written.

Tantivy never changes a file of a segment, and ends each with a checksum that it does not look at
itself: what is damaged inside makes it crash, or find the wrong passages.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct, json

_KINDS = ("fast", "fieldnorm", "idx", "pos", "store", "term")
_TAIL_BYTES = 8


class _Deletes(Struct, frozen=True):
    opstamp: int


class _Segment(Struct, frozen=True):
    segment_id: str
    max_doc: int
    deletes: _Deletes | None = None

    def files(self) -> Iterator[str]:
        name = self.segment_id.replace("-", "")
        yield from (f"{name}.{kind}" for kind in _KINDS)
        if self.deletes:
            yield f"{name}.{self.deletes.opstamp}.del"


class Commit(Struct, frozen=True):
    """What an index holds since its last commit, or since segments of it were merged."""

    opstamp: int
    segments: tuple[_Segment, ...]

    @property
    def passage_count(self) -> int:
        """How many passages count in the statistics; some of them may be deleted."""
        return sum(segment.max_doc for segment in self.segments)

    @property
    def files(self) -> frozenset[str]:
        """The names of all files; not every one has to be there."""
        return frozenset(file for segment in self.segments for file in segment.files())


class _Footer(Struct):
    crc: int


def last_commit(folder: Path) -> Commit:
    """Return the last commit of the index in `folder`.

    Raises:
        OSError: there is none.
        ValueError: it cannot be read.
    """
    return json.decode((folder / "meta.json").read_bytes(), type=Commit)


def check(folder: Path, files: Iterable[str]) -> None:
    """Compare `files` with their checksums; what is missing Tantivy itself complains about.

    Raises:
        ValueError: a file is damaged.
    """
    for name in sorted(files):
        try:
            content = memoryview((folder / name).read_bytes())
        except FileNotFoundError:
            # Or it was merged into another one just now.
            continue
        # At the end: the footer, its length, a number that is always the same.
        footer = len(content) - _TAIL_BYTES
        footer -= int.from_bytes(content[footer : footer + 4], "little")
        known = json.decode(content[max(footer, 0) : -_TAIL_BYTES], type=_Footer)
        if zlib.crc32(content[:footer]) != known.crc:
            raise ValueError(f"{name} is damaged")
