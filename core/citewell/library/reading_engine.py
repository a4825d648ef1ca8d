"""Files read on the workers of an engine, mostly on other machines."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import deque
from collections.abc import Sequence

from citewell import blocking
from citewell.errors import EngineError, WorkerLost
from citewell.library.reading_crew import Crew, Job
from citewell.library.reading_task import Sent, Task, decode_replies, release
from citewell.library.reading_wire import ABSENT, REFUSED, BrokenReply, Reply, Request
from citewell.library.reading_worker import read_batch
from citewell.protocols import Engine

_log = logging.getLogger(__name__)


class EngineHand:
    """Has batches read by the workers of an engine.

    Args:
        engine: open.
        home: reads here what no worker lives to read.
    """

    def __init__(self, engine: Engine, *, home: Crew) -> None:
        self._engine = engine
        self._home = home

    async def read(self, batch: deque[Job]) -> None:
        """Read the files of `batch`.

        Raises:
            EngineError: the workers cannot be had, or are not fit to read anything.
        """
        jobs = tuple(batch)
        replies = await self._replies(jobs, ships=not self._engine.shares_files)
        absent = [job for job, reply in zip(jobs, replies, strict=True) if reply.status & ABSENT]
        again = dict(zip(absent, await self._replies(absent, ships=True), strict=True))
        for job, reply in zip(jobs, replies, strict=True):
            job.finish(again.get(job, reply))
        batch.clear()

    async def close(self) -> None:
        """Do nothing: whoever opened the engine closes it."""

    async def _replies(self, jobs: Sequence[Job], *, ships: bool) -> Sequence[Reply]:
        if not jobs:
            return ()
        files = await blocking.call(_prepared, [job.request for job in jobs], ships=ships)
        sent = [file for file in files if isinstance(file, Sent)]
        task = Task(release=release(), files=tuple(sent))
        try:
            frames = await self._engine.call(read_batch, task.encode()) if sent else b""
            read = iter(decode_replies(frames, count=len(sent)))
        except WorkerLost as error:
            _log.warning("%s; its %d documents are read here", error, len(jobs))
            return await asyncio.gather(
                *(self._home.answer(job.request, size=job.size) for job in jobs)
            )
        except BrokenReply as error:
            raise EngineError(f"a worker answered what cannot be understood: {error}") from error
        return [next(read) if isinstance(file, Sent) else file for file in files]


def _prepared(requests: Sequence[Request], *, ships: bool) -> list[Sent | Reply]:
    """Return what to send of each file; of one that cannot be opened, why there is no document."""
    return [_file(request, ships=ships) for request in requests]


def _file(request: Request, *, ships: bool) -> Sent | Reply:
    try:
        with open(request.path, "rb") as file:  # noqa: PTH123 - a path may hold half a surrogate pair
            state = os.fstat(file.fileno())
            content = file.read(state.st_size + 1) if ships else None
    except OSError as error:
        return _refusal(f"cannot be opened: {error.strerror}")
    if content is not None and len(content) != state.st_size:
        return _refusal("was changed while it was read; the next sync reads it")
    return Sent(request=request, content=content, size=state.st_size, mtime_ns=state.st_mtime_ns)


def _refusal(reason: str) -> Reply:
    return Reply(REFUSED, reason.encode("utf-8", "replace"), b"")
