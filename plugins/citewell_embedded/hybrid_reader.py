"""Reads words and vectors of one moment."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from citewell import Audience, Passage, Query
from citewell_embedded import vectors
from citewell_embedded.index import IndexDamaged
from citewell_embedded.matrix import Floats
from citewell_embedded.reader import Reader, best
from citewell_embedded.snapshots import Snapshot
from citewell_embedded.vector_reader import NoGraph, Settings, Superseded, VectorReader
from citewell_embedded.vectors import VectorSet


class VectorState(NamedTuple):
    """What a store has of the vectors of an embedder.

    Attributes:
        known: their set; None when there is none.
        others: embedders of which there are vectors that can be used.
        is_empty: there are no passages.
        usable: the set, where it is in use.
    """

    known: VectorSet | None
    others: tuple[str, ...]
    is_empty: bool
    usable: VectorSet | None = None


class Halves(NamedTuple):
    """What each half found; None for one that cannot answer.

    Attributes:
        damaged: why the words cannot.
        is_waiting: the vectors cannot before there is an index of them.
    """

    words: list[Passage] | None
    vectors: list[Passage] | None
    damaged: IndexDamaged | None = None
    is_waiting: bool = False


class HybridReader(Reader):
    """Finds and reads passages, from any number of threads; blocking."""

    def __init__(
        self, folder: Path, *, stemming: bool, settings: Settings, log: logging.Logger
    ) -> None:
        super().__init__(folder, stemming=stemming)
        self._vectors = VectorReader(folder, settings, log)

    @property
    def wants_graph(self) -> bool:
        """Whether an index of the vectors has to be made."""
        return self._vectors.wants_graph

    def build_graph(self) -> None:
        """Make the index of the vectors that is wanted, unless another process is at it."""
        self._vectors.build(self._store)

    def stop_building(self) -> None:
        """Give up an index of the vectors that is being made."""
        self._vectors.stop()

    def load_vectors(self, identity: str) -> bool:
        """Load the vectors of the present moment; False when they need an index before."""
        try:
            with suppress(Superseded), self._store.snapshot() as snapshot:
                known = vectors.find_set(snapshot.connection, identity) if snapshot else None
                is_wanted = snapshot and known and vectors.is_in_use(snapshot.connection, known)
                if snapshot and known and is_wanted and known.dimension:
                    self._vectors.view(snapshot, known)
        except NoGraph:
            return False
        return True

    def vector_state(self, identity: str) -> VectorState:
        """Return what there is of the vectors with this identity."""
        with self._store.snapshot() as snapshot:
            if snapshot is None:
                return VectorState(None, (), is_empty=True)
            sets = vectors.sets(snapshot.connection)
            by_identity = {one.identity: one for one in sets}
            in_use = [one for one in sets if vectors.is_in_use(snapshot.connection, one)]
            return VectorState(
                by_identity.get(identity, by_identity.get(vectors.UNNAMED)),
                tuple(one.name for one in in_use if one.identity != identity and one.name),
                is_empty=vectors.is_empty(snapshot.connection),
                usable=next((one for one in in_use if one.identity == identity), None),
            )

    def halves(
        self,
        query: Query,
        vector: Floats | None,
        identity: str,
        *,
        limit: int,
        readable_by: Audience,
    ) -> Halves:
        """Return at most `limit` passages of each half, both of one moment.

        Args:
            query: its words are looked for.
            vector: of `query`; None leaves out the vectors.
            identity: of the vectors that `vector` can be compared with.
            limit: at least one.
            readable_by: who asks.
        """
        damaged: IndexDamaged | None = None
        while True:
            with self._store.snapshot() as snapshot:
                if snapshot is None or not snapshot.state.index_name:
                    return Halves([], [])
                view = self._view(snapshot.state)
                words: list[Passage] | None = None
                if view:
                    try:
                        words = self._best(snapshot, view, query, limit, readable_by)
                    except IndexDamaged as error:
                        damaged = error
                if view or damaged:
                    if words is not None:
                        damaged = None
                    try:
                        near = self._near(snapshot, vector, identity, limit, readable_by)
                    except Superseded:
                        continue
                    except NoGraph:
                        return Halves(words, None, damaged, is_waiting=True)
                    return Halves(words, near, damaged)
            try:
                self._load()
            except IndexDamaged as error:
                damaged = error

    def _near(
        self,
        snapshot: Snapshot,
        vector: Floats | None,
        identity: str,
        limit: int,
        readable_by: Audience,
    ) -> list[Passage] | None:
        if vector is None:
            return None
        known = vectors.find_set(snapshot.connection, identity)
        if known is None or not vectors.is_in_use(snapshot.connection, known):
            return None
        if not known.dimension:
            return []
        view = self._vectors.view(snapshot, known)

        def search(wanted: int) -> Sequence[tuple[int, float]]:
            return view.search(vector, readable_by=readable_by, limit=wanted)

        return best(snapshot, search, limit=limit, readable_by=readable_by)
