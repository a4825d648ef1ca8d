"""The files below a folder, each once, whatever links there are."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from msgspec import Struct

_UNREADABLE = (PermissionError, FileNotFoundError, NotADirectoryError)


class Found(Struct, frozen=True):
    """A regular file.

    Attributes:
        id: path below the root, with `/`; below a linked folder, through the link.
        path: where the file itself is, without links.
        stat: of the file itself.
    """

    id: str
    path: str
    stat: os.stat_result


class Choice(Protocol):
    """Decides on paths below the root; a folder's ends in `/`."""

    def wants(self, path: str) -> bool:
        """Tell whether the file is read, or the folder entered."""
        ...

    def forbids(self, path: str) -> bool:
        """Tell whether the user said that this is left out."""
        ...


class Walk:
    """One pass over the files below a root.

    A link is followed last, and only to what lies below the root, was not met on its own path and
    is not left out there. So nothing outside is read, no loop goes on, and a link gives no second
    name, with perhaps other readers, to a document.
    """

    def __init__(self, root: str, choice: Choice, log: logging.Logger) -> None:
        self._root = os.path.realpath(root).rstrip(os.sep) + os.sep
        self._choice = choice
        self._log = log
        self._met: set[tuple[int, int]] = set()
        self._links: list[tuple[str, str]] = []

    def files(self) -> Iterator[Found]:
        """Yield the wanted files.

        Raises:
            OSError: the root cannot be listed, or a folder below it cannot for another reason
                than that this process may not read it.
        """
        yield from self._below(self._root, "")
        while self._links:
            links, self._links = sorted(self._links), []
            for id_, path in links:
                yield from self._linked(id_, os.path.realpath(path))

    def _below(self, folder: str, prefix: str) -> Iterator[Found]:
        waiting = [(folder, prefix)]
        while waiting:
            folder, prefix = waiting.pop()
            for entry in self._entries(folder, prefix):
                id_ = prefix + entry.name
                if entry.is_symlink():
                    self._links.append((id_, entry.path))
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, f"{id_}/"))
                else:
                    yield from self._file(id_, entry.path)

    def _entries(self, folder: str, prefix: str) -> list[os.DirEntry[str]]:
        """Return what stands in a folder that is wanted and was not met before."""
        if prefix and not self._is_wanted(prefix, folder + os.sep):
            return []
        try:
            if not self._is_new(Path(folder).stat()):
                return []
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except _UNREADABLE as error:
            if not prefix:
                raise
            self._log.warning("folder left out: %s: %s", prefix, error.strerror)
            return []
        return [entry for entry in entries if self._is_named(entry.name, prefix)]

    def _is_named(self, name: str, prefix: str) -> bool:
        try:
            name.encode()
        except UnicodeEncodeError:
            self._log.warning("file left out: its name is not UTF-8: %a", prefix + name)
            return False
        return True

    def _file(self, id_: str, path: str) -> Iterator[Found]:
        if not self._is_wanted(id_, path):
            return
        try:
            found = os.lstat(path)
        except _UNREADABLE:
            return
        # A second hard link is a document of its own; a symbolic one is not.
        if stat.S_ISREG(found.st_mode) and (self._is_new(found) or path == self._root + id_):
            yield Found(id_, path, found)

    def _linked(self, id_: str, target: str) -> Iterator[Found]:
        if not target.startswith(self._root):
            self._log.info("link left out: it leads out of the folder: %s", id_)
        elif Path(target).is_dir():
            yield from self._below(target, f"{id_}/")
        else:
            yield from self._file(id_, target)

    def _is_new(self, found: os.stat_result) -> bool:
        identity = (found.st_dev, found.st_ino)
        is_new = identity not in self._met
        self._met.add(identity)
        return is_new

    def _is_wanted(self, id_: str, path: str) -> bool:
        if not self._choice.wants(id_):
            return False
        below = path[len(self._root) :].replace(os.sep, "/")
        return below == id_ or not self._choice.forbids(below)
