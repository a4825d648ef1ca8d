"""One writer at a time: a lock on a file that says who holds it."""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from citewell import IndexLocked

_START_FORMAT = "%Y-%m-%d %H:%M:%S"
STARTED = datetime.now().astimezone()


class WriterLock:
    """The right to write an index; the system takes it back when the process dies."""

    def __init__(self, folder: Path, *, name: str) -> None:
        """Get the lock.

        Args:
            folder: of the index.
            name: of the index, for messages.

        Raises:
            IndexLocked: another writer has it.
        """
        self._lock = FileLock(folder / "writer.lock", thread_local=False)
        self._holder = folder / "writer.json"
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise IndexLocked(
                f'index of retriever "{name}" is being written by {self._described()}; '
                "wait until it ends, or stop it"
            ) from error
        self._holder.write_text(json.dumps(_holder()), encoding="utf-8")

    def release(self) -> None:
        """Give the lock back."""
        self._holder.unlink(missing_ok=True)
        self._lock.release()

    def _described(self) -> str:
        try:
            holder = json.loads(self._holder.read_text(encoding="utf-8"))
            process, command, since = holder["pid"], holder["command"], holder["since"]
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"
        return f'process {process} ("{command}", since {since})'


def _holder() -> dict[str, object]:
    return {"pid": os.getpid(), "command": _command(), "since": f"{STARTED:{_START_FORMAT}}"}


def _command() -> str:
    """Return program and subcommand; the other arguments may be somebody's question."""
    program, *arguments = sys.argv or ["python"]
    subcommand = arguments[:1] if arguments and arguments[0].isidentifier() else []
    return " ".join((Path(program).name, *subcommand))
