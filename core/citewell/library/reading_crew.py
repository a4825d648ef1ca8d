"""Files that wait to be read, and the hands that read them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Protocol, Self

from msgspec import Struct, field

from citewell.errors import CitewellError
from citewell.library.reading_wire import REFUSED, Reply, Request

_INTERRUPTED = "was not read: the reading stopped before"
_BATCH_FILES = 32
_BATCH_BYTES = 512 * 1024


class Job(Struct, kw_only=True, eq=False):
    """A file that somebody waits for.

    Attributes:
        size: of the file, in bytes.
    """

    request: Request
    size: int
    reply: asyncio.Future[Reply] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def finish(self, reply: Reply) -> None:
        """Hand over what came of it."""
        if not self.reply.done():
            self.reply.set_result(reply)

    def refuse(self, reason: str) -> None:
        """Say in a line why there will be no document."""
        self.finish(Reply(REFUSED, reason.encode("utf-8", "replace"), b""))

    def fail(self, error: CitewellError) -> None:
        """Say that nothing can be read, this file or another."""
        if not self.reply.done():
            self.reply.set_exception(error)


class Hand(Protocol):
    """Reads one batch at a time."""

    async def read(self, batch: deque[Job]) -> None:
        """Finish or refuse each file of `batch`, taking it from there.

        Raises:
            CitewellError: nothing can be read, this file or another.
        """
        ...

    async def close(self) -> None:
        """Let go of what it reads with."""
        ...


class Crew(AbstractAsyncContextManager["Crew"]):
    """Hands that share the files which wait.

    Args:
        hands: that read at once.
        make: makes one of them.
    """

    def __init__(self, hands: int, make: Callable[[], Hand]) -> None:
        self.hands = hands
        self._make = make
        self._jobs: asyncio.Queue[Job] = asyncio.Queue()
        self._broken: CitewellError | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self.hands)]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while not self._jobs.empty():
            self._jobs.get_nowait().refuse(_INTERRUPTED)

    async def answer(self, request: Request, *, size: int) -> Reply:
        """Return what comes of a file of `size` bytes. Calls may overlap; let them.

        Raises:
            CitewellError: nothing can be read, this file or another.
        """
        if self._broken is not None:
            raise self._broken
        job = Job(request=request, size=size)
        self._jobs.put_nowait(job)
        return await job.reply

    async def _work(self) -> None:
        """Read batches, one after another, until cancelled."""
        hand = self._make()
        batch: deque[Job] = deque()
        try:
            while True:
                batch = await self._batch()
                await hand.read(batch)
        except CitewellError as error:
            self._break(error, batch)
        finally:
            for job in batch:
                job.refuse(_INTERRUPTED)
            await hand.close()

    def _break(self, error: CitewellError, batch: deque[Job]) -> None:
        """Let everybody who waits know that there is no use in it."""
        self._broken = error
        while batch:
            batch.popleft().fail(error)
        while not self._jobs.empty():
            self._jobs.get_nowait().fail(error)

    async def _batch(self) -> deque[Job]:
        """Take the next file, and small ones that wait behind it."""
        batch = deque([await self._jobs.get()])
        size = batch[0].size
        share = min(self._jobs.qsize() // self.hands, _BATCH_FILES)
        while share and size <= _BATCH_BYTES:
            batch.append(self._jobs.get_nowait())
            size += batch[-1].size
            share -= 1
        return batch
