"""The files below a folder, each under one name."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from msgspec import Struct

_GONE = (FileNotFoundError, NotADirectoryError)
_NAMED_LINKS = 5


class Found(Struct, frozen=True):
    """A regular file.

    Attributes:
        id: path below the root, with `/`.
        path: where the file is, without links.
        stat: of the file.
    """

    id: str
    path: str
    stat: os.stat_result


class Choice(Protocol):
    """Decides on paths below the root; a folder's ends in `/`."""

    def wants(self, path: str) -> bool:
        """Tell whether the file is read, or the folder entered."""
        ...


class Walk:
    """One pass over the files below a root.

    Attributes:
        closed: path below the root, with `/` at its end, of each folder that could not be listed,
            and why.

    Symbolic links are not followed: what they lead to is read where it lies, or not at all. So
    nothing outside is read, no loop goes on, and no document gets a second name, with perhaps
    other readers. Only the root itself may be one.
    """

    def __init__(self, root: str, choice: Choice, log: logging.Logger) -> None:
        self._root = os.path.realpath(root).rstrip(os.sep) + os.sep
        self._choice = choice
        self._log = log
        self._lost: list[str] = []
        self.closed: dict[str, str] = {}

    def files(self) -> Iterator[Found]:
        """Yield the wanted files; warn of wanted links to what is not read.

        Raises:
            OSError: the root cannot be listed.
        """
        waiting = [(self._root, "")]
        while waiting:
            folder, prefix = waiting.pop()
            try:
                yield from self._listed(folder, prefix, waiting)
            except OSError as error:
                if not prefix:
                    raise
                if not isinstance(error, _GONE):
                    self.closed[prefix] = error.strerror or str(error)
        self._warn_of_lost()

    def _listed(self, folder: str, prefix: str, waiting: list[tuple[str, str]]) -> Iterator[Found]:
        """Yield the wanted files of one folder; add its wanted folders to `waiting`."""
        for entry in self._entries(folder, prefix):
            id_ = prefix + entry.name
            if entry.is_symlink():
                if self._is_lost(id_, os.path.realpath(entry.path)):
                    self._lost.append(id_)
            elif entry.is_dir(follow_symlinks=False):
                if self._choice.wants(f"{id_}/"):
                    waiting.append((entry.path, f"{id_}/"))
            elif self._choice.wants(id_):
                yield from _file(id_, entry.path)

    def _entries(self, folder: str, prefix: str) -> list[os.DirEntry[str]]:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        return [entry for entry in entries if self._is_named(entry.name, prefix)]

    def _is_named(self, name: str, prefix: str) -> bool:
        try:
            name.encode()
        except UnicodeEncodeError:
            self._log.warning("file left out: its name is not UTF-8: %a", prefix + name)
            return False
        return True

    def _is_lost(self, id_: str, target: str) -> bool:
        """Tell whether a link is wanted, and what it leads to is not read where it lies."""
        path = Path(target)
        ending = "/" if path.is_dir() else ""
        if not path.exists() or not self._choice.wants(id_ + ending):
            return False
        if not target.startswith(self._root):
            return target + os.sep != self._root
        below = target.removeprefix(self._root).replace(os.sep, "/")
        return not self._choice.wants(below + ending)

    def _warn_of_lost(self) -> None:
        lost = self._lost
        if lost:
            named = ", ".join(lost[:_NAMED_LINKS])
            more = f" and {len(lost) - _NAMED_LINKS} more" if len(lost) > _NAMED_LINKS else ""
            self._log.warning(
                "links are not followed, and what these lead to is not read where it lies: %s%s",
                named,
                more,
            )


def _file(id_: str, path: str) -> Iterator[Found]:
    try:
        found = os.lstat(path)
    except _GONE:
        return
    if stat.S_ISREG(found.st_mode):
        yield Found(id_, path, found)
