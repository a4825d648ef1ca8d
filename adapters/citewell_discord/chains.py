"""Replies to replies, as one conversation: where a channel has no threads, nothing else is one."""

from __future__ import annotations

from typing import Final

import discord

from citewell_discord.addresses import is_marker
from citewell_discord.directs import Directs

_MOST: Final = 20_000
# Beyond that a conversation is begun anew; each step may cost a call.
_MOST_STEPS: Final = 20


class Chains:
    """Knows with which question a chain of replies began.

    Args:
        client: that reads messages.
        channels: remembers where there are such chains.
    """

    def __init__(self, client: discord.Client, channels: Directs) -> None:
        self.client = client
        self.channels = channels
        self._roots: dict[int, int] = {}

    async def root(self, message: discord.Message) -> int:
        """Return the id of the first question: of this one, if it answers no answer of ours."""
        walked: list[int] = []
        current = message
        while True:
            if current.id in self._roots:
                root = self._roots[current.id]
                break
            walked.append(current.id)
            before = self._asked_before(current)
            if before is None:
                root = current.id
                break
            found = None
            if before not in self._roots and len(walked) < _MOST_STEPS:
                found = await _found(current, before)
            if found is None:
                root = self._roots.get(before, before)
                break
            current = found
        if root != message.id:
            self.channels.note(message.channel.id)
        self._roots.update(dict.fromkeys(walked, root))
        while len(self._roots) > _MOST:
            del self._roots[next(iter(self._roots))]
        return root

    def _asked_before(self, message: discord.Message) -> int | None:
        """Return the id of the question whose answer a message answers."""
        answer = answered(message)
        me = self.client.user
        if answer is None or me is None or answer.author.id != me.id or not is_answer(answer):
            return None
        return None if answer.reference is None else answer.reference.message_id


def answered(message: discord.Message) -> discord.Message | None:
    """Return the message that another one answers, if it is still there."""
    reference = message.reference
    if message.type is not discord.MessageType.reply or reference is None:
        return None
    resolved = reference.resolved
    return resolved if isinstance(resolved, discord.Message) else None


def is_answer(message: discord.Message) -> bool:
    """Tell whether a message of ours belongs to an answer, and is no hint or the like."""
    return bool(message.components) and is_marker(getattr(message.components[0], "id", None))


async def _found(message: discord.Message, before: int) -> discord.Message | None:
    try:
        return await message.channel.fetch_message(before)
    except (discord.NotFound, discord.Forbidden):
        return None
