"""Replies in channels, threads and direct conversations, which everyone there sees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from citewell import DeliveryError
from citewell.blocks import Block
from citewell.chat import Address
from citewell_discord.addresses import index_of, marker, nonce, place_of
from citewell_discord.calls import (
    NO_HISTORY,
    THREAD_ARCHIVED,
    Calls,
    Json,
    Refused,
)
from citewell_discord.encoding import Payload, components
from citewell_discord.typing_signs import TypingSigns

_GENERATIONS: Final = 4
_PAGES: Final = 5


class ChannelReply:
    """A reply of one or several messages.

    Args:
        calls: of the API.
        signs: shows that somebody is typing.
        address: where the reply goes.
        key: names it.
        offered: actions that have a button.
    """

    def __init__(
        self,
        calls: Calls,
        signs: TypingSigns,
        address: Address,
        key: str,
        offered: frozenset[str],
    ) -> None:
        self._calls = calls
        self._signs = signs
        self._address = address
        self._key = key
        self._offered = offered
        self._posted: list[str] = []
        self._shown: dict[str, list[Payload]] = {}
        self._channel = ""

    @property
    def posted(self) -> tuple[str, ...]:
        """The ids of its messages."""
        return tuple(self._posted)

    async def status(self, text: str) -> None:  # noqa: ARG002 - Discord says "is typing"
        """Be seen typing until something is shown; what hinders that hinders no answer."""
        try:
            self._signs.show(await self._place())
        except DeliveryError:
            return

    async def show(self, messages: Sequence[Sequence[Block]], *, complete: bool) -> None:
        """Let the messages say this: the same ones, further ones, or fewer.

        Raises:
            DeliveryError: Discord refuses, or cannot be reached.
        """
        channel = await self._place()
        self._signs.stop(channel)
        for index, blocks in enumerate(messages):
            growing = not complete and index == len(messages) - 1
            parts = components(
                blocks,
                marker=marker(self._key, index),
                growing=growing,
                offered=self._offered,
            )
            if index >= len(self._posted):
                self._posted.append(await self._post(channel, index, parts))
            elif self._shown.get(self._posted[index]) != parts:
                await self._change(channel, self._posted[index], parts)
            self._shown[self._posted[index]] = parts
        while len(self._posted) > len(messages):
            await self._calls.delete(channel, self._posted[-1])
            self._posted.pop()

    async def withdraw(self) -> None:
        """Delete the messages."""
        channel = self._channel or place_of(self._address.venue)
        self._signs.stop(channel)
        while self._posted:
            await self._calls.delete(channel, self._posted[-1])
            self._posted.pop()

    async def find(self, posted: Sequence[str]) -> bool:
        """Take up what was posted before, and tell whether it can still be changed.

        Args:
            posted: what is known of it.

        Raises:
            DeliveryError: Discord cannot be reached.
        """
        for channel in self._places():
            found = await self._found_in(channel, posted)
            if found:
                self._channel, self._posted = channel, found
                break
        missing = [one for one in posted if one not in self._posted]
        for channel in self._places() if missing and not self._posted else ():
            # Without the right to read the history nothing is found, and all can be changed.
            if all([await self._calls.has(channel, one) for one in posted]):
                self._channel, self._posted = channel, list(posted)
                return True
        if missing:
            await self.withdraw()
        return not missing

    # --- where -----------------------------------------------------------------------------

    def _places(self) -> tuple[str, ...]:
        """Return where its messages may be: a thread that cannot be started is its channel."""
        venue = self._address.venue
        if self._starts_thread:
            return venue.thread, venue.channel
        return (place_of(venue),)

    @property
    def _starts_thread(self) -> bool:
        return "name" in self._address.data

    async def _place(self) -> str:
        """Return where to post; the thread is started if it is not there."""
        if self._channel:
            return self._channel
        venue = self._address.venue
        if self._starts_thread:
            try:
                await self._calls.start_thread(
                    venue.channel, self._address.data["message"], self._address.data["name"]
                )
            except Refused as refusal:
                # Whatever keeps the thread from being started does not keep the answer away: too
                # many are active, a name is blocked, a right is missing.
                if refusal.passes or refusal.is_gone:
                    raise
                self._channel = venue.channel
                return self._channel
        self._channel = place_of(venue)
        return self._channel

    # --- messages --------------------------------------------------------------------------

    async def _post(self, channel: str, index: int, parts: list[Payload]) -> str:
        answers = self._answered(channel) if index == 0 else ""
        for generation in range(_GENERATIONS):
            try:
                posted = await self._posted_once(channel, parts, (index, generation), answers)
            except Refused as refusal:
                # A message with this nonce was there, and was taken away: it does not come back.
                if refusal.code != 10008 or generation == _GENERATIONS - 1:
                    raise
            else:
                id_ = str(posted["id"])
                if _texts(posted.get("components")) != _texts(parts):
                    # A call of before was done though its answer was lost.
                    await self._change(channel, id_, parts)
                return id_
        raise AssertionError

    async def _posted_once(
        self, channel: str, parts: list[Payload], numbers: tuple[int, int], answers: str
    ) -> Json:
        named = nonce(self._key, *numbers)
        try:
            return await self._calls.post_once(channel, parts, nonce=named, answers=answers)
        except Refused as refusal:
            if refusal.code != NO_HISTORY:
                raise
        return await self._calls.post_once(channel, parts, nonce=named)

    def _answered(self, channel: str) -> str:
        """Return the message that is answered, where that is not plain from the place."""
        venue = self._address.venue
        is_crowded = channel == venue.channel and bool(venue.team)
        return self._address.data.get("message", "") if is_crowded else ""

    async def _change(self, channel: str, message: str, parts: list[Payload]) -> None:
        try:
            await self._calls.change(channel, message, parts)
        except Refused as refusal:
            if refusal.code != THREAD_ARCHIVED:
                raise
            await self._calls.wake(channel)
            await self._calls.change(channel, message, parts)

    # --- after a crash ---------------------------------------------------------------------

    async def _found_in(self, channel: str, posted: Sequence[str]) -> list[str]:
        """Return the messages of this reply in a channel, in order."""
        me = (await self._calls.client()).user
        own = str(me.id) if me is not None else ""
        after = self._address.data.get("message") or self._address.data.get("interaction", "0")
        found: dict[int, str] = {}
        for _ in range(_PAGES):
            try:
                page = await self._calls.history(channel, after=after)
            except Refused as refusal:
                if refusal.passes:
                    raise
                return []
            for one in page:
                index = self._index(one, posted) if one["author"]["id"] == own else None
                if index is not None:
                    found.setdefault(index, str(one["id"]))
            if len(page) < 100 or (found and len(found) >= len(posted)):
                break
            after = str(page[0]["id"])
        return [found[index] for index in sorted(found)]

    def _index(self, message: dict[str, object], posted: Sequence[str]) -> int | None:
        """Return which message of this reply one of ours is, or None."""
        if message["id"] in posted:
            return list(posted).index(str(message["id"]))
        parts = message.get("components")
        first = parts[0] if isinstance(parts, list) and parts else {}
        return index_of(self._key, int(first.get("id") or 0))


def _texts(parts: object) -> list[str]:
    """Return the texts of components, in order."""
    found: list[str] = []
    for part in parts if isinstance(parts, list) else ():
        if isinstance(part.get("content"), str):
            found.append(part["content"].strip())
        found += _texts(part.get("components"))
    return found
