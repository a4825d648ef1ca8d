"""Keeps one chat service served: begun again when it breaks down, and nothing in between missed."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial

from citewell import blocking
from citewell.chatting import Adapter, Host
from citewell.delivery.desk import Desk
from citewell.errors import CitewellError, DeliveryError, JournalError, ModelError, StoreError
from citewell.journal.inbox import Inbox
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
        inbox: knows what came in.
    """

    def __init__(self, name: str, adapter: Adapter, desk: Desk, inbox: Inbox) -> None:
        self._name = name
        self._adapter = adapter
        self._desk = desk
        self._inbox = inbox
        self._was_connected = False
        self._was_cut = False
        self._is_caught_up = False
        self._looked_at: set[tuple[Venue, str]] = set()

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
            self._is_caught_up, self._was_cut = False, True
            if time.monotonic() - began > _SOUND_S:
                pause = _Pause()
            pause_s = pause.next_s()
            log.warning("%s: begun again in %.0f s", self._name, pause_s)
            await asyncio.sleep(pause_s)

    async def catch_up(self) -> None:
        """Take in what happened while nobody was connected: before the start, and after a cut."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._notice_cuts())
            group.create_task(self._keep_caught_up())

    async def _notice_cuts(self) -> None:
        """Notice each cut, also while what another one cost is taken in."""
        while True:
            if self._adapter.is_connected:
                self._was_connected = True
            else:
                self._is_caught_up, self._was_cut = False, True
            await asyncio.sleep(_GLANCE_S)

    async def _keep_caught_up(self) -> None:
        pause, started = _Pause(), time.time()
        since: float | None = None
        while True:
            wait_s = _LOOK_S
            try:
                if since is None:
                    since = await self._last_heard(started)
                if self._is_caught_up:
                    since = await self._note_heard(since)
                elif self._adapter.is_connected:
                    if self._was_cut:
                        self._looked_at.clear()
                    now, self._was_cut = time.time(), False
                    await self._take_in(since)
                    pause = _Pause()
                    if not self._was_cut:
                        since, self._is_caught_up = now - _OVERLAP_S, True
            except CitewellError as error:
                wait_s = pause.next_s()
                log.warning("%s: what was missed cannot be read: %s", self._name, error)
            except Exception:
                wait_s = pause.next_s()
                log.exception("%s: what was missed cannot be read", self._name)
            await asyncio.sleep(wait_s)

    async def _last_heard(self, started: float) -> float:
        """Return since when something may be missed; what was said before all is nobody's."""
        last = await blocking.call(self._inbox.heard_until, self._name)
        return started if last is None else last - _OVERLAP_S

    async def _note_heard(self, since: float) -> float:
        """Keep now and then that nothing is missed, and return since when something may be."""
        now = time.time()
        if now - _OVERLAP_S - since < _NOTE_S:
            return since
        await blocking.call(self._inbox.note_heard, self._name, now)
        return now - _OVERLAP_S

    async def _take_in(self, since: float) -> None:
        async for event in self._adapter.missed(since):
            await self._desk.accept(event)
        # A question of long before may have been changed, or taken back, just now.
        before = since - _CHANGED_S
        find = partial(self._inbox.questions_since, self._name, before, limit=_MOST_CHANGED)
        for asked in await blocking.call(find):
            if (asked.venue, asked.key) in self._looked_at:
                continue
            if len(self._looked_at) >= _AT_ONCE:
                await asyncio.sleep(_CALM_S)
            if self._was_cut:
                # What was missed since comes first; those that are left are looked at after it.
                return
            await self._take_in_change(asked)
            # What was read before something failed is not read again.
            self._looked_at.add((asked.venue, asked.key))

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
