"""The vectors of a set in memory, and the nearest of those that may be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from citewell import Audience
from citewell.storing import loaded_labels

Floats: TypeAlias = NDArray[np.float32]
Scores: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

STORED = np.dtype("<f2")
"""Half precision: a cosine differs by less than 0.001 from that in full precision."""

_CHUNK = 4096
_GROWTH = 1.5
_MAX_AUDIENCES = 64

# More than single precision loses in a scalar product of unit vectors.
_NOISE = 1e-5
_DIGITS = 9
_MAX_CANDIDATES = 16_384

# Below this share of the rows it is quicker to gather them than to look at all.
_GATHERED_SHARE = 0.2


class Listing(NamedTuple):
    """Entries without their vectors, in the order of their rows.

    Attributes:
        rows: of their passages.
        documents: keys of the documents of these.
        labels: where in `label_texts` theirs are.
        label_texts: sets of labels, as they are stored.
    """

    rows: Integers
    documents: Integers
    labels: Integers
    label_texts: Sequence[str]


class Entries(NamedTuple):
    """Some entries of a set, one after the other.

    Attributes:
        lacking: rows before the last one whose passages have no entry yet.
    """

    rows: Integers
    documents: Integers
    label_texts: Sequence[str]
    vectors: Floats
    lacking: Sequence[int] = ()


def read(cursor: sqlite3.Cursor, dimension: int) -> Iterator[Entries]:
    """Yield what a cursor over entries gives, some at a time.

    Raises:
        sqlite3.DatabaseError: the store is damaged.
    """
    while found := cursor.fetchmany(_CHUNK):
        rows, documents, labels, blobs = zip(*found, strict=True)
        if {len(blob) for blob in blobs} != {dimension * STORED.itemsize}:
            raise sqlite3.DatabaseError("vectors are of another length")
        vectors = decoded(b"".join(blobs), dimension)
        # What the disk has spoilt would be the nearest of all, and is found by its words.
        good = cast("Mask", np.isfinite(vectors).all(axis=1))
        yield Entries(
            np.array(rows, np.int64)[good],
            np.array(documents, np.int64)[good],
            [text for text, is_good in zip(labels, good, strict=True) if is_good],
            vectors[good],
        )


class LabelKeys:
    """Numbers for sets of labels, in the order in which they are first seen."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    @property
    def texts(self) -> list[str]:
        """The sets of labels, as they are stored."""
        return list(self._known)

    def of(self, texts: Sequence[str]) -> Integers:
        """Return the number of each of `texts`."""
        known = self._known
        return np.array([known.setdefault(text, len(known)) for text in texts], np.int64)


class Table:
    """What is loaded of a set. It grows at its end alone, so what was seen of it stays.

    Attributes:
        size: how many entries there are.
    """

    def __init__(self, dimension: int, *, capacity: int = _CHUNK) -> None:
        """Make an empty one for vectors of `dimension` numbers, with room for `capacity`."""
        self.size = 0
        self._label_keys = LabelKeys()
        self._rows = np.empty(capacity, np.int64)
        self._documents = np.empty(capacity, np.int64)
        self._labels = np.empty(capacity, np.int64)
        self._vectors = np.empty((capacity, dimension), np.float32)

    @property
    def listing(self) -> Listing:
        """The entries without their vectors."""
        return Listing(
            self._rows[: self.size],
            self._documents[: self.size],
            self._labels[: self.size],
            self._label_keys.texts,
        )

    @property
    def vectors(self) -> Floats:
        """float32[size, dimension]."""
        return self._vectors[: self.size]

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return self._vectors.shape[1]

    def extend(self, cursor: sqlite3.Cursor) -> None:
        """Add the entries that a cursor gives; they stand behind the last one."""
        for entries in read(cursor, self.dimension):
            labels = self._label_keys.of(entries.label_texts)
            self._append(entries.rows, entries.documents, labels, entries.vectors)

    def only(self, kept: Mask) -> Table:
        """Return a table of the entries that are `kept`."""
        table = Table(self.dimension, capacity=int(kept.sum() * _GROWTH) + _CHUNK)
        table._label_keys = self._label_keys
        listing = self.listing
        table._append(
            listing.rows[kept], listing.documents[kept], listing.labels[kept], self.vectors[kept]
        )
        return table

    def _append(
        self, rows: Integers, documents: Integers, labels: Integers, vectors: Floats
    ) -> None:
        end = self.size + len(rows)
        if end > len(self._rows):
            self._grow(max(end, int(len(self._rows) * _GROWTH)))
        self._rows[self.size : end] = rows
        self._documents[self.size : end] = documents
        self._labels[self.size : end] = labels
        self._vectors[self.size : end] = vectors
        self.size = end

    def _grow(self, capacity: int) -> None:
        for name in ("_rows", "_documents", "_labels", "_vectors"):
            old = getattr(self, name)
            new = np.empty((capacity, *old.shape[1:]), old.dtype)
            new[: self.size] = old[: self.size]
            setattr(self, name, new)


