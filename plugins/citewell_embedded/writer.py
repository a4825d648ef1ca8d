"""Writes store and index so that neither a crash nor a reader ever sees half a document.

Each batch goes: (1) store: the new rows, visible to nobody; (2) index: the new rows, and the
tombstones of earlier batches, committed; (3) store, in one transaction: the new rows become
visible, the old ones of the same documents become tombstones, the generation grows. A tombstone
leaves the index only with a later batch, so an index loaded at some generation holds every row
that is visible at it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from citewell import IndexedDocument, Passage, StoreError
from citewell_embedded.index import (
    IndexDamaged,
    IndexWriter,
    is_current,
    new_name,
    remove_others,
)
from citewell_embedded.lock import WriterLock
from citewell_embedded.store import FILE, State, StoreWriter, explained


@contextmanager
def _written() -> Iterator[None]:
    try:
        yield
    except IndexDamaged as error:
        raise StoreError(f"index cannot be written: {error}") from error


class Writer:
    """The one writer of an index; blocking, one call at a time."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        log: logging.Logger,
        stemming: bool,
        with_vectors: bool = False,
    ) -> None:
        """Get the lock, open store and index, and undo what a crash left half done.

        Args:
            folder: holds store and index.
            name: of the retriever, for messages.
            log: is told what is mended.
            stemming: whether a word matches its other forms.
            with_vectors: give the store a place for vectors.

        Raises:
            IndexLocked: another process is writing.
            StoreError: the store is damaged, or the index cannot be written.
        """
        self._folder = folder
        self._log = log
        self._stemming = stemming
        with ExitStack() as stack:
            with explained(folder / FILE):
                folder.mkdir(parents=True, exist_ok=True)
                stack.callback(WriterLock(folder, name=name).release)
            self._store = StoreWriter(folder / FILE, with_vectors=with_vectors)
            stack.callback(self._store.close)
            self._store.drop_staged()
            self._index = self._opened_index()
            # Another index may take the place of this one.
            stack.callback(lambda: self._index.close())  # noqa: PLW0108 - see above
            remove_others(folder, self._store.state.index_name)
            self._opened = stack.pop_all()

    def write(
        self,
        documents: Sequence[IndexedDocument],
        *,
        deleted_ids: Sequence[str],
        withholds: Callable[[Passage], bool] | None = None,
    ) -> None:
        """Add or replace documents and forget others, in one step for every reader.

        Args:
            documents: whole ones.
            deleted_ids: of documents; unknown ones are ignored.
            withholds: tells which passages are to have no vectors; None where none has.

        Raises:
            StoreError: nothing has changed for readers; this writer must be abandoned.
        """
        latest = {document.id: document for document in documents}
        rows = self._store.numbered(latest.values())
        with _written():
            # Row by row into both: Tantivy works in a thread of its own meanwhile, and nothing of
            # it counts until it is committed.
            self._store.stage(list(latest.values()), self._index.adding(rows))
            if withholds:
                self._store.stage_vectors(rows, withholds=withholds)
            cleared, opstamp = self._bury()
        self._store.publish((*latest, *deleted_ids), cleared=cleared, index_opstamp=opstamp)

    def mend(self, damaged: IndexDamaged) -> None:
        """Make the index again, if the damaged one is still in use.

        Raises:
            StoreError: it cannot be written; this writer must be abandoned.
        """
        if self._store.state.index_name != damaged.index:
            return
        with suppress(IndexDamaged):
            self._index.close()
        self._index = self._made_again(damaged)
        remove_others(self._folder, self._store.state.index_name)

    def close(self) -> None:
        """Let the index forget what is deleted; then give the lock back."""
        with self._opened, suppress(IndexDamaged):
            cleared, opstamp = self._bury()
            self._store.clear_tombstones(cleared, index_opstamp=opstamp)

    def abandon(self) -> None:
        """Give the lock back after a failure; the next writer cleans up."""
        with suppress(IndexDamaged):
            self._opened.close()

    def _bury(self) -> tuple[list[int], int]:
        """Commit the index without what the tombstones name; return these and the opstamp."""
        tombstones = self._store.tombstones()
        self._index.remove(tombstones)
        return tombstones, self._index.commit()

    # --- recovery --------------------------------------------------------------------------

    def _opened_index(self) -> IndexWriter:
        state = self._store.state
        if not state.index_name:
            return self._rebuilt()
        try:
            return self._reopened(state)
        except IndexDamaged as error:
            return self._made_again(error)

    def _made_again(self, damaged: IndexDamaged) -> IndexWriter:
        self._log.warning("the index is made again from its passages: %s", damaged)
        return self._rebuilt()

    def _reopened(self, state: State) -> IndexWriter:
        path = self._folder / state.index_name
        if not is_current(state.index_name, stemming=self._stemming):
            raise IndexDamaged(path, "made by another version or with other settings")
        with ExitStack() as stack:
            index = IndexWriter(path, stemming=self._stemming)
            stack.callback(index.close)
            self._reconcile(index, state)
            stack.pop_all()
        return index

    def _reconcile(self, index: IndexWriter, state: State) -> None:
        """Bring index and store together after a crash.

        Raises:
            IndexDamaged: they do not belong together, as after restoring one of them.
        """
        path = self._folder / state.index_name
        tombstones = self._store.tombstones()
        unknown_commit = index.opstamp > state.index_opstamp and not tombstones
        if unknown_commit or index.opstamp < state.index_opstamp:
            raise IndexDamaged(path, "index and passages are not of the same moment")
        if tombstones:
            index.remove(tombstones)
            self._store.clear_tombstones(tombstones, index_opstamp=index.commit())
        if index.passage_count != self._store.passage_count():
            raise IndexDamaged(path, "index and passages differ in number")

    def _rebuilt(self) -> IndexWriter:
        name = new_name(stemming=self._stemming)
        with _written(), ExitStack() as stack:
            index = IndexWriter(self._folder / name, stemming=self._stemming, create=True)
            stack.callback(index.close)
            index.add(self._store.all_passages())
            self._store.adopt_index(name, opstamp=index.commit())
            stack.pop_all()
        return index
