"""An index on the disk, opened for searching, also where it may not be written."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path

import tantivy

from citewell import Labels
from citewell_embedded.index import damage
from citewell_embedded.segments import Commit, check, last_commit
from citewell_embedded.view import IndexView


class IndexReader:
    """Opens an index for searching."""

    def __init__(self, path: Path, *, stemming: bool) -> None:
        """Open the index at `path`.

        Raises:
            IndexDamaged: it is missing or broken.
        """
        self.path = path
        self._stemming = stemming
        self._links: Path | None = None
        self._checked: frozenset[str] = frozenset()
        with damage(path):
            self._check()
            if not os.access(path, os.W_OK):
                self._link()
            self._index = tantivy.Index.open(str(self._links or path))
            self._index.config_reader("manual")

    def view(self, labels_of: Callable[[int], Labels | None]) -> IndexView:
        """Return the index as of its last commit.

        Args:
            labels_of: returns the labels of a row, None when it is gone.

        Raises:
            IndexDamaged: it is broken.
        """
        with damage(self.path):
            commit = self._check()
            while True:
                if self._links:
                    self._link()
                self._index.reload()
                loaded, commit = commit, self._check()
                # Segments may be merged at any moment.
                if loaded == commit:
                    break
            return IndexView(
                self.path,
                self._index.searcher(),
                stemming=self._stemming,
                passages=commit.passage_count,
                labels_of=labels_of,
            )

    def close(self) -> None:
        """Leave nothing behind; views go on."""
        if self._links:
            self._unlink()

    def _check(self) -> Commit:
        """Return the last commit, once its files are known to be as they were written."""
        commit = last_commit(self.path)
        check(self.path, commit.files - self._checked)
        self._checked = commit.files
        return commit

    def _link(self) -> None:
        """Link what is new to a folder that passes: Tantivy locks a folder even to read it."""
        if self._links is None:
            self._links = Path(tempfile.mkdtemp(prefix="citewell-"))
            # Another index may take the place of this one, which is then not closed.
            self._unlink = weakref.finalize(self, shutil.rmtree, self._links, ignore_errors=True)
        for file in self.path.iterdir():
            link = self._links / file.name
            if file.suffix != ".lock" and not link.is_symlink():
                link.symlink_to(file.absolute())
