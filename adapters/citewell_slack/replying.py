"""Replies that everyone in a channel or thread sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from citewell import DeliveryError
from citewell.blocks import Block
from citewell.chat import Address
from citewell_slack.budgets import Budgets
from citewell_slack.calls import Api, Refused, Unheard
from citewell_slack.encoding import Encoder, SlackBlock
from citewell_slack.streaming import Part, Spot, key_of
from citewell_slack.workspaces import Member

# Messages that are looked through for one of ours.
_MOST_PAGES: Final = 10


class PublicReply:
    """A reply of one or more messages.

    Args:
        spot: where it stands.
        bot: who posts it.
        encoder: of blocks.
        since: `ts` of the question; nothing of the reply is older.
    """

    def __init__(self, spot: Spot, bot: Member, encoder: Encoder, *, since: str) -> None:
        self._spot = spot
        self._bot = bot
        self._encoder = encoder
        self._since = since
        self._parts: list[Part] = []
        self._has_status = False

    @property
    def posted(self) -> tuple[str, ...]:
        """The `ts` of each message."""
        return tuple(part.ts for part in self._parts)

    async def find(self, posted: Sequence[str]) -> None:
        """Take up what was posted before.

        Raises:
            DeliveryError: it cannot be looked for.
        """
        for message in await self._ours():
            ts, key = str(message["ts"]), key_of(message)
            if key is not None and key[0] != self._spot.key:
                continue
            # A stream has no key before it is stopped, so what has none is ours to finish: the core
            # looks for a reply only while no other answer of the thread is on its way.
            if key is not None or ts in posted or not message.get("metadata"):
                is_streaming = _may_be_open(message)
                part = Part(self._spot, len(self._parts), ts, is_streaming=is_streaming)
                self._parts.append(part)

    async def status(self, text: str) -> None:
        """Show a line under the question; where Slack has none, nothing."""
        await self._set_status(text)

    async def show(self, messages: Sequence[Sequence[Block]], *, complete: bool) -> None:
        """Let the messages say this."""
        encoded = [self._encoder.encode(blocks) for blocks in messages]
        encoded = [blocks for blocks in encoded if blocks]
        for at, blocks in enumerate(encoded):
            done = complete or at < len(encoded) - 1
            if at < len(self._parts):
                await self._parts[at].show(blocks, complete=done, streams=True)
            else:
                await self._add(blocks, complete=done)
        while len(self._parts) > len(encoded) and (complete or encoded):
            await self._parts[-1].delete()
            self._parts.pop()
        if complete:
            await self._clear_status()

    async def withdraw(self) -> None:
        """Delete the messages, the last one first."""
        while self._parts:
            await self._parts[-1].delete()
            self._parts.pop()
        await self._clear_status()

    async def _add(self, blocks: list[SlackBlock], *, complete: bool) -> None:
        part = Part(self._spot, len(self._parts))
        try:
            await part.show(blocks, complete=complete, streams=True)
        except DeliveryError as error:
            if not error.passes:
                raise
            lost = await self._lost(may_stream=not complete)
            if lost is None and complete:
                raise
            part = lost or Part(self._spot, len(self._parts))
            await part.show(blocks, complete=complete, streams=False)
        if not part.ts:
            return
        self._parts.append(part)
        # Slack takes the status away when the bot says something.
        self._has_status = False

    async def _lost(self, *, may_stream: bool) -> Part | None:
        """Return the message that was posted though its answer never came, or None.

        Args:
            may_stream: it may be a stream, which has no key.
        """
        known = set(self.posted)
        for message in await self._ours():
            ts, key = str(message["ts"]), key_of(message)
            is_ours = key == (self._spot.key, len(self._parts))
            if ts not in known and (is_ours or (may_stream and not message.get("metadata"))):
                is_streaming = _may_be_open(message)
                return Part(self._spot, len(self._parts), ts, is_streaming=is_streaming)
        return None

    async def _ours(self) -> list[Mapping[str, Any]]:
        """Return what the bot posted here since the question, oldest first."""
        api, spot = self._spot.api, self._spot
        where: dict[str, Any] = {"channel": spot.channel, "include_all_metadata": True}
        if self._since:
            where |= {"oldest": self._since, "inclusive": False}
        method = "conversations.history"
        if spot.thread:
            method, where = "conversations.replies", {**where, "ts": spot.thread}
        try:
            found = [
                message
                async for message in api.pages(method, "messages", most=_MOST_PAGES, **where)
                if self._is_own(message)
            ]
        except Refused as error:
            if error.code != "thread_not_found":
                raise
            found = []
        return sorted(found, key=lambda message: str(message["ts"]))

    def _is_own(self, message: Mapping[str, Any]) -> bool:
        is_bot = message.get("user") == self._bot.user or (
            bool(self._bot.id) and message.get("bot_id") == self._bot.id
        )
        return is_bot and str(message.get("ts", "")) > self._since

    async def _clear_status(self) -> None:
        if self._has_status:
            await self._set_status("")

    async def _set_status(self, text: str) -> None:
        if not self._spot.thread:
            return
        try:
            await self._spot.api.do_now(
                "assistant.threads.setStatus",
                channel_id=self._spot.channel,
                thread_ts=self._spot.thread,
                status=text,
            )
        except (Refused, Unheard):
            # It is only a courtesy, which older workspaces do not know.
            return
        self._has_status = bool(text)


def _may_be_open(message: Mapping[str, Any]) -> bool:
    """Tell whether a message may be a stream that was not stopped, which Slack need not say."""
    return message.get("streaming_state") == "in_progress" or not message.get("metadata")


def spot_of(api: Api, address: Address, key: str, budgets: Budgets) -> Spot:
    """Return where the messages of a reply go."""
    venue = address.venue
    return Spot(
        api=api,
        team=venue.team,
        channel=venue.channel,
        thread=venue.thread,
        user=address.data.get("user", ""),
        key=key,
        budgets=budgets,
    )
