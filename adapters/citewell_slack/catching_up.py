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
from citewell_slack.threads import Threads
from citewell_slack.workspaces import Workspaces

# A thread is found by its first message, which may be older than what was missed.
_THREADS_SINCE_S: Final = 3 * 86_400.0
_MOST_PAGES: Final = 5
_MOST_CHANNELS: Final = 5
_TS: Final = re.compile(r"\d+\.\d{6}")
_GONE: Final = frozenset({"thread_not_found", "message_not_found"})
_KINDS: Final = "public_channel,private_channel"
# Apps without direct messages, and those of before, have no scope for these.
_FURTHER_KINDS: Final = ("im", "mpim")


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
        self._threads = Threads(workspaces, log)

    async def since(self, at: float) -> AsyncIterator[Event]:
        """Yield the events, of each workspace the oldest first.

        What cannot be read, now or ever, costs nothing else: it is logged.

        Raises:
            DeliveryError: something cannot be read now; what the rest holds was yielded.
        """
        unread: list[DeliveryError] = []
        for team in await self._workspaces.teams():
            found: list[tuple[float, int, Event]] = []
            try:
                await self._collect(team, at, found, unread)
            except DeliveryError as error:
                self._note(team, error, unread)
            while found:
                yield heapq.heappop(found)[2]
        if unread:
            raise unread[-1]

    async def _collect(
        self,
        team: str,
        at: float,
        found: list[tuple[float, int, Event]],
        unread: list[DeliveryError],
    ) -> None:
        """Find what was missed in one workspace, and what of it cannot be read now.

        Raises:
            DeliveryError: nothing more can be read there.
        """
        bot = await self._workspaces.bot(team)
        where = Workspace(platform=self._platform, team=team, bot=bot.user)
        api = await self._workspaces.api(team)
        number = itertools.count()
        async for channel in self._channels(api):
            try:
                async for event in self._of_channel(api, where, channel, at):
                    heapq.heappush(found, (event.at, next(number), event))
            except DeliveryError as error:
                self._note(channel, error, unread)

    def _note(self, where: str, error: DeliveryError, unread: list[DeliveryError]) -> None:
        self._log.warning("what was missed in %s cannot be read: %s", where, error)
        if error.passes:
            unread.append(error)

    async def _channels(self, api: Api) -> AsyncIterator[str]:
        for kinds in (_KINDS, *_FURTHER_KINDS):
            try:
                async for id_ in self._of_kinds(api, kinds):
                    yield id_
            except Refused as error:
                if kinds == _KINDS or error.code != "missing_scope":
                    raise

    async def _of_kinds(self, api: Api, kinds: str) -> AsyncIterator[str]:
        async for channel in api.pages(
            "users.conversations",
            "channels",
            most=_MOST_CHANNELS,
            types=kinds,
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
        if not await is_for_bot(told, where, host=self._host, threads=self._threads):
            return
        if float(message["ts"]) > at:
            question = incoming.asked(message, where, channel=channel)
            if question.text or question.attachments:
                yield question

    async def changed(self, asked: Asked) -> Edited | Deleted | None:
        """Return what became of a question since, if it was a message that can be read.

        Raises:
            DeliveryError: it cannot be read now.
        """
        if not _TS.fullmatch(asked.key) or asked.address.only_for is not None:
            return None
        venue = asked.venue
        try:
            bot = await self._workspaces.bot(venue.team)
            message = await _message(await self._workspaces.api(venue.team), asked)
        except DeliveryError as error:
            if error.passes:
                raise
            return None
        where = Workspace(platform=self._platform, team=venue.team, bot=bot.user)
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
