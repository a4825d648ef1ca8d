"""Keeps the vectors of a set at hand, as of the moment of a snapshot.

Up to some number of passages all vectors are in memory, and each is looked at. With more, those up
to some row are in a graph on the disk, and what is newer in memory, until a new graph has it too.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from filelock import FileLock, Timeout

from citewell import Audience
from citewell_embedded import vectors
from citewell_embedded.matrix import (
    Entries,
    Floats,
    Readable,
    Table,
    cosines,
    ranked,
    read,
    scanned,
)
from citewell_embedded.snapshots import Snapshot, StoreReader
from citewell_embedded.store import State
from citewell_embedded.vectors import VectorSet

if TYPE_CHECKING:
    from citewell_embedded.graph import Graph

_DEAD_SHARE = 0.25
_FEW_DEAD = 1000

_NEW_SHARE = 0.25
"""A graph is made again when so much of what there is, beside what is looked at anyway, is new."""

_LOADED_MEANWHILE = 2
"""How many times what is looked at anyway is loaded until there is a graph."""

_BUILT_TOGETHER = 4096


class Superseded(Exception):
    """Something newer is loaded than the snapshot at hand; a new snapshot is needed."""


class NoGraph(Exception):
    """There are too many vectors to look at each, and no graph of them yet."""


class Settings(NamedTuple):
    """When there is a graph.

    Attributes:
        exact_up_to: passages up to which there is none.
        uses_graph: whether there is one at all.
    """

    exact_up_to: int
    uses_graph: bool

    @classmethod
    def of(cls, *, exact_up_to: int, ann: bool | None) -> Settings:
        """Return what the settings say, and what is installed."""
        uses_graph = find_spec("usearch") is not None if ann is None else ann
        return cls(exact_up_to, uses_graph)


class VectorView:
    """The vectors of a set at one moment.

    Args:
        table: what is loaded.
        graph: what is not.
        documents: keys of those that are visible.
    """

    def __init__(self, table: Table, graph: Graph | None, documents: Sequence[int]) -> None:
        self._rows = table.listing.rows
        self._vectors = table.vectors
        self._readable = Readable(table.listing, documents)
        self._graph = graph
        self._far = Readable(graph.listing, documents) if graph else None

    @property
    def readable(self) -> Readable:
        """Which of the entries that are loaded are there."""
        return self._readable

    @property
    def is_mostly_gone(self) -> bool:
        """Whether most of what the graph has is not there."""
        far = self._far
        return far is not None and far.dead_count > len(far.alive) // 2

    def search(
        self, query: Floats, *, readable_by: Audience, limit: int
    ) -> list[tuple[int, float]]:
        """Return the `limit` nearest rows that may be read, with their cosines, nearest first."""
        mask = self._readable.by(readable_by)
        positions = scanned(self._vectors, query, mask, wanted=limit)
        rows = self._rows[positions]
        scores = cosines(self._vectors[positions], query)
        if self._graph and self._far:
            far = self._graph.nearest(query, self._far.by(readable_by), wanted=limit)
            rows = np.concatenate([rows, self._graph.listing.rows[far]])
            scores = np.concatenate([scores, cosines(self._graph.vectors(far), query)])
        return ranked(rows, scores, limit=limit)


class _Loaded(NamedTuple):
    """What is at hand of a set.

    Attributes:
        last_row: that is known; entries of later ones are read when they come.
        lacking: rows up to that one whose entries are still to come.
    """

    known: VectorSet
    state: State
    table: Table
    graph: Graph | None
    view: VectorView
    last_row: int
    lacking: frozenset[int]

    def is_of(self, known: VectorSet, state: State) -> bool:
        """Tell whether only entries have come since; a new store has another index."""
        mine = self.known.key, self.known.turn, self.state.index_name
        return mine == (known.key, known.turn, state.index_name)

    @property
    def moment(self) -> tuple[int, int]:
        """Grows with each change."""
        return _moment(self.known, self.state)


def _moment(known: VectorSet, state: State) -> tuple[int, int]:
    # Entries that come later are all that changes within a generation.
    return state.generation, -known.lacking


class VectorReader:
    """Loads the vectors of a set once, and then what is new; blocking, for any thread.

    Args:
        folder: of the index.
        settings: when there is a graph.
        log: is told what is damaged.
    """

    def __init__(self, folder: Path, settings: Settings, log: logging.Logger) -> None:
        self._folder = folder
        self._settings = settings
        self._log = log
        self._loaded: _Loaded | None = None
        self._loading = threading.Lock()
        self._stopped = threading.Event()
        self._cannot_build = False
        self._wanted: tuple[VectorSet, State] | None = None

    @property
    def wants_graph(self) -> bool:
        """Whether a graph has to be made, or made again."""
        return self._wanted is not None and not self._cannot_build

    def stop(self) -> None:
        """Give up a graph that is being made."""
        self._stopped.set()

    def view(self, snapshot: Snapshot, known: VectorSet) -> VectorView:
        """Return the vectors of a set as of `snapshot`, which has them.

        Raises:
            NoGraph: there are too many to look at each.
            Superseded: a later moment is loaded already.
        """
        state = snapshot.state
        with self._loading:
            loaded = self._loaded
            if loaded and loaded.is_of(known, state):
                if loaded.moment == _moment(known, state):
                    return loaded.view
                if loaded.moment > _moment(known, state):
                    raise Superseded
            # A table that fails to grow would lack what comes in between.
            self._loaded = None
            if not loaded or not loaded.is_of(known, state):
                loaded = self._begun(snapshot, known)
            loaded = self._grown(loaded, snapshot, known)
            if self._wanted and self._is_made(loaded):
                loaded = self._grown(self._begun(snapshot, known), snapshot, known)
            self._loaded = loaded
            return loaded.view

    def _grown(self, loaded: _Loaded, snapshot: Snapshot, known: VectorSet) -> _Loaded:
        state, connection, table = snapshot.state, snapshot.connection, loaded.table
        table.extend(vectors.entries(connection, known, after_row=loaded.last_row))
        last_row = max([loaded.last_row, *table.listing.rows[-1:].tolist()])
        lacking = frozenset(vectors.lacking_rows(connection, known, up_to=last_row))
        come = sorted(loaded.lacking - lacking)
        if come:
            table.extend(vectors.entries_of(connection, known, come))
        documents = vectors.visible_documents(connection)
        view = VectorView(table, loaded.graph, documents)
        if view.readable.dead_count > max(_FEW_DEAD, _DEAD_SHARE * table.size):
            table = table.only(view.readable.alive)
            view = VectorView(table, loaded.graph, documents)
        most = self._settings.exact_up_to
        if loaded.graph:
            most += int(_NEW_SHARE * len(loaded.graph.listing.rows))
            most = 0 if view.is_mostly_gone else most
        is_wanted = self._settings.uses_graph and table.size > most
        self._wanted = (known, state) if is_wanted else None
        return _Loaded(known, state, table, loaded.graph, view, last_row, lacking)

    # --- graphs --------------------------------------------------------------------------------

    def _begun(self, snapshot: Snapshot, known: VectorSet) -> _Loaded:
        """Return what is loaded before anything is read of the store."""
        count = snapshot.passage_count()
        state = snapshot.state
        graph = None
        if self._settings.uses_graph and count > self._settings.exact_up_to:
            graph = self._opened_graph(known, state)
            self._cannot_build = self._cannot_build or not os.access(self._folder, os.W_OK)
            is_much = count > _LOADED_MEANWHILE * self._settings.exact_up_to
            if graph is None and is_much and not self._cannot_build:
                self._wanted = (known, state)
                raise NoGraph
        table = Table(known.dimension, capacity=1024 if graph else count + 1024)
        view = VectorView(table, graph, ())
        last_row = int(graph.listing.rows[-1]) if graph else 0
        return _Loaded(
            known, state, table, graph, view, last_row, graph.lacking if graph else frozenset()
        )

    def _is_made(self, loaded: _Loaded) -> bool:
        """Tell whether another process has made the graph that is wanted."""
        from citewell_embedded import graph

        path = graph.newest(self._folder, _label(loaded.known, loaded.state))
        return path is not None and (loaded.graph is None or path != loaded.graph.path)

    def _opened_graph(self, known: VectorSet, state: State) -> Graph | None:
        from citewell_embedded import graph

        while path := graph.newest(self._folder, _label(known, state)):
            try:
                return graph.Graph(path, dimension=known.dimension)
            except FileNotFoundError:
                # Another process has put a newer one in its place.
                if graph.newest(self._folder, _label(known, state)) == path:
                    graph.forget(path)
            except (graph.GraphDamaged, OSError) as error:
                self._log.warning("the index of vectors is made again: %s", error)
                graph.forget(path)
                if path.exists():
                    return None
        return None

    def build(self, store: StoreReader) -> None:
        """Make the graph that is wanted, unless another process is at it."""
        wanted = self._wanted
        if wanted is None:
            return
        from citewell_embedded import graph

        known, state = wanted
        path: Path | None = None
        try:
            with FileLock(self._folder / "graph.lock", timeout=0, thread_local=False):
                path = graph.build(
                    self._folder,
                    _label(known, state),
                    self._batches(store, known, state),
                    is_stopped=self._stopped.is_set,
                )
                if path:
                    graph.forget_others(self._folder, path)
                # Without an entry there is nothing to make one of.
                self._cannot_build = path is None and not self._stopped.is_set()
        except Timeout:
            return
        except Exception as error:  # noqa: BLE001 - the vectors can be searched without it
            self._cannot_build = True
            self._log.warning("no index of vectors can be made; each is looked at: %s", error)
        if path:
            with self._loading:
                if self._wanted == wanted:
                    self._wanted = self._loaded = None

    def _batches(self, store: StoreReader, known: VectorSet, state: State) -> Iterator[Entries]:
        """Yield all entries, some at a time: nobody's writing waits for the end of it."""
        after_row = 0
        while True:
            with store.snapshot() as snapshot:
                if snapshot is None or snapshot.state.index_name != state.index_name:
                    return
                cursor = vectors.entries(
                    snapshot.connection, known, after_row=after_row, limit=_BUILT_TOGETHER
                )
                found = list(read(cursor, known.dimension))
                if not found:
                    return
                last_row = int(found[-1].rows[-1])
                lacking = vectors.lacking_rows(
                    snapshot.connection, known, after_row=after_row, up_to=last_row
                )
            yield from found[:-1]
            yield found[-1]._replace(lacking=lacking)
            after_row = last_row


def _label(known: VectorSet, state: State) -> str:
    return f"{known.key}-{known.turn}-{state.index_name.rpartition('-')[2]}"
