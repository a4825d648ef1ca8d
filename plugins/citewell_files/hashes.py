"""Hashes of files, remembered as long as the file system says that nothing changed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import time
from pathlib import Path
from typing import BinaryIO, TypeAlias

Stamp: TypeAlias = tuple[int, int, int, int]

WHOLE_BYTES = 256 * 2**20
"""Up to this size a file is hashed whole; beyond it, by its size, time, beginning and end."""

_EDGE_BYTES = 2**20
# Source: Git, Documentation/technical/racy-git.txt. A file written within the granularity of the
# file system's clock (2 s on FAT) after it was hashed may keep its stamp.
_RACY_NS = 2_000_000_000


class Hashes:
    """Content hashes by name, kept in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = _load(path)
        self._new: dict[str, tuple[Stamp, str]] = {}
        self._is_changed = False

    def of(self, name: str, path: str, found: os.stat_result) -> str:
        """Return the hash of the file at `path`, which is kept as `name`.

        Args:
            name: stays the same from sync to sync.
            path: not a symbolic link.
            found: its stat, as the listing of the folder gave it.

        Raises:
            OSError: it cannot be read, or is no longer a regular file.
        """
        stamp = _stamp(found)
        known = self._known.get(name)
        if known is not None and known[0] == stamp:
            self._new[name] = known
            return known[1]
        self._is_changed = True
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - a descriptor, not a path
            before = os.fstat(file.fileno())
            if not stat.S_ISREG(before.st_mode):
                raise OSError("not a regular file")
            now = time.time_ns()
            if before.st_size <= WHOLE_BYTES:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            else:
                digest = _sampled(file, before)
            after = os.fstat(file.fileno())
        if _stamp(before) == _stamp(after) and now - max(stamp[1:3]) > _RACY_NS:
            self._new[name] = (_stamp(before), digest)
        return digest

    def save(self) -> None:
        """Keep what was asked for since the last time, and forget the rest."""
        if self._is_changed or len(self._new) != len(self._known):
            part = self._path.with_suffix(f".{os.getpid()}.part")
            part.write_text(json.dumps(self._new), encoding="utf-8")
            part.replace(self._path)
        self._known, self._new, self._is_changed = self._new, {}, False


def _stamp(found: os.stat_result) -> Stamp:
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def _sampled(file: BinaryIO, found: os.stat_result) -> str:
    digest = hashlib.sha256(f"{found.st_size} {found.st_mtime_ns} ".encode())
    digest.update(file.read(_EDGE_BYTES))
    file.seek(-_EDGE_BYTES, os.SEEK_END)
    digest.update(file.read(_EDGE_BYTES))
    return digest.hexdigest()


def _load(path: Path) -> dict[str, tuple[Stamp, str]]:
    # A damaged cache costs only time.
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        read = json.loads(path.read_text(encoding="utf-8"))
        return {
            name: ((int(size), int(mtime), int(ctime), int(inode)), str(digest))
            for name, ((size, mtime, ctime, inode), digest) in read.items()
        }
    return {}
