"""A folder of copies that lives as long as the process that made it."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "copies-"


class Copies:
    """Hands out a fresh folder, and removes those of processes that were killed."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._folder: Path | None = None
        self._lock: FileLock | None = None

    def fresh(self) -> Path:
        """Return an empty folder; the one before is gone."""
        self.close()
        for left_over in self._data_dir.glob(f"{_PREFIX}*.lock"):
            _remove_unused(left_over.with_suffix(""))
        folder = Path(tempfile.mkdtemp(dir=self._data_dir, prefix=_PREFIX))
        self._folder, self._lock = folder, _lock(folder)
        self._lock.acquire()
        return folder

    def close(self) -> None:
        """Remove the folder."""
        if self._folder is not None and self._lock is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._lock.release()
            _lock_path(self._folder).unlink(missing_ok=True)
        self._folder = self._lock = None


def _remove_unused(folder: Path) -> None:
    """Remove a folder unless a living process holds its lock."""
    lock = _lock(folder)
    with suppress(Timeout, OSError), lock.acquire(timeout=0):
        shutil.rmtree(folder, ignore_errors=True)
        _lock_path(folder).unlink(missing_ok=True)


def _lock(folder: Path) -> FileLock:
    # The threads that make and remove a folder differ.
    return FileLock(_lock_path(folder), thread_local=False)


def _lock_path(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")
