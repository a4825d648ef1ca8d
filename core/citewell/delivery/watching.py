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
from citewell.types.chat import Asked

log = logging.getLogger(__name__)

_LOOK_S = 1.0
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 300.0
# What worked for so long and breaks down then has not been broken all the time.
_SOUND_S = 300.0
# Slack sends again for five minutes what was not acknowledged, and then never more.
_OVERLAP_S = 600.0
_MOST_CHANGED = 200
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

    async def serve(self, host: Host) -> None:
        """Let the adapter serve until cancelled, and again after each break-down.

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
                if _is_final(error):
                    raise
                log.exception("%s: the adapter broke down", self._name)
            if time.monotonic() - began > _SOUND_S:
                pause = _Pause()
            pause_s = pause.next_s()
            log.warning("%s: begun again in %.0f s", self._name, pause_s)
            await asyncio.sleep(pause_s)

    async def catch_up(self) -> None:
        """Take in what happened while nobody was connected: before the start, and after a cut."""
        pause, started = _Pause(), time.time()
        since: float | None = None
        is_caught_up = False
        while True:
            wait_s = _LOOK_S
            try:
                if since is None:
                    since = await self._last_heard(started)
                if not self._adapter.is_connected:
                    is_caught_up = False
                elif is_caught_up:
                    since = time.time() - _OVERLAP_S
                else:
                    now = time.time()
                    await self._take_in(since)
                    since, is_caught_up, pause = now - _OVERLAP_S, True, _Pause()
            except CitewellError as error:
                wait_s = pause.next_s()
                log.warning("%s: what was missed cannot be read: %s", self._name, error)
            except Exception:
                wait_s = pause.next_s()
                log.exception("%s: what was missed cannot be read", self._name)
            await asyncio.sleep(wait_s)

    async def _last_heard(self, started: float) -> float:
        """Return since when something may be missed; what was said before all is nobody's."""
        last = await blocking.call(self._inbox.last_received, self._name)
        return started if last is None else last - _OVERLAP_S

    async def _take_in(self, since: float) -> None:
        async for event in self._adapter.missed(since):
            await self._desk.accept(event)
        find = partial(self._inbox.questions_since, self._name, since, limit=_MOST_CHANGED)
        for asked in await blocking.call(find):
            await self._take_in_change(asked)

    async def _take_in_change(self, asked: Asked) -> None:
        try:
            change = await self._adapter.changed(asked)
        except DeliveryError as error:
            if error.passes:
                raise
            log.warning("%s: what became of question %s: %s", self._name, asked.key, error)
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


def _is_final(error: BaseException) -> bool:
    """Tell whether something will be as it is until somebody mends it."""
    if isinstance(error, BaseExceptionGroup):
        return any(_is_final(one) for one in error.exceptions)
    return isinstance(error, CitewellError) and not isinstance(error, _PASSING)
