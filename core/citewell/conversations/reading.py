"""A channel of a chat service, read on from where the last sync left it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Final, TypeVar

from msgspec.structs import replace

from citewell.conversations.messages import Busy, Talk
from citewell.conversations.record import Record, State
from citewell.conversations.settings import HistoryConfig

T = TypeVar("T")

_DAY_S: Final = 86400
_PAGES_AGAIN: Final = 10
# Of recent ones, and of others.
_THREADS_AGAIN: Final = (30, 10)
_APART_S: Final = 60
_MOST_GAPS: Final = 50


class OutOfTime(Exception):
    """The rest is for the next sync."""

    def __init__(self, why: str = "") -> None:
        super().__init__(why)


class Clock:
    """How long a sync may still take."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    async def asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask a service; wait where it wants that, if there is time.

        Raises:
            SourceError: it cannot be asked.
            OutOfTime: there is no more time.
        """
        while True:
            left = self._end - time.monotonic()
            if left <= 0:
                raise OutOfTime
            try:
                return await ask()
            except Busy as busy:
                left = self._end - time.monotonic()
                if busy.seconds >= left:
                    wait = f"the service wants to be left alone for {busy.seconds:g} s"
                    raise OutOfTime(wait) from busy
                await asyncio.sleep(busy.seconds)


class Reading:
    """One channel, read on.

    Args:
        talk: the channel.
        record: what is known of it.
        config: the settings.
        clock: how long it may take.
    """

    def __init__(self, talk: Talk, record: Record, config: HistoryConfig, clock: Clock) -> None:
        self._talk = talk
        self._record = record
        self._clock = clock
        self._now = time.time()
        self._recent_at = max(self._now - config.recent_days * _DAY_S, 0.0)
        midnight = (self._now - config.days * _DAY_S) // _DAY_S * _DAY_S
        self._since = talk.id_at(max(midnight, 0.0))
        self._recent = max(self._since, talk.id_at(self._recent_at))
        # The clock of the service may be ahead.
        self._top = talk.id_at(self._now + _DAY_S)
        self._is_sweeping = False

    async def run(self) -> None:
        """Read what is new, and some of what is old again.

        Raises:
            SourceError: the channel cannot be read.
            OutOfTime: the next sync must go on.
        """
        talk, ask = self._talk, self._clock.asked
        state = self._state
        name, uri = await ask(talk.name), await ask(talk.uri)
        self._keep(replace(state, name=name, uri=uri, turn=state.turn + 1))
        self._record.prune(talk.id, self._since)
        # Where there is never time for all, threads come first every other time.
        if state.turn % 2:
            await self._read_changed()
        await self._read_recent()
        while not self._state.is_whole:
            await self._read_older()
        await self._read_changed()
        self._keep(replace(self._state, is_read=True))
        await self._read_again()

    async def _read_again(self) -> None:
        """Read some of what did not change; it can wait."""
        threads_first = self._state.turn % 2 == 0
        ways = [self._read_pages_again, self._read_threads_again]
        is_done = False
        with suppress(OutOfTime):
            for way in reversed(ways) if threads_first else ways:
                await way()
            is_done = True
        # Where what is recent takes a whole sync, all else has the next one for itself.
        if is_done or not self._is_sweeping:
            self._keep(replace(self._state, is_through=True))

    @property
    def _state(self) -> State:
        return self._record.state(self._talk.id)

    def _keep(self, state: State) -> None:
        self._record.keep(self._talk.id, state)

    async def _read_recent(self) -> None:
        """Read what is new, and what is recent again if all else had its turn since.

        What there was no time for is a gap, where the next sync goes on.
        """
        state = self._state
        gaps = [*state.stretches]
        if not gaps and state.is_through:
            # What was written since the last time, however long ago that was, is read as well.
            newest = state.newest or self._recent
            gaps = [(min(self._recent, newest), self._top)]
            state = replace(state, is_through=False)
            self._is_sweeping = looks = True
        else:
            self._is_sweeping = bool(gaps)
            # Where one call a sync is all there is, what is new must not take each.
            looks = state.turn % 4 != 3
            if looks:
                gaps.insert(0, (state.seen or self._recent, self._top))
        if len(gaps) > _MOST_GAPS:
            gaps[-2:] = [(gaps[-1][0], gaps[-2][1])]
        # Its clock and ours differ by less.
        seen = self._talk.id_at(self._now - _APART_S) if looks else state.seen
        self._keep(replace(state, seen=seen, gaps=_written(gaps)))
        while gaps:
            since, before = gaps.pop(0)
            begins = await self._page(max(since, self._since), before)
            if begins is not None:
                gaps.insert(0, (since, begins))
            self._keep(replace(self._state, gaps=_written(gaps)))
        newest = self._talk.id_at(self._now) if looks else max(state.newest, seen)
        self._keep(replace(self._state, newest=newest))

    async def _read_older(self) -> bool:
        """Read a page of what is older, in rounds; tell whether the round goes on."""
        state = self._state
        before = await self._page(self._since, state.swept or self._recent)
        is_whole = state.is_whole or before is None
        self._keep(replace(state, swept=before or "", is_whole=is_whole))
        return before is not None

    async def _read_pages_again(self) -> None:
        for _ in range(_PAGES_AGAIN):
            if not await self._read_older():
                return

    async def _page(self, since: str, before: str) -> str | None:
        """Read a page; return before which the next one ends, or None after the last one."""
        if since >= before:
            return None
        page = await self._clock.asked(lambda: self._talk.page(since=since, before=before))
        self._record.put(self._talk.id, page, since=since, before=before)
        return page.begins if since < page.begins < before else None

    async def _read_changed(self) -> None:
        """Read the threads that changed."""
        talk, record = self._talk, self._record
        listed = await self._clock.asked(lambda: talk.threads(since=self._since))
        if listed is not None:
            record.list_threads(talk.id, listed)
        for id_ in record.changed_threads(talk.id):
            await self._read_thread(id_)

    async def _read_threads_again(self) -> None:
        """Read some of those that did not change, recent ones first."""
        found = self._record.old_threads(
            self._talk.id, before=self._now, recent=self._recent_at, most=_THREADS_AGAIN
        )
        for id_ in found:
            await self._read_thread(id_)

    async def _read_thread(self, id_: str) -> None:
        thread = await self._clock.asked(lambda: self._talk.thread(id_))
        self._record.put_thread(self._talk.id, id_, thread, looked_at=time.time())


def _written(gaps: Iterable[tuple[str, str]]) -> str:
    return " ".join(f"{since}-{before}" for since, before in gaps)
