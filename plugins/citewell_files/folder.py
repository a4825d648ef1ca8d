"""A folder as a source of documents."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from citewell import Changed, Context, Gone, RawDocument, SourceError, Unreadable, blocking
from citewell.globs import CLUTTER, Globs
from citewell_files.hashes import Hashes
from citewell_files.plugin import FilesConfig
from citewell_files.walk import Found, Walk

IGNORE_FILE = ".citewellignore"
_NAMED_FOLDERS = 5


class Folder:
    """The documents of one folder. Remembers their hashes between syncs."""

    def __init__(self, root: Path, config: FilesConfig, context: Context) -> None:
        self._root = root
        self._config = config
        self._log = context.log
        self._name = context.name
        self._suffixes = None if context.suffixes is None else tuple(context.suffixes)
        self._include = Globs(config.include or ("*",))
        self._choice = _Choice(self._include, config.exclude)
        self._ignored: tuple[str, ...] = ()
        self._hashes = Hashes(context.data_dir / "hashes.json")

    def changes(self, known: Mapping[str, str]) -> AsyncIterator[Changed | Gone | Unreadable]:
        """Compare the folder with `known`; what cannot be listed below it fails at the end."""
        return blocking.iterate(lambda: self._changes(known), ahead=256)

    def _changes(self, known: Mapping[str, str]) -> Iterator[Changed | Gone | Unreadable]:
        files, closed = self._list()
        present = {found.id for found in files}
        for id_ in known:
            if id_ not in present and not self._may_be_in(closed, id_):
                yield Gone(id_)
        for found in files:
            yield from self._compared(found, known.get(found.id))
        self._hashes.save()
        if closed:
            raise self._unlisted(closed)

    def _may_be_in(self, closed: Mapping[str, str], id_: str) -> bool:
        """Tell whether the document may lie in one of the folders that could not be listed."""
        return id_.startswith(tuple(closed)) and self._choice.wants(id_)

    def _unlisted(self, closed: Mapping[str, str]) -> SourceError:
        folders = [f"{name} ({why})" for name, why in sorted(closed.items())]
        more = len(folders) - _NAMED_FOLDERS
        named = ", ".join(folders[:_NAMED_FOLDERS]) + (f" and {more} more" if more > 0 else "")
        return SourceError(
            f"library.{self._name}: cannot be listed: {named}; "
            "give this user the right to read what is there, or exclude it"
        )

    def _compared(self, found: Found, known: str | None) -> Iterator[Changed | Gone | Unreadable]:
        try:
            version = self._version(found)
        except FileNotFoundError:
            if known is not None:
                yield Gone(found.id)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            yield Unreadable(found.id, f"cannot be opened: {reason}")
        else:
            if known != version:
                raw = RawDocument(id=found.id, path=Path(found.path), uri=self._uri(found.id))
                yield Changed(raw=raw, version=version)

    def _list(self) -> tuple[list[Found], Mapping[str, str]]:
        """Return the files, and the folders that could not be listed, each with the reason."""
        try:
            self._read_ignore_file()
            walk = Walk(os.fspath(self._root), self._choice, self._log)
            return list(walk.files()), walk.closed
        except NotADirectoryError:
            why = "is not a folder"
        except FileNotFoundError:
            why = "does not exist"
        except OSError as error:
            why = f"cannot be listed: {error.strerror}"
        raise SourceError(
            f'library.{self._name}: path: "{self._root}" {why}; name a folder that can be read'
        )

    def _read_ignore_file(self) -> None:
        path = self._root / IGNORE_FILE
        try:
            lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        except (OSError, ValueError) as error:
            raise SourceError(
                f"library.{self._name}: {IGNORE_FILE} cannot be read: {error}"
            ) from error
        ignored = tuple(line for line in lines if line.strip() and not line.startswith("#"))
        if ignored != self._ignored:
            try:
                self._choice = _Choice(self._include, (*self._config.exclude, *ignored))
            except ValueError as error:
                raise SourceError(f"library.{self._name}: {IGNORE_FILE}: {error}") from error
            self._ignored = ignored

    def _version(self, found: Found) -> str:
        """Return the hash of a file that some loader reads.

        Raises:
            OSError: it cannot be opened.
        """
        if self._suffixes is not None and not found.id.lower().endswith(self._suffixes):
            return "not read"
        return self._hashes.of(found.id, found.path, found.stat)

    def _uri(self, id_: str) -> str:
        if self._config.base_url:
            return f"{self._config.base_url.rstrip('/')}/{quote(id_)}"
        return (self._root.absolute() / id_).as_uri()


class _Choice:
    """What is read of a folder."""

    def __init__(self, include: Globs, exclude: Iterable[str]) -> None:
        self._include = include
        self._left_out = Globs((*CLUTTER, *exclude))

    def wants(self, path: str) -> bool:
        """Tell whether the file is read, or the folder entered."""
        if self._left_out.matches(path):
            return False
        return path.endswith("/") or self._include.matches(path)
