"""What was said while nobody was connected, read from the history of channels."""

from __future__ import annotations

import heapq
import itertools
import logging
import re
from collections.abc import AsyncIterator
from typing import Any, Final

from citewell import DeliveryError
from citewell.chat import Asked, Deleted, Edited, Event, Host
from citewell_slack import incoming
from citewell_slack.calls import Api, Refused
from citewell_slack.incoming import Payload, Workspace
from citewell_slack.listening import is_for_bot
from citewell_slack.workspaces import Workspaces

# A thread is found by its first message, which may be older than what was missed.
_THREADS_SINCE_S: Final = 3 * 86_400.0
_MOST_PAGES: Final = 5
_MOST_CHANNELS: Final = 5
_TS: Final = re.compile(r"\d+\.\d{6}")
_GONE: Final = frozenset({"thread_not_found", "message_not_found"})
_KINDS: Final = "public_channel,private_channel,im"


class Missed:
    """Reads what happened since a time.

    Args:
        platform: name of the adapter's section.
        workspaces: with their tokens.
        host: the core, once it serves; without it, threads go on by mentions alone.
        log: for channels that cannot be read.
    """

    def __init__(
        self, platform: str, workspaces: Workspaces, host: Host | None, log: logging.Logger
    ) -> None:
        self._platform = platform
        self._workspaces = workspaces
        self._host = host
        self._log = log

    async def since(self, at: float) -> AsyncIterator[Event]:
        """Yield the events, of each workspace the oldest first.

        Raises:
            DeliveryError: some channels cannot be read now; what the others hold was yielded.
        """
        unread: DeliveryError | None = None
        for team in await self._workspaces.teams():
            bot = await self._workspaces.bot(team)
            where = Workspace(platform=self._platform, team=team, bot=bot.user)
            api = await self._workspaces.api(team)
            found: list[tuple[float, int, Event]] = []
            number = itertools.count()
            async for channel in self._channels(api):
                try:
                    async for event in self._of_channel(api, where, channel, at):
                        heapq.heappush(found, (event.at, next(number), event))
                except DeliveryError as error:
                    self._log.warning("what was missed in %s cannot be read: %s", channel, error)
                    unread = error if error.passes else unread
            while found:
                yield heapq.heappop(found)[2]
        if unread is not None:
            raise unread

    async def _channels(self, api: Api) -> AsyncIterator[str]:
        async for channel in api.pages(
            "users.conversations",
            "channels",
            most=_MOST_CHANNELS,
            types=_KINDS,
            exclude_archived=True,
        ):
            id_ = str(channel["id"])
            if self._host is None or self._host.config.channel(id_).answers:
                yield id_

    async def _of_channel(
        self, api: Api, where: Workspace, channel: str, at: float
    ) -> AsyncIterator[Event]:
        oldest = f"{max(at - _THREADS_SINCE_S, 0):.6f}"
        async for message in api.pages(
            "conversations.history", "messages", most=_MOST_PAGES, channel=channel, oldest=oldest
        ):
            async for event in self._of_message(message, where, channel, at):
                yield event
            if float(message.get("latest_reply") or 0) > at:
                async for event in self._of_thread(api, where, channel, (str(message["ts"]), at)):
                    yield event

    async def _of_thread(
        self, api: Api, where: Workspace, channel: str, thread: tuple[str, float]
    ) -> AsyncIterator[Event]:
        ts, at = thread
        async for reply in api.pages(
            "conversations.replies",
            "messages",
            most=_MOST_PAGES,
            channel=channel,
            ts=ts,
            oldest=f"{at:.6f}",
        ):
            if reply["ts"] != ts:
                async for event in self._of_message(reply, where, channel, at):
                    yield event

    async def _of_message(
        self, message: Payload, where: Workspace, channel: str, at: float
    ) -> AsyncIterator[Event]:
        """Yield that a message was written, or changed, since then."""
        if not incoming.is_from_person(message, where):
            return
        told: dict[str, Any] = {**message, "channel": channel}
        if not await is_for_bot(told, where, host=self._host):
            return
        if float(message["ts"]) > at:
            question = incoming.asked(message, where, channel=channel)
            if question.text or question.attachments:
                yield question

    async def changed(self, asked: Asked) -> Edited | Deleted | None:
        """Return what became of a question since, if it was a message."""
        if not _TS.fullmatch(asked.key) or asked.address.only_for is not None:
            return None
        venue = asked.venue
        api, bot = await self._workspaces.api(venue.team), await self._workspaces.bot(venue.team)
        where = Workspace(platform=self._platform, team=venue.team, bot=bot.user)
        message = await _message(api, asked)
        if message is None or message.get("subtype") == "tombstone":
            return incoming.gone(asked)
        edited = message.get("edited")
        if not edited or incoming.words(str(message.get("text") or ""), bot.user) == asked.text:
            return None
        return incoming.edit_of(message, where, channel=venue.channel, at=str(edited["ts"]))


async def _message(api: Api, asked: Asked) -> Payload | None:
    """Return a message as it is now; None where it is gone."""
    venue = asked.venue
    try:
        async for message in api.pages(
            "conversations.replies",
            "messages",
            most=_MOST_PAGES,
            channel=venue.channel,
            ts=venue.thread,
            oldest=asked.key,
            latest=asked.key,
            inclusive=True,
        ):
            if message["ts"] == asked.key:
                return dict(message)
    except Refused as error:
        if error.code not in _GONE:
            raise
    return None
