"""Takes in what the gateway tells, in order in each channel, and knows whether it is connected."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import aiohttp
import discord

from citewell import CitewellError, DeliveryError, JournalError
from citewell.chat import Event, Host, Venue
from citewell_discord.addresses import nonce
from citewell_discord.calls import Calls
from citewell_discord.directs import Directs
from citewell_discord.encoding import said
from citewell_discord.incoming import Reading
from citewell_discord.interacting import Interacting
from citewell_discord.missed import missed
from citewell_discord.places import venue_of

_TRIES: Final = 6
_HINT: Final = "Ask me something about the documents, in a whole sentence."
_NOT_KEPT: Final = "This could not be taken in just now. Please ask again in a minute."
# So that nothing falls between the last event of a connection and the first of the next.
_OVERLAP_S: Final = 30.0

_TROUBLE: Final = (
    CitewellError,
    discord.HTTPException,
    discord.RateLimited,
    aiohttp.ClientError,
    OSError,
)

T = TypeVar("T")

log = logging.getLogger(__name__)


class _Turn:
    """Lets one event of a channel pass after the other, while there are any."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0


class Hearing:
    """Hears for one client.

    Args:
        client: that hears.
        calls: of the API.
        host: takes events in.
        reading: reads messages.
        interacting: takes what people do directly.
        directs: remembers direct conversations.
    """

    def __init__(
        self,
        client: discord.Client,
        host: Host,
        *,
        calls: Calls,
        reading: Reading,
        interacting: Interacting,
        directs: Directs,
    ) -> None:
        self.interacting = interacting
        self.reading = reading
        self._client = client
        self._calls = calls
        self._host = host
        self._directs = directs
        self._is_ready = False
        self._lost_shards: set[int] = set()
        self._lost_at: float | None = None
        self._turns: dict[int, _Turn] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.changed = asyncio.Event()

    # --- connections -----------------------------------------------------------------------

    @property
    def is_connected(self) -> bool:
        """Whether all that happens is heard."""
        return self._is_ready and not self._lost_shards and not self._client.is_closed()

    async def connected(self, shard: int | None = None, *, resumed: bool) -> None:
        """Note a connection; what happened before one that was not resumed is looked for."""
        if shard is None:
            self._is_ready = True
        else:
            self._lost_shards.discard(shard)
        self.changed.set()
        if not resumed and self._lost_at is not None:
            self._begin(self._catch_up(self._lost_at - _OVERLAP_S))
        if self.is_connected:
            self._lost_at = None

    def disconnected(self, shard: int | None = None) -> None:
        """Note that a connection broke; discord.py makes it again."""
        if shard is None and not isinstance(self._client, discord.AutoShardedClient):
            self._is_ready = False
        elif shard is not None:
            self._lost_shards.add(shard)
        if self._lost_at is None:
            self._lost_at = time.time()
        self.changed.set()

    async def close(self) -> None:
        """End what is still going on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _catch_up(self, since: float) -> None:
        for trial in range(_TRIES):
            try:
                await self._take_missed(since)
            except (DeliveryError, JournalError) as error:
                log.warning("%s", error)
                await asyncio.sleep(2.0**trial)
            except Exception:
                log.exception("what was missed cannot be read")
                return
            else:
                return

    async def _take_missed(self, since: float) -> None:
        async for event in missed(self._client, self.reading, self._directs, since):
            if not await self._accept(event):
                raise DeliveryError("what was missed cannot be kept", passes=True)

    # --- messages --------------------------------------------------------------------------

    async def message(self, message: discord.Message) -> None:
        """Take in a message that was written."""
        if message.guild is None and not message.author.bot:
            self._directs.note(message.channel.id)
        async with self._in_turn(message.channel.id):
            try:
                asked = await self._read(lambda: self.reading.asked(message))
            except _TROUBLE as error:
                # Whether it is for the bot, or its author is answered, cannot be known now.
                log.warning("message %d: %s", message.id, error)
                await self._apologize(str(message.channel.id), str(message.id))
                return
            if asked is None:
                return
            if not asked.text and not asked.attachments:
                await self._hint(message)
                return
            if not await self._accept(asked):
                await self._apologize(str(message.channel.id), str(message.id))

    async def edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        """Take in that a message was changed."""
        before, after = payload.cached_message, payload.message
        if after.edited_at is None:
            return
        async with self._in_turn(payload.channel_id):
            if before is None:
                was_asked, is_known = False, await self._read(lambda: self.reading.has_begun(after))
            else:
                was_asked = is_known = await self._read(lambda: self._has_asked(before))
            changed = await self._read(lambda: self.reading.edited(after, is_known=is_known))
            if changed is None:
                return
            # A mention that was forgotten is often added later.
            asked = None if was_asked else await self._read(lambda: self.reading.asked(after))
            is_kept = asked is None or await self._accept(asked)
            if before is None or before.content != after.content:
                is_kept = await self._accept(changed) and is_kept
            if not is_kept:
                await self._apologize(str(payload.channel_id), str(payload.message_id))

    async def delete(
        self, channel_id: int, message_id: int, cached: discord.Message | None
    ) -> None:
        """Take in that a message was deleted."""
        async with self._in_turn(channel_id):
            venue = await self._read(lambda: self._venue(channel_id))
            gone = await self._read(lambda: self.reading.deleted(message_id, venue, cached))
            if gone is not None:
                await self._accept(gone)

    async def _has_asked(self, message: discord.Message) -> bool:
        asked = await self.reading.asked(message)
        return asked is not None and bool(asked.text or asked.attachments)

    async def _venue(self, channel_id: int) -> Venue:
        channel = self._client.get_channel(channel_id)
        if channel is None:
            try:
                channel = await self._client.fetch_channel(channel_id)
            except (discord.NotFound, discord.Forbidden, discord.InvalidData):
                return Venue(platform=self.reading.platform, channel=str(channel_id))
        return venue_of(self.reading.platform, channel)

    # --- taking in -------------------------------------------------------------------------

    async def _read(self, reading: Callable[[], Awaitable[T]]) -> T:
        """Read what was said, and try for a while where journal or Discord do not answer."""
        for trial in range(_TRIES - 1):
            try:
                return await reading()
            except (JournalError, discord.HTTPException, aiohttp.ClientError, OSError) as error:
                log.warning("a message cannot be read, try %d: %s", trial + 1, error)
                await asyncio.sleep(0.25 * 2.0**trial)
        return await reading()

    async def _accept(self, event: Event) -> bool:
        """Keep an event, and try for a while: Discord does not tell it again."""
        for trial in range(_TRIES):
            try:
                await self._host.accept(event)
                return True
            except JournalError as error:
                log.warning("event %s, try %d: %s", event.key, trial + 1, error)
                if trial + 1 < _TRIES:
                    await asyncio.sleep(0.25 * 2.0**trial)
        return False

    async def _hint(self, message: discord.Message) -> None:
        await self._say(str(message.channel.id), _HINT, f"hint/{message.id}", str(message.id))

    async def _apologize(self, channel: str, message: str) -> None:
        await self._say(channel, _NOT_KEPT, f"not-kept/{message}", message)

    async def _say(self, channel: str, text: str, key: str, answers: str) -> None:
        try:
            await self._calls.post(channel, said(text), nonce=nonce(key, 0, 0), answers=answers)
        except DeliveryError as error:
            log.warning("channel %s: %s", channel, error)

    @asynccontextmanager
    async def _in_turn(self, channel_id: int) -> AsyncIterator[None]:
        """Let one event of a channel be taken in after the other."""
        turn = self._turns.setdefault(channel_id, _Turn())
        turn.users += 1
        try:
            async with turn.lock:
                yield
        except _TROUBLE as error:
            log.warning("channel %d: %s", channel_id, error)
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[channel_id]

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
