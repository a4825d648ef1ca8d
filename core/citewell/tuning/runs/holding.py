"""One process at a time: a lock on a run that says who holds it."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from citewell.errors import CitewellError

_PATIENCE_S = 2.0
"""Longer than anybody looks whether the lock is free."""

_LOOK_S = 0.1


class Hold:
    """The right to work on a run; the system takes it back when the process dies.

    Args:
        folder: of the run.

    Raises:
        CitewellError: another process has it, or nobody can.
    """

    def __init__(self, folder: Path) -> None:
        self._lock = FileLock(folder / "run.lock", thread_local=False)
        self._holder = folder / "holder.json"
        try:
            self._lock.acquire(timeout=_PATIENCE_S, poll_interval=0.02)
        except Timeout as error:
            raise CitewellError(
                f"run {folder.name} is held by {described(folder)}; wait until it ends, or run: "
                f"citewell runs cancel {folder.name}"
            ) from error
        except OSError as error:
            raise CitewellError(
                f"{folder / 'run.lock'} cannot be locked: {error.strerror}; check who may write it"
            ) from error
        since = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S")
        self._holder.write_text(json.dumps({"pid": os.getpid(), "since": since}), encoding="utf-8")

    def release(self) -> None:
        """Give the lock back."""
        self._holder.unlink(missing_ok=True)
        self._lock.release()


def is_held(folder: Path) -> bool:
    """Tell whether a process has the lock of a run; where that cannot be told, as if one had."""
    path = folder / "run.lock"
    if not path.exists():
        return False
    lock = FileLock(path, thread_local=False)
    try:
        # Others that look have it too, for an instant.
        lock.acquire(timeout=_LOOK_S, poll_interval=0.01)
    except (Timeout, OSError):
        # Whoever may not write it may still look at the run.
        return True
    lock.release()
    return False


def described(folder: Path) -> str:
    """Say who holds a run."""
    try:
        holder = json.loads((folder / "holder.json").read_text(encoding="utf-8"))
        return f"process {holder['pid']} (since {holder['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
