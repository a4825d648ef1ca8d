"""What a worker of an engine runs: it reads files as a sync at home would.

Each file is read in a process of its own kind, bounded in time and memory, so that a hostile file
costs itself and not the worker.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections import deque
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from citewell.errors import EngineError
from citewell.library.reading_crew import Job
from citewell.library.reading_process import ProcessHand
from citewell.library.reading_task import Sent, Task, encode_replies, release
from citewell.library.reading_wire import ABSENT, Reply


def read_batch(task: bytes) -> bytes:
    """Return what comes of the files in `task`, as `reading_task.encode_replies` has it.

    Raises:
        EngineError: this worker has another Citewell than whoever made the task.
    """
    batch = Task.decode(task)
    if batch.release != release():
        raise EngineError(
            f"a worker has citewell {release()}, the sync has {batch.release}; "
            "install the same on every machine"
        )
    return encode_replies(_BENCH.read(batch))


class _Bench:
    """Keeps a reading process from one task to the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runner: asyncio.Runner | None = None
        self._hand = ProcessHand()

    def read(self, task: Task) -> list[Reply]:
        """Return a reply to each file of `task`."""
        with self._lock:
            if self._runner is None:
                self._runner = asyncio.Runner()
                atexit.register(self._close)
            return self._runner.run(self._read(task))

    async def _read(self, task: Task) -> list[Reply]:
        with TemporaryDirectory(prefix="citewell-") as folder:
            found = [_found(file, Path(folder, str(at))) for at, file in enumerate(task.files)]
            jobs = [Job(request=file.request, size=file.size) for file in found if file]
            await self._hand.read(deque(jobs))
            replies = iter([await job.reply for job in jobs])
        return [next(replies) if file else Reply(ABSENT, b"", b"") for file in found]

    def _close(self) -> None:
        if self._runner is not None:
            self._runner.run(self._hand.close())
            self._runner.close()


_BENCH = _Bench()


def _found(file: Sent, folder: Path) -> Sent | None:
    """Return the file as it is on this machine, or None where it is not."""
    if file.content is None:
        return file if _is_here(file) else None
    folder.mkdir()
    path = folder / PurePath(file.request.path).name
    path.write_bytes(file.content)
    return replace(file, request=replace(file.request, path=os.fspath(path)))


def _is_here(file: Sent) -> bool:
    try:
        state = os.stat(file.request.path)  # noqa: PTH116 - a path may hold half a surrogate pair
    except OSError:
        return False
    return (state.st_size, state.st_mtime_ns) == (file.size, file.mtime_ns)
