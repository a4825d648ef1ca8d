"""Keeps one chat service served: begun again when it breaks down, and nothing in between missed."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from functools import partial

from citewell import blocking
from citewell.chatting import Adapter, Host
from citewell.delivery.desk import Desk
from citewell.errors import CitewellError, DeliveryError, JournalError, ModelError, StoreError
from citewell.journal.hearing import Hearing
from citewell.types.chat import Asked, Venue

log = logging.getLogger(__name__)

_LOOK_S = 1.0
_GLANCE_S = 0.1
_NOTE_S = 30.0
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 300.0
# What worked for so long and breaks down then has not been broken all the time.
_SOUND_S = 300.0
# Slack sends again for five minutes what was not acknowledged, and then never more.
_OVERLAP_S = 600.0
_MOST_CHANGED = 1000
_CHANGED_S = 86_400.0
# Further ones are looked at one by one: services count calls, and Slack grants 50 in a minute.
_AT_ONCE = 20
_CALM_S = 1.5
# Everything else that Citewell itself raises is for people to mend.
_PASSING = (DeliveryError, JournalError, ModelError, StoreError)


class Watching:
    """Watches over one adapter.

    Args:
        name: of its section.
        adapter: that speaks to the service.
        desk: takes in what was missed.
        hearing: knows up to when everything came in.
    """

    def __init__(self, name: str, adapter: Adapter, desk: Desk, hearing: Hearing) -> None:
        self._name = name
        self._adapter = adapter
        self._desk = desk
        self._hearing = hearing
        self._was_connected = False
        self._started = time.time()
        self._cut_at = -math.inf
        self._is_caught_up = False
        self._since: float | None = None
        self._unsure_since: float | None = None
        self._noting = asyncio.Lock()
        self._looks: dict[tuple[Venue, str], float] = {}
        self._tries: dict[tuple[Venue, str], float] = {}

    async def serve(self, host: Host) -> str:
        """Let the adapter serve until cancelled, and again after each break-down.

        Returns:
            Why the service, which was connected, takes the bot no more; others go on.

        Raises:
            AdapterError: the service cannot be connected to.
        """
        pause = _Pause()
        while True:
            began = time.monotonic()
            try:
                await self._adapter.serve(host)
                log.error("%s: the adapter ended by itself", self._name)
            except _PASSING as error:
                log.warning("%s: %s", self._name, error)
            except Exception as error:
                if final := _final(error):
                    if not self._was_connected:
                        raise final from (None if final is error else error)
                    log.error("%s: %s", self._name, final)  # noqa: TRY400 - a traceback says no more
                    return str(final)
                log.exception("%s: the adapter broke down", self._name)
            # It may be begun again before anybody has noticed.
            self._note_cut()
            if time.monotonic() - began > _SOUND_S:
                pause = _Pause()
            pause_s = pause.next_s()
            log.warning("%s: begun again in %.0f s", self._name, pause_s)
            await asyncio.sleep(pause_s)

    async def catch_up(self) -> None:
        """Take in what happened while nobody was connected: before the start, and after a cut."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._notice_cuts())
            group.create_task(self._repeat(self._keep_caught_up, "what was missed"))
            group.create_task(self._repeat(self._look_for_changes, "what became of questions"))

    async def _notice_cuts(self) -> None:
        """Notice each cut, also while what another one cost is taken in."""
        while True:
            if self._adapter.is_connected:
                self._was_connected = True
            else:
                self._note_cut()
            await asyncio.sleep(_GLANCE_S)

    def _note_cut(self) -> None:
        self._is_caught_up, self._cut_at = False, time.monotonic()

    async def _repeat(self, step: Callable[[], Awaitable[None]], what: str) -> None:
        pause = _Pause()
        while True:
            wait_s = _LOOK_S
            try:
                await step()
                pause = _Pause()
            except CitewellError as error:
                wait_s = pause.next_s()
                log.warning("%s: %s cannot be read: %s", self._name, what, error)
            except Exception:
                wait_s = pause.next_s()
                log.exception("%s: %s cannot be read", self._name, what)
            await asyncio.sleep(wait_s)

    async def _keep_caught_up(self) -> None:
        """Take in what was missed, if anything; keep now and then that nothing is missed."""
        now, cut_at = time.time(), self._cut_at
        if self._since is None:
            self._since = await self._last_heard()
        if self._is_caught_up:
            if now - _OVERLAP_S - self._since >= _NOTE_S:
                await self._note_heard(now)
        elif self._adapter.is_connected:
            async for event in self._adapter.missed(self._since):
                await self._desk.accept(event)
            if self._cut_at == cut_at:
                self._is_caught_up = True
                if self._unsure_since is None:
                    self._unsure_since = self._since
                await self._note_heard(now)

    async def _last_heard(self) -> float:
        """Return since when something may be missed; what was said before all is nobody's."""
        last = await blocking.call(self._hearing.until, self._name)
        self._unsure_since = await blocking.call(self._hearing.unsure_since, self._name)
        return self._started if last is None else last - _OVERLAP_S

    async def _note_heard(self, until: float) -> None:
        """Keep it, and what was not looked at yet: who is killed goes on with that."""
        async with self._noting:
            note = partial(self._hearing.note, unsure_since=self._unsure_since)
            await blocking.call(note, self._name, until)
        self._since = until - _OVERLAP_S

    async def _look_for_changes(self) -> None:
        """Look at questions of before, which may have been changed or taken back in a cut.

        They take long where they are many. So nothing waits for them, and after a further cut
        those come first that nobody has looked at for the longest.
        """
        if self._unsure_since is None or not self._is_caught_up:
            return
        cut_at, before = self._cut_at, self._unsure_since - _CHANGED_S
        find = partial(self._hearing.questions_since, self._name, before, limit=_MOST_CHANGED)
        found = {(asked.venue, asked.key): asked for asked in await blocking.call(find)}
        self._looks = {one: self._looks.get(one, -math.inf) for one in found}
        self._tries = {one: self._tries.get(one, -math.inf) for one in found}
        due = [one for one in found if self._looks[one] <= cut_at]
        # One that fails each time holds up no other.
        due.sort(key=self._tries.__getitem__)
        for number, one in enumerate(due, len(found) - len(due)):
            if number >= _AT_ONCE:
                await asyncio.sleep(_CALM_S)
            if self._cut_at != cut_at:
                return
            began = self._tries[one] = time.monotonic()
            await self._take_in_change(found[one])
            self._looks[one] = began
        if self._cut_at == cut_at and self._since is not None:
            self._unsure_since = None
            await self._note_heard(self._since + _OVERLAP_S)

    async def _take_in_change(self, asked: Asked) -> None:
        try:
            change = await self._adapter.changed(asked)
        except DeliveryError as error:
            if error.passes:
                raise
            log.warning("%s: what became of question %s: %s", self._name, asked.key, error)
            return
        except CitewellError:
            raise
        except Exception:
            # One that the adapter cannot read must not hide all others.
            log.exception("%s: what became of question %s", self._name, asked.key)
            return
        if change is not None:
            await self._desk.accept(change)


class _Pause:
    """Seconds between one try and the next: twice as many after each, to five minutes."""

    def __init__(self) -> None:
        self._next_s = _FIRST_PAUSE_S

    def next_s(self) -> float:
        """Return how long to wait now."""
        now_s, self._next_s = self._next_s, min(self._next_s * 2.0, _LONGEST_PAUSE_S)
        return now_s


def _final(error: BaseException) -> CitewellError | None:
    """Return what will be as it is until somebody mends it, of an error; None if it may pass."""
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(_final, error.exceptions)), None)
    if isinstance(error, CitewellError) and not isinstance(error, _PASSING):
        return error
    return None
