"""Reads store and index together, as of one moment."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeAlias

from citewell import Audience, Passage, Query, StoreError
from citewell_embedded.index import IndexDamaged, is_current
from citewell_embedded.index_reader import IndexReader
from citewell_embedded.snapshots import Snapshot, StoreReader
from citewell_embedded.store import FILE, State
from citewell_embedded.view import IndexView

# Asked for beyond the limit: hits whose passages are gone since, and ties at the edge.
_SPARE = 16
_MAX_TIED = 4096


Search: TypeAlias = Callable[[int], Sequence[tuple[int, float]]]


class _Loaded(NamedTuple):
    """An index view and the moment for which it is complete."""

    state: State
    view: IndexView


class Reader:
    """Finds and reads passages, from any number of threads; blocking."""

    def __init__(self, folder: Path, *, stemming: bool) -> None:
        self._folder = folder
        self._stemming = stemming
        self._store = StoreReader(folder / FILE)
        self._free_store = StoreReader(folder / FILE, busy_s=0)
        self._index: IndexReader | None = None
        self._loaded: _Loaded | None = None
        self._loading = threading.Lock()

    def close(self) -> None:
        """Close the files."""
        self._store.close()
        self._free_store.close()
        if self._index:
            self._index.close()

    def versions(self) -> Mapping[str, str]:
        """Return document id to version."""
        with self._store.snapshot() as snapshot:
            return snapshot.versions() if snapshot else {}

    def sizes(self) -> Mapping[str, int]:
        """Return document id to number of passages."""
        with self._store.snapshot() as snapshot:
            return snapshot.sizes() if snapshot else {}

    def identity(self) -> str:
        """Return a name that changes with each change that readers can see."""
        state = self._state()
        return f"{state.index_name}.{state.generation}" if state else ""

    def fetch(self, ids: Sequence[str], *, readable_by: Audience) -> list[Passage]:
        """Return what is there and readable, in the order of `ids`."""
        with self._store.snapshot() as snapshot:
            found = [snapshot.passage(name) for name in ids] if snapshot else []
        return [passage for passage in found if passage and readable_by.may_read(passage.labels)]

    def within(
        self, document_id: str, *, start: int, end: int, readable_by: Audience
    ) -> list[Passage]:
        """Return what is readable of a part of a document, in the order of its text."""
        with self._store.snapshot() as snapshot:
            found = snapshot.within(document_id, start, end) if snapshot else []
        return [passage for passage in found if readable_by.may_read(passage.labels)]

    def retrieve(self, query: Query, *, limit: int, readable_by: Audience) -> list[Passage]:
        """Return at most `limit` passages, of at least one, best first.

        Raises:
            IndexDamaged: the index must be rebuilt.
        """
        while True:
            with self._store.snapshot() as snapshot:
                if snapshot is None or not snapshot.state.index_name:
                    return []
                view = self._view(snapshot.state)
                if view is not None:
                    return self._best(snapshot, view, query, limit, readable_by)
            self._load()

    def retrieve_at_once(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> list[Passage] | None:
        """Do what `retrieve` does; None where an index must be loaded, or somebody waited for."""
        with suppress(IndexDamaged, StoreError), self._free_store.snapshot() as snapshot:
            view = self._view(snapshot.state) if snapshot else None
            if snapshot and view:
                return self._best(snapshot, view, query, limit, readable_by)
        return None

    @staticmethod
    def _best(
        snapshot: Snapshot, view: IndexView, query: Query, limit: int, readable_by: Audience
    ) -> list[Passage]:
        def search(wanted: int) -> Sequence[tuple[int, float]]:
            return view.search(
                query.text, language=query.language, readable_by=readable_by, limit=wanted
            )

        return best(snapshot, search, limit=limit, readable_by=readable_by)

    def _view(self, state: State) -> IndexView | None:
        loaded = self._loaded
        return loaded.view if loaded and loaded.state == state else None

    def _load(self) -> None:
        """Load the index of the present moment.

        The index loses old rows with the batch after the one that replaced them. So a view is
        complete for a generation only when that generation still lasts after loading.
        """
        with self._loading:
            before = self._state()
            if before is None or self._view(before):
                return
            try:
                with self._store.snapshot() as snapshot:
                    if snapshot is None:
                        return
                    view = self._index_reader(before.index_name).view(snapshot.labels)
            except IndexDamaged:
                if self._state() == before:
                    raise
                return
            if self._state() == before:
                self._loaded = _Loaded(before, view)

    def _state(self) -> State | None:
        with self._store.snapshot() as snapshot:
            return snapshot.state if snapshot else None

    def _index_reader(self, name: str) -> IndexReader:
        path = self._folder / name
        if not is_current(name, stemming=self._stemming):
            raise IndexDamaged(path, "made by another version or with other settings")
        if self._index is None or self._index.path != path:
            self._index = IndexReader(path, stemming=self._stemming)
        return self._index


def best(snapshot: Snapshot, search: Search, *, limit: int, readable_by: Audience) -> list[Passage]:
    """Join hits to passages; ask for more while too many are gone or the edge is a tie."""
    wanted = limit + _SPARE
    while True:
        hits = search(wanted)
        edge = hits[limit - 1][1] if len(hits) >= limit else -math.inf
        first = {row: score for row, score in hits if score >= edge}
        found = _readable(snapshot, first, readable_by)
        is_open = len(first) == len(hits)
        if len(found) < limit and not is_open:
            rest = {row: score for row, score in hits if score < edge}
            found += _readable(snapshot, rest, readable_by)
            is_open = True
        may_go_on = len(found) < limit or wanted < _MAX_TIED
        if is_open and may_go_on and len(hits) == wanted:
            wanted *= 4
            continue
        # Equal scores come in the order of the documents, not of their arrival.
        found.sort(key=lambda passage: (-passage.score, passage.document_id, passage.start))
        return found[:limit]


def _readable(snapshot: Snapshot, scores: Mapping[int, float], audience: Audience) -> list[Passage]:
    return [passage for passage in snapshot.rows(scores) if audience.may_read(passage.labels)]
