"""Replies that one person alone sees: the answer to an interaction, whose token lives 15 minutes.

Where the token is dead and nothing was shown, the person gets a direct message instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from citewell import DeliveryError
from citewell.blocks import Block
from citewell.chat import Address
from citewell_discord.addresses import TOKEN_LIFE_S, created_at, marker, nonce
from citewell_discord.calls import Calls, Refused
from citewell_discord.encoding import Payload, components

_ORIGINAL = "@original"
_LOADING = 1 << 7
_SLACK_S = 20.0


class PrivateReply:
    """A reply to an interaction.

    Args:
        calls: of the API.
        address: holds the token.
        key: names the reply.
        offered: actions that have a button.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        calls: Calls,
        address: Address,
        key: str,
        offered: frozenset[str],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._calls = calls
        self._address = address
        self._key = key
        self._offered = offered
        self._clock = clock
        self._posted: list[str] = []
        self._shown: dict[int, list[Payload]] = {}
        self._direct = ""

    @property
    def posted(self) -> tuple[str, ...]:
        """The ids of its messages; behind a direct one stands the conversation."""
        return tuple(self._posted)

    async def status(self, text: str) -> None:
        """Do nothing: Discord says "is thinking" by itself."""

    async def show(self, messages: Sequence[Sequence[Block]], *, complete: bool) -> None:
        """Let the messages say this.

        Raises:
            DeliveryError: Discord refuses, or cannot be reached.
        """
        for index, blocks in enumerate(messages):
            parts = components(
                blocks,
                marker=marker(self._key, index),
                growing=not complete and index == len(messages) - 1,
                offered=self._offered,
            )
            if index < len(self._posted) and self._shown.get(index) == parts:
                continue
            await self._put(index, parts)
            self._shown[index] = parts
        while len(self._posted) > len(messages):
            await self._delete(len(self._posted) - 1)
            self._posted.pop()

    async def withdraw(self) -> None:
        """Delete the messages, as long as that is possible."""
        while self._posted:
            try:
                await self._delete(len(self._posted) - 1)
            except Refused as refusal:
                if refusal.passes:
                    raise
            self._posted.pop()

    async def find(self, posted: Sequence[str]) -> bool:
        """Take up what was shown before, and tell whether it can still be changed.

        Raises:
            DeliveryError: Discord cannot be reached.
        """
        if posted and ":" in posted[0]:
            self._direct = posted[0].split(":")[0]
            self._posted = list(posted)
            names = [one.split(":")[1] for one in posted]
            return all([await self._calls.has(self._direct, name) for name in names])
        if self._is_dead:
            return False
        try:
            first = await self._calls.read_answer(self._application, self._token, _ORIGINAL)
        except Refused as refusal:
            if refusal.passes:
                raise
            # Nobody acknowledged it, or the token is dead after all.
            return not posted and refusal.status == 404
        if int(first.get("flags") or 0) & _LOADING or not first.get("components"):
            return not posted
        self._posted = list(posted) or [str(first["id"])]
        return True

    # --- where -----------------------------------------------------------------------------

    @property
    def _token(self) -> str:
        return self._address.data.get("token", "")

    @property
    def _application(self) -> str:
        return self._address.data.get("application", "")

    @property
    def _interaction(self) -> str:
        return self._address.data.get("interaction", "0")

    @property
    def _is_dead(self) -> bool:
        """Whether the token is of no use any more, or will not be for long."""
        return self._clock() > created_at(self._interaction) + TOKEN_LIFE_S - _SLACK_S

    # --- messages --------------------------------------------------------------------------

    async def _put(self, index: int, parts: list[Payload]) -> None:
        """Post the message at `index`, or change it."""
        if self._direct or (not self._posted and self._is_dead):
            await self._put_directly(index, parts)
        elif index == 0:
            await self._put_first(parts)
        elif index < len(self._posted):
            name = self._posted[index]
            await self._calls.change_answer(self._application, self._token, name, parts)
        else:
            added = await self._calls.follow_up(self._application, self._token, parts)
            self._posted.append(added)

    async def _put_first(self, parts: list[Payload]) -> None:
        try:
            name = await self._calls.change_answer(self._application, self._token, _ORIGINAL, parts)
        except Refused as refusal:
            if refusal.passes or self._posted:
                raise
            name = await self._answered_late(parts)
            if not name:
                await self._put_directly(0, parts)
                return
        self._posted = [name, *self._posted[1:]]

    async def _answered_late(self, parts: list[Payload]) -> str:
        """Answer what was never acknowledged, if Discord still waits; return the id or nothing."""
        try:
            await self._calls.answer(self._interaction, self._token, parts)
            first = await self._calls.read_answer(self._application, self._token, _ORIGINAL)
        except Refused as refusal:
            if refusal.passes:
                raise
            return ""
        return str(first["id"])

    async def _put_directly(self, index: int, parts: list[Payload]) -> None:
        if not self._direct:
            if self._address.only_for is None:
                raise DeliveryError("discord: nobody to answer", passes=False)
            self._direct = await self._calls.direct(self._address.only_for)
        if index < len(self._posted):
            name = self._posted[index].split(":")[1]
            await self._calls.change(self._direct, name, parts)
            return
        named = nonce(self._key, index, 0)
        added = await self._calls.post(self._direct, parts, nonce=named)
        self._posted.append(f"{self._direct}:{added}")

    async def _delete(self, index: int) -> None:
        name = self._posted[index]
        if self._direct:
            await self._calls.delete(self._direct, name.split(":")[1])
        else:
            at = _ORIGINAL if index == 0 else name
            await self._calls.delete_answer(self._application, self._token, at)
