"""What is said in channels of Discord, read as it stands there now."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import aiohttp
import discord

from citewell import Context, Labels, Source, SourceError
from citewell.conversations import Busy, History, Message, Page, Thread, plain_text
from citewell_discord.addresses import created_at, snowflake_at
from citewell_discord.history_config import SUFFIX, DiscordHistoryConfig, label
from citewell_discord.plainly import plainly

T = TypeVar("T")

_PAGE: Final = 100
_BUSY_S: Final = 30.0
# As long as discord.py allows to set; longer waits are ours to decide about.
_MAX_WAIT_S: Final = 30.0
_READ: Final = frozenset({discord.MessageType.default, discord.MessageType.reply})
_FIXES: Final[Mapping[int, str]] = {
    10003: "correct the id",
    50001: "let the bot view the channel, and read its message history",
    50013: "let the bot view the channel, and read its message history",
}


class Login:
    """The bot, logged in once and connected to nothing.

    Args:
        config: with the token.
    """

    def __init__(self, config: DiscordHistoryConfig) -> None:
        self._token = config.token.get_secret_value()
        # Without a connection no intent is asked for; without Guilds, discord.py would warn.
        self._client = discord.Client(
            intents=discord.Intents(guilds=True), max_ratelimit_timeout=_MAX_WAIT_S
        )
        self._is_in = False

    async def client(self) -> discord.Client:
        """Return the client.

        Raises:
            Busy: not now.
            SourceError: Discord does not take the token.
        """
        if not self._is_in:
            try:
                await self._client.login(self._token)
            except discord.LoginFailure as error:
                raise SourceError(
                    "discord does not take the token; copy it anew from the developer portal"
                ) from error
            except discord.RateLimited as error:
                raise Busy(error.retry_after) from error
            except (discord.HTTPException, aiohttp.ClientError, OSError) as error:
                if isinstance(error, discord.HTTPException) and error.status == 429:
                    raise Busy(_BUSY_S) from error
                raise SourceError(f"discord cannot be reached: {error}") from error
            self._is_in = True
        return self._client

    @property
    def own(self) -> int | None:
        """Id of the bot itself; None before it is logged in."""
        return None if self._client.user is None else self._client.user.id

    async def close(self) -> None:
        """Log out."""
        await self._client.close()


class DiscordTalk:
    """One channel or forum.

    Private threads in it are left out: not all who see the channel see them.

    Args:
        id_: of the channel.
        login: of the bot.
        bots: whether what bots say is read.
    """

    def __init__(self, id_: str, login: Login, *, bots: bool) -> None:
        self.id = id_
        self._login = login
        self._bots = bots
        self._channel: discord.TextChannel | discord.ForumChannel | None = None
        self._titles: dict[str, str] = {}

    @property
    def labels(self) -> Labels:
        """Who may read it: who sees the channel and its history."""
        return frozenset({label(self.id)})

    async def name(self) -> str:
        """Return what people call the channel."""
        self._channel = None
        return (await self._found()).name

    async def uri(self) -> str:
        """Return what opens the channel."""
        return f"https://discord.com/channels/{(await self._found()).guild.id}/{self.id}"

    def id_at(self, at: float) -> str:
        """Return the lowest id of a time."""
        return _sortable(snowflake_at(at))

    async def page(self, *, since: str, before: str) -> Page:
        """Return the last messages whose id is in `[since, before)`."""
        channel = await self._found()
        if isinstance(channel, discord.ForumChannel):
            return Page(messages=())
        found = [
            one async for one in self._history(self.id, before=int(before)) if one.id >= int(since)
        ]
        is_full = len(found) == _PAGE
        return Page(
            messages=tuple(filter(None, map(self._message, found))),
            begins=_sortable(min(one.id for one in found)) if is_full else "",
        )

    async def threads(self, *, since: str) -> Mapping[str, str]:
        """Return what changes when a thread does, by id."""
        channel = await self._found()
        began = created_at(str(int(since)))
        active = await self._asked(channel.guild.active_threads())
        found = [one for one in active if one.parent_id == channel.id]
        async for one in _each(channel.archived_threads(limit=None), self._refused):
            if one.archive_timestamp.timestamp() < began:
                break
            found.append(one)
        kept = [one for one in found if not one.is_private() and one.id >= int(since)]
        self._titles = {_sortable(one.id): one.name for one in kept}
        return {
            _sortable(one.id): f"{one.last_message_id} {one.message_count} {one.name}"
            for one in kept
        }

    async def thread(self, id_: str) -> Thread | None:
        """Return what was written in a thread; of a post of a forum, how it begins as well."""
        messages: list[Message] = []
        before: int | None = None
        while True:
            try:
                found = [one async for one in self._history(str(int(id_)), before=before)]
            except SourceError as error:
                if isinstance(error.__cause__, discord.NotFound):
                    return None
                raise
            messages += filter(None, (self._message(one, thread=id_) for one in found))
            if len(found) < _PAGE:
                break
            before = min(one.id for one in found)
        messages.sort(key=lambda one: one.id)
        return Thread(messages=tuple(messages), title=self._titles.get(id_, ""))

    async def _history(self, place: str, *, before: int | None) -> AsyncIterator[discord.Message]:
        client = await self._login.client()
        history = client.get_partial_messageable(int(place)).history(
            limit=_PAGE, before=None if before is None else discord.Object(before)
        )
        async for one in _each(history, self._refused):
            yield one

    async def _found(self) -> discord.TextChannel | discord.ForumChannel:
        if self._channel is None:
            client = await self._login.client()
            found = await self._asked(client.fetch_channel(int(self.id)))
            if not isinstance(found, discord.TextChannel | discord.ForumChannel):
                raise SourceError(
                    f"discord: {self.id} is no channel for text, and no forum; in its place name "
                    "such a channel, of a thread the one that it is in"
                )
            self._channel = found
        return self._channel

    async def _asked(self, asking: Awaitable[T]) -> T:
        try:
            return await asking
        except _ERRORS as error:
            raise self._refused(error) from error

    def _refused(self, error: Exception) -> Exception:
        """Return what it means that Discord does not tell."""
        if isinstance(error, discord.RateLimited):
            return Busy(error.retry_after)
        if isinstance(error, discord.HTTPException):
            if error.status == 429:
                return Busy(_BUSY_S)
            fix = f"; {_FIXES[error.code]}" if error.code in _FIXES else ""
            told = f"{error.status} {error.text}".strip()
            return SourceError(f"discord does not tell of channel {self.id}: {told}{fix}")
        return SourceError(f"discord cannot be reached: {error}")

    def _message(self, found: discord.Message, *, thread: str = "") -> Message | None:
        """Return a message, or None where nobody shall read it."""
        channel, own = self._channel, self._login.own
        is_bot = found.author.bot or found.webhook_id is not None
        if channel is None or found.author.id == own or found.type not in _READ:
            return None
        if is_bot and not self._bots:
            return None
        names = {str(one.id): one.display_name for one in found.mentions}
        files = [f"[file: {' '.join(one.filename.split())}]" for one in found.attachments]
        said = "\n".join(filter(None, (plain_text(plainly(found.content, names)), *files)))
        if not said:
            return None
        id_ = _sortable(found.id)
        place = str(int(thread)) if thread else self.id
        return Message(
            id=id_,
            author=plain_text(found.author.display_name),
            at=found.created_at.timestamp(),
            text=said,
            uri=f"https://discord.com/channels/{channel.guild.id}/{place}/{found.id}",
            # A thread has the id of the message below which it was started.
            thread=thread or (id_ if found.flags.has_thread else ""),
            asks_us=any(one.id == own for one in found.mentions),
        )


_ERRORS: Final = (discord.HTTPException, discord.RateLimited, aiohttp.ClientError, OSError)


async def _each(
    found: AsyncIterator[T], refused: Callable[[Exception], Exception]
) -> AsyncIterator[T]:
    try:
        async for one in found:
            yield one
    except _ERRORS as error:
        raise refused(error) from error


def _sortable(id_: int) -> str:
    """Return an id in as many digits as the longest has, so that text sorts as numbers do."""
    return f"{id_:020d}"


@asynccontextmanager
async def opened(config: DiscordHistoryConfig, context: Context) -> AsyncIterator[Source]:
    """Open the source; discord.py is not called before the first sync."""
    login = Login(config)
    history = History(
        context.name,
        config,
        [DiscordTalk(one, login, bots=config.bots) for one in config.channels],
        suffix=SUFFIX,
        data_dir=context.data_dir,
        log=context.log,
    )
    try:
        yield history
    finally:
        history.close()
        await login.close()
