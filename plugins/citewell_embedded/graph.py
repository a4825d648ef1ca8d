"""The neighbourhood of vectors (HNSW, by usearch), in files that can be made again from the store.

A graph knows the entries of a set up to some row, and which rows up to there had none yet. It is
there from the moment when its last file, the list of these entries, is: that is written when the
graph itself is on the disk.
"""

from __future__ import annotations

import os
import uuid
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from msgspec import Struct, msgpack
from usearch.index import Index

from citewell_embedded.matrix import (
    Entries,
    Floats,
    Integers,
    LabelKeys,
    Listing,
    Mask,
    gathered,
    nearest_of,
)

_PREFIX = "graph-"
_LIST = ".entries"
_GRAPH = ".usearch"
_CRC_BYTES = 4
_READ_BYTES = 1 << 24

_INTEGER = np.dtype("<i8")

FEW = 20_000
"""Of so many entries that may be read, each is looked at: no graph is needed for that."""

_MOST_ASKED = 65_536

# Farther around, fewer of the nearest are missed. Source: of 10,000 parts of MedQuAD by latent
# semantic analysis, 0.995 of the nearest 50 were seen so, and 0.959 when only 66 were asked for.
_SPARE = 2
_LEAST_ASKED = 512


class GraphDamaged(Exception):
    """A file of a graph is not what was written."""


class _Entries(Struct, frozen=True):
    """What a graph knows of the entries beside their vectors: arrays of int64, and two sums.

    Attributes:
        lacking: rows without an entry; earlier versions made no graph of a set that had some.
    """

    rows: bytes
    documents: bytes
    labels: bytes
    label_texts: list[str]
    graph_bytes: int
    graph_crc: int
    lacking: bytes = b""


class Graph:
    """A graph that is open for searching.

    Attributes:
        path: of its list of entries.
        listing: the entries.
        lacking: rows up to the last entry that had none yet.
    """

    def __init__(self, path: Path, *, dimension: int) -> None:
        """Open the graph with the list `path`.

        Raises:
            GraphDamaged: one of its files is not what was written.
            OSError: one cannot be read.
        """
        self.path = path
        self._dimension = dimension
        entries = _listed(path)
        graph = path.with_suffix(_GRAPH)
        # usearch believes what it reads, and would end this process.
        if (graph.stat().st_size, _crc(graph)) != (entries.graph_bytes, entries.graph_crc):
            raise GraphDamaged(f"{graph.name} is damaged")
        self._index = Index(ndim=dimension, metric="cos", dtype="f16")
        self._index.view(graph)
        self.listing = Listing(
            np.frombuffer(entries.rows, _INTEGER),
            np.frombuffer(entries.documents, _INTEGER),
            np.frombuffer(entries.labels, _INTEGER),
            entries.label_texts,
        )
        self.lacking = frozenset(np.frombuffer(entries.lacking, _INTEGER).tolist())

    def vectors(self, positions: Integers) -> Floats:
        """Return float32[n, dimension] of the entries at `positions`."""
        keys = self.listing.rows[positions].astype(np.uint64)
        found = self._index.get(keys, dtype="f16")
        return np.array(found, np.float32).reshape(len(positions), self._dimension)

    def nearest(self, query: Floats, mask: Mask, *, wanted: int) -> Integers:
        """Return the positions of at least the `wanted` nearest of `mask`, as far as is seen."""
        count = int(np.count_nonzero(mask))
        if count > max(wanted, FEW):
            asked = max(_LEAST_ASKED, int(_SPARE * wanted * len(mask) / count) + 1)
            while asked <= _MOST_ASKED:
                keys = self._index.search(query, asked).keys
                positions = np.searchsorted(self.listing.rows, keys.astype(np.int64))
                found: Integers = positions[mask[positions]]
                if len(found) >= wanted:
                    return found
                asked *= 4
        return self._looked_through(query, np.flatnonzero(mask), wanted)

    def _looked_through(self, query: Floats, positions: Integers, wanted: int) -> Integers:
        if len(positions) <= wanted:
            return positions
        return positions[nearest_of(gathered(positions, query, self.vectors), wanted)]


def newest(folder: Path, label: str) -> Path | None:
    """Return the list of entries of the newest graph with this label, if there is one."""
    return max(folder.glob(f"{_PREFIX}{label}-*{_LIST}"), default=None)


def build(
    folder: Path, label: str, batches: Iterable[Entries], *, is_stopped: Callable[[], bool]
) -> Path | None:
    """Make a graph.

    Args:
        folder: gets the files.
        label: tells which set the graph is of.
        batches: the entries, in the order of their rows.
        is_stopped: whether to give up.

    Returns:
        The list of entries; None where it was stopped, or there are no entries.
    """
    index: Index | None = None
    threads = max(1, (os.cpu_count() or 2) // 2)
    labels = LabelKeys()
    known: list[tuple[Integers, Integers, Integers, Integers]] = []
    for batch in batches:
        if is_stopped():
            return None
        if index is None:
            index = Index(ndim=batch.vectors.shape[1], metric="cos", dtype="f16")
        index.add(batch.rows.astype(np.uint64), batch.vectors, threads=threads)
        lacking = np.array(batch.lacking, np.int64)
        known.append((batch.rows, batch.documents, labels.of(batch.label_texts), lacking))
    if index is None:
        return None
    number = _number(newest(folder, label)) + 1
    path = folder / f"{_PREFIX}{label}-{number:06}-{uuid.uuid4().hex[:8]}{_LIST}"
    _write(path, index, [np.concatenate(column) for column in zip(*known, strict=True)], labels)
    return path


def forget(path: Path) -> None:
    """Remove the files of a graph; whoever has it open keeps it."""
    for file in (path, path.with_suffix(_GRAPH)):
        # Windows keeps what is open.
        with suppress(OSError):
            file.unlink(missing_ok=True)


def forget_others(folder: Path, kept: Path) -> None:
    """Remove every graph but one, and what was left of graphs that were never finished."""
    for file in folder.glob(f"{_PREFIX}*"):
        if file.stem != kept.stem:
            forget(file)


def _number(path: Path | None) -> int:
    return int(path.stem.split("-")[-2]) if path else 0


def _write(path: Path, index: Index, columns: Sequence[Integers], labels: LabelKeys) -> None:
    graph = path.with_suffix(_GRAPH)
    index.save(graph)
    with graph.open("rb") as file:
        os.fsync(file.fileno())
    rows, documents, keys, lacking = (column.astype(_INTEGER).tobytes() for column in columns)
    size, crc = graph.stat().st_size, _crc(graph)
    content = msgpack.encode(_Entries(rows, documents, keys, labels.texts, size, crc, lacking))
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        file.write(content + zlib.crc32(content).to_bytes(_CRC_BYTES, "little"))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _listed(path: Path) -> _Entries:
    whole = path.read_bytes()
    content, crc = whole[:-_CRC_BYTES], whole[-_CRC_BYTES:]
    if zlib.crc32(content).to_bytes(_CRC_BYTES, "little") != crc:
        raise GraphDamaged(f"{path.name} is damaged")
    return msgpack.decode(content, type=_Entries)


def _crc(path: Path) -> int:
    crc = 0
    with path.open("rb") as file:
        while part := file.read(_READ_BYTES):
            crc = zlib.crc32(part, crc)
    return crc
