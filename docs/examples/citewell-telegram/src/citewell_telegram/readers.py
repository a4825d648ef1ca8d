"""Who reads a chat: Telegram tells whether somebody is a member, and how many members there are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from telegram import Bot
from telegram.constants import ChatMemberStatus
from telegram.error import BadRequest, Forbidden

from citewell.chat import Address
from citewell_telegram.calls import told

_INSIDE = {
    ChatMemberStatus.OWNER,
    ChatMemberStatus.ADMINISTRATOR,
    ChatMemberStatus.MEMBER,
    ChatMemberStatus.RESTRICTED,
}


class Readers:
    """Asks Telegram who reads a chat, each time.

    A group of the settings is the id of a group of Telegram in which the bot is too.

    Args:
        bot: the client.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._met: defaultdict[int, set[int]] = defaultdict(set)

    def meet(self, chat: int, person: int) -> None:
        """Remember that somebody was in a chat; whether they still are is asked."""
        self._met[chat].add(person)

    async def of(self, address: Address, groups: Collection[str]) -> frozenset[frozenset[str]]:
        """Return in which of `groups` each distinct reader is; whoever is not known, in none.

        Raises:
            DeliveryError: Telegram does not say.
        """
        chat = int(address.only_for or address.venue.channel)
        if not groups:
            return frozenset({frozenset()})
        with told():
            if chat > 0:
                return frozenset({await self._groups(chat, groups)})
            known = await self._known(chat, address)
            readers = {await self._groups(person, groups) for person in known}
            # The bot itself is a member, and reads nothing.
            if len(known) + 1 < await self._bot.get_chat_member_count(chat):
                readers.add(frozenset())
            return frozenset(readers)

    async def _known(self, chat: int, address: Address) -> list[int]:
        """Return the people of a chat who can be told by name: who was met, and who leads it."""
        met = {*self._met[chat], *map(int, filter(None, [address.data.get("asker")]))}
        leading = await self._bot.get_chat_administrators(chat)
        met |= {one.user.id for one in leading if not one.user.is_bot}
        return [person for person in sorted(met) if await self._is_in(chat, person)]

    async def _groups(self, person: int, groups: Collection[str]) -> frozenset[str]:
        return frozenset([one for one in sorted(groups) if await self._is_in(_chat(one), person)])

    async def _is_in(self, chat: int | str, person: int) -> bool:
        try:
            member = await self._bot.get_chat_member(chat, person)
        except (BadRequest, Forbidden):
            # There is no such group, the bot is not in it, or nobody knows this person there.
            return False
        # Who is restricted may have left.
        return member.status in _INSIDE and getattr(member, "is_member", True)


def _chat(group: str) -> int | str:
    """Return the id of a group as Telegram takes it."""
    plain = group.removeprefix("channel:")
    return int(plain) if plain.lstrip("-").isdecimal() else plain