class Readable:
    """Which entries are there at some moment, and who may read them.

    Args:
        listing: of the entries.
        documents: the keys of those that are visible.
    """

    def __init__(self, listing: Listing, documents: Sequence[int]) -> None:
        self._labels = listing.labels
        self._label_sets = [loaded_labels(text) for text in listing.label_texts]
        self._alive = np.isin(listing.documents, np.array(documents, np.int64))
        self._by_audience: dict[Audience, Mask] = {}

    @property
    def alive(self) -> Mask:
        """Which entries are there."""
        return self._alive

    @property
    def dead_count(self) -> int:
        """How many are not."""
        return len(self._alive) - int(np.count_nonzero(self._alive))

    def by(self, audience: Audience) -> Mask:
        """Return which entries `audience` may read."""
        mask = self._by_audience.get(audience)
        if mask is None:
            allowed = np.array([audience.may_read(labels) for labels in self._label_sets], np.bool_)
            mask = allowed[self._labels] & self._alive if len(allowed) else self._alive
            if len(self._by_audience) >= _MAX_AUDIENCES:
                self._by_audience.clear()
            self._by_audience[audience] = mask
        return mask


def scanned(vectors: Floats, query: Floats, mask: Mask, *, wanted: int) -> Integers:
    """Return the positions of the `wanted` nearest of `mask`, in any order, and what is as near."""
    positions = np.flatnonzero(mask)
    if len(positions) <= wanted:
        return positions
    if len(positions) >= _GATHERED_SHARE * len(mask):
        near: Floats = (vectors @ query)[positions]
    else:
        near = gathered(positions, query, lambda part: vectors[part])
    return positions[nearest_of(near, wanted)]


def nearest_of(near: Floats, wanted: int) -> Integers:
    """Return where in `near` the `wanted` highest are, in any order, and what is as high."""
    edge = np.partition(near, len(near) - wanted)[len(near) - wanted]
    found = np.flatnonzero(near >= edge - _NOISE)
    if len(found) > _MAX_CANDIDATES:
        found = found[np.argsort(-near[found], kind="stable")[:_MAX_CANDIDATES]]
    return found


def gathered(
    positions: Integers, query: Floats, vectors_at: Callable[[Integers], Floats]
) -> Floats:
    """Return how near the vectors at `positions` are, which are fetched a few at a time."""
    near = np.empty(len(positions), np.float32)
    for start in range(0, len(positions), _CHUNK):
        near[start : start + _CHUNK] = vectors_at(positions[start : start + _CHUNK]) @ query
    return near


def cosines(vectors: Floats, query: Floats) -> Scores:
    """Return how near each vector is: equal for equal vectors, wherever they stand."""
    exact: Scores = (vectors.astype(np.float64) * query.astype(np.float64)).sum(axis=1)
    return exact.round(_DIGITS)


def ranked(rows: Integers, scores: Scores, *, limit: int) -> list[tuple[int, float]]:
    """Return the `limit` best rows with their scores, best first."""
    order = np.lexsort((rows, -scores))[:limit]
    return list(zip(rows[order].tolist(), scores[order].tolist(), strict=True))


def encoded(vectors: Sequence[Sequence[float]], *, count: int) -> tuple[int, list[bytes]]:
    """Return the dimension of vectors, and each as it is stored.

    Raises:
        ValueError: they are not `count` vectors of finite numbers.
    """
    matrix = checked(vectors, count=count).astype(STORED)
    return matrix.shape[1], [vector.tobytes() for vector in matrix]


def checked(vectors: Sequence[Sequence[float]], *, count: int) -> Floats:
    """Return `count` vectors as they came from an embedder.

    Raises:
        ValueError: they are something else.
    """
    matrix = np.asarray(vectors, np.float32)
    if matrix.ndim != 2 or len(matrix) != count or not matrix.shape[1]:
        raise ValueError(f"numbers of the shape {matrix.shape}, where {count} vectors are needed")
    if not np.isfinite(matrix).all():
        raise ValueError("vectors that hold something else than numbers")
    return matrix


def decoded(stored: bytes, dimension: int) -> Floats:
    """Return float32[n, dimension] of what `encoded` stored."""
    return np.frombuffer(stored, STORED).reshape(-1, dimension).astype(np.float32)
