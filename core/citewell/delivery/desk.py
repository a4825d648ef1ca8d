"""Works off what came in from chat services: each question gets exactly one visible outcome."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from citewell import blocking
from citewell.chatting import Adapter
from citewell.delivery.answering import Answering, Course
from citewell.delivery.holding import Holding, Interrupted, happens
from citewell.delivery.manner import Manner
from citewell.delivery.shown import LeaseLost
from citewell.errors import DeliveryError, JournalError
from citewell.journal.inbox import Accepted, Hold, Inbox, Task
from citewell.types.chat import Asked, Deleted, Edited, Event, Stopped

log = logging.getLogger(__name__)

__all__ = ["Desk", "Manner"]

_NOTICES = 2


class Desk:
    """Takes events in, and has workers answer the questions among them.

    Args:
        inbox: what came in.
        answering: answers one question.
        adapters: by platform; questions of other platforms are left to other processes.
        manner: how it works.

    Attributes:
        given_up: how many questions got no outcome that anybody could see.
    """

    def __init__(
        self,
        *,
        inbox: Inbox,
        answering: Answering,
        adapters: Mapping[str, Adapter],
        manner: Manner | None = None,
    ) -> None:
        self.given_up = 0
        self._inbox = inbox
        self._answering = answering
        self._adapters = adapters
        self._manner = manner or Manner()
        self._owner = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._closing = asyncio.Event()
        self._workers: list[asyncio.Task[None]] = []
        self._held: set[Holding] = set()
        # A ring wakes one worker, which rings again when it has found something to do.
        self._bells = {kind: asyncio.Queue[None](maxsize=1) for kind in (False, True)}

    async def accept(self, event: Event) -> bool:
        """Keep an event; durable on return. False for a repetition.

        Raises:
            JournalError: it could not be kept.
        """
        accepted = await blocking.call(self._inbox.accept, event)
        if isinstance(event, Edited | Deleted | Stopped):
            for held in self._held:
                if held.concerns(event.venue):
                    held.look()
        if isinstance(event, Asked | Edited | Deleted):
            # What was changed after its answer waits again.
            self._ring()
        return accepted is Accepted.NEW

    async def run(self) -> None:
        """Answer what comes, until closed or cancelled; then what has no outcome is given back."""
        kinds = [False] * self._manner.workers + [True]
        async with asyncio.TaskGroup() as group:
            self._workers = [group.create_task(self._work(turned_away=kind)) for kind in kinds]
            group.create_task(self._poll())

    async def close(self, drain_s: float) -> None:
        """Take no further question, and end `run`.

        Args:
            drain_s: seconds for what is being answered; the rest is given back.
        """
        self._closing.set()
        self._ring()
        workers = self._workers
        if not workers:
            return
        await asyncio.wait(workers, timeout=drain_s)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    # --- a worker -------------------------------------------------------------------------

    async def _work(self, *, turned_away: bool) -> None:
        bell = self._bells[turned_away]
        while not self._closing.is_set():
            task = await self._claimed(turned_away=turned_away)
            if task is not None:
                _ring(bell)
                await self._serve(task)
                # What waited for its turn may be of the other kind.
                _ring(self._bells[not turned_away])
            elif not self._closing.is_set():
                await bell.get()
        _ring(bell)

    async def _poll(self) -> None:
        while not self._closing.is_set():
            await happens(self._closing, within_s=self._manner.poll_s)
            self._ring()

    def _ring(self) -> None:
        for bell in self._bells.values():
            _ring(bell)

    async def _claimed(self, *, turned_away: bool) -> Task | None:
        claimed: list[Task] = []

        def claim() -> None:
            task = self._inbox.claim(
                self._owner,
                lease_s=self._manner.lease_s,
                platforms=tuple(self._adapters),
                turned_away=turned_away,
            )
            if task is not None:
                claimed.append(task)

        try:
            await blocking.call_to_end(claim)
        except asyncio.CancelledError:
            for task in claimed:
                await self._release(task, forgive=True)
            raise
        except Exception:
            log.exception("the inbox cannot be read; tried again")
        return claimed[0] if claimed else None

    async def _serve(self, task: Task) -> None:
        """Give a question its outcome, or give it back."""
        holding = Holding(self._inbox, task, self._owner, lease_s=self._manner.lease_s)
        adapter = self._adapters[task.asked.venue.platform]
        self._held.add(holding)
        try:
            async with (
                holding.renewed(),
                self._answering.course(task, adapter, holding.is_held) as course,
            ):
                pause_s = await self._attempt(task, course, holding)
            if pause_s is None:
                await self._finish(task)
            else:
                # Nobody can be told, which is no fault of the question's: it has all its tries.
                forgive = task.attempts >= self._manner.attempts
                await self._release(task, after_s=pause_s, forgive=forgive)
        except LeaseLost:
            log.info("question %d is in other hands", task.seq)
        except asyncio.CancelledError:
            await self._release(task, forgive=True)
            raise
        except Exception:
            # Only what is left when everything else was tried: its lease runs out.
            log.exception("question %d", task.seq)
        finally:
            self._held.discard(holding)

    async def _attempt(self, task: Task, course: Course, holding: Holding) -> float | None:
        """Return None when a question has its outcome, else seconds until the next attempt.

        Raises:
            LeaseLost: the question is in other hands.
        """
        is_last, pause_s = task.attempts >= self._manner.attempts, 0.0
        error: Exception | None = None
        try:
            # The process may have been killed each time.
            if task.attempts <= self._manner.attempts:
                await self._answer(course, holding)
                return None
        except LeaseLost:
            raise
        except DeliveryError as refusal:
            log.warning("question %d, try %d: %s", task.seq, task.attempts, refusal)
            is_last = is_last or not refusal.passes
            pause_s, error = refusal.retry_after_s, refusal
        except Exception as unexpected:
            log.exception("question %d, try %d", task.seq, task.attempts)
            error = unexpected
        if is_last and await self._fail(task, course, holding, error):
            return None
        return max(self._manner.pause_s(task.attempts), pause_s)

    async def _answer(self, course: Course, holding: Holding) -> None:
        """Answer a question, or show that it was stopped; what was changed is left as it is."""
        await _to_the_end(course.open(), holding)
        try:
            await holding.during(course.grow(within_s=self._manner.answer_s))
        except Interrupted as interrupted:
            if interrupted.became is Hold.LOST:
                raise LeaseLost from None
            if interrupted.became is Hold.CHANGED:
                return
            course.stop()
        await _to_the_end(course.conclude(), holding)

    async def _fail(
        self, task: Task, course: Course, holding: Holding, error: Exception | None
    ) -> bool:
        """Show that there will be no answer; False where that may be possible later.

        Args:
            task: the question.
            course: its way.
            holding: its lease.
            error: why it has no outcome.
        """
        why = "nobody can be told"
        if task.is_withdrawn:
            why = "its answer cannot be taken back"
        elif task.attempts > self._manner.attempts + _NOTICES:
            why, error = "the process ends whenever it says so", None
        else:
            try:
                await _to_the_end(course.fail(f"{type(error).__name__}: {error}"), holding)
            except LeaseLost:
                raise
            except Exception as further:  # noqa: BLE001 - logged below, and nothing is left to try
                error = further
            else:
                return True
        if _passes(error) and time.time() - task.due_since < self._manner.reach_s:
            log.warning("question %d waits, for %s now: %s", task.seq, why, error)
            return False
        log.error("question %d is given up: %s: %s", task.seq, why, error)
        self.given_up += 1
        return True

    async def _finish(self, task: Task) -> None:
        try:
            await blocking.call_to_end(partial(self._inbox.finish, task, self._owner))
        except Exception:
            log.exception("question %d has its outcome, but that cannot be kept yet", task.seq)

    async def _release(self, task: Task, *, after_s: float = 0.0, forgive: bool = False) -> None:
        release = partial(self._inbox.release, task, self._owner, after_s=after_s, forgive=forgive)
        try:
            await blocking.call_to_end(release)
        except Exception:
            log.exception("question %d cannot be given back; its lease runs out", task.seq)


async def _to_the_end(work: Coroutine[Any, Any, None], holding: Holding) -> None:
    try:
        await holding.during(work, to_the_end=True)
    except Interrupted:
        raise LeaseLost from None


def _passes(error: Exception | None) -> bool:
    """Tell whether something cannot be done only now: there is no service, or no journal."""
    return isinstance(error, JournalError) or (isinstance(error, DeliveryError) and error.passes)


def _ring(bell: asyncio.Queue[None]) -> None:
    with suppress(asyncio.QueueFull):
        bell.put_nowait(None)
