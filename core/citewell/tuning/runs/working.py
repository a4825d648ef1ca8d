"""A run while a process works on it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from msgspec.structs import replace

from citewell import blocking
from citewell.errors import CitewellError
from citewell.redaction import redact
from citewell.tuning.data.inspecting import Told
from citewell.tuning.runs.events import append
from citewell.tuning.runs.happenings import Doing, Entered, Happening, Opened, State
from citewell.tuning.runs.holding import Hold
from citewell.tuning.runs.record import Record, load_record, save_record
from citewell.tuning.runs.store import Run, now

T = TypeVar("T")

LOOK_S = 0.3
"""How often it is looked whether the end of a run is asked for."""


class RunCancelled(CitewellError):
    """Somebody asked for the end of the run."""


class _Stopped(Exception):
    """Nobody waits any more for what a thread does."""


class Work:
    """A run that this process holds.

    Args:
        run: that nobody else holds.
        told: is given all that happens, also from threads.

    Raises:
        CitewellError: another process holds it.
    """

    def __init__(self, run: Run, told: Callable[[Happening], None]) -> None:
        self.run = run
        self._hold = Hold(run.folder)
        self._told = told
        # What was asked for of the process before.
        run.cancel_file.unlink(missing_ok=True)
        self.record = load_record(run.record_file)
        self._was_done = self.record.state is State.DONE
        self.tell(Opened(process=os.getpid()))

    def close(self) -> None:
        """Let others have the run."""
        self._hold.release()

    @property
    def is_cancelled(self) -> bool:
        """Whether somebody asked for the end of the run."""
        return self.run.cancel_file.exists()

    @property
    def command(self) -> str:
        """What goes on with it, where it does not come to its end."""
        words = "export" if self._was_done else "run --resume"
        return f"citewell tune {words} {self.run.id}"

    @property
    def lasting(self) -> Record:
        """What is to be kept: where a run was done, what failed is only that it was made anew."""
        if self._was_done and not self.record.state.is_active:
            return replace(self.record, state=State.DONE, reason="")
        return self.record

    def put_back(self) -> None:
        """Let a run that was done be so again."""
        if self._was_done and self.record.state is not State.DONE:
            append(self.run.events_file, Entered(state=State.DONE))
            self.keep(state=State.DONE, reason="", changed=now())

    def tell(self, what: Happening) -> None:
        """Keep what happens, and tell it."""
        if not isinstance(what, Doing):
            append(self.run.events_file, what)
        self._told(what)

    def keep(self, **changes: Any) -> None:
        """Change what is kept of the run."""
        self.record = replace(self.record, **changes)
        save_record(self.run.record_file, self.record)

    def enter(self, state: State, reason: str = "") -> None:
        """Let the run be in another state."""
        reason = redact(reason)
        self.keep(state=state, changed=now(), reason=reason)
        self.tell(Entered(state=state, reason=reason))

    async def unless_cancelled(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work`, and stop it where the end of the run is asked for.

        Raises:
            RunCancelled: that was so.
        """
        task = asyncio.create_task(work)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=LOOK_S)
                if self.is_cancelled and not task.done():
                    raise RunCancelled
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def in_thread(self, function: Callable[[Told], T]) -> T:
        """Do blocking work; where that is cancelled, it ends at the next thing that it tells.

        It has ended when this returns, however it does: nothing changes a run that others may have.
        """
        stopped = threading.Event()

        def told(said: str, done: int, total: int) -> None:
            if stopped.is_set():
                raise _Stopped
            self.tell(Doing(said=said, done=done, total=total))

        calling = asyncio.ensure_future(blocking.call(function, told))
        try:
            return await asyncio.shield(calling)
        except asyncio.CancelledError:
            stopped.set()
            await asyncio.gather(calling, return_exceptions=True)
            raise


@asynccontextmanager
async def closing(iterator: AsyncIterator[T]) -> AsyncGenerator[AsyncIterator[T], None]:
    """Yield an iterator of a plugin; on leaving, close it where it can be."""
    try:
        yield iterator
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            await close()
