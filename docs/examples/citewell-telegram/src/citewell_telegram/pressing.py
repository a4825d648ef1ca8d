"""What buttons below an answer do."""

from __future__ import annotations

import asyncio

from telegram import Bot, CallbackQuery, LinkPreviewOptions, Message
from telegram.error import BadRequest

from citewell.chat import Address, HandOff, Host, Quoted, Venue, Voted
from citewell_telegram.calls import told
from citewell_telegram.hearing import Hearing
from citewell_telegram.writing import Written, inert, placed

_THANKS = "Thank you."
_TOLD = "They are told, with your question and this answer."
_REPEATED = "They were told of this before."
_UNKNOWN = "Nothing is known of this answer any more. Please ask again."
_NOTHING = "Nothing of this may be shown to you."
_MAX_CHARS = 3500


class Pressing:
    """Does what stands on a button.

    Args:
        bot: the client.
        hearing: says where a message stands.
        platform: name of the adapter's section.
        hand_off: group whose people are asked; None for nobody.
    """

    def __init__(self, bot: Bot, hearing: Hearing, platform: str, hand_off: str | None) -> None:
        self._bot = bot
        self._hearing = hearing
        self._platform = platform
        self._hand_off = hand_off
        self._one_by_one = asyncio.Lock()

    async def act(self, query: CallbackQuery, host: Host) -> None:
        """Do what was pressed, and say so to who pressed."""
        message = query.message
        name, _, answer_id = (query.data or "").partition(":")
        if not isinstance(message, Message):
            return
        match name:
            case "helpful" | "unhelpful":
                await self._vote(query, message, answer_id, host)
            case "quotes":
                # Only the conversation with the bot shows more than 200 characters to one person.
                start = f"https://t.me/{self._bot.username}?start=quotes-{answer_id}"
                await self._answer(query, url=start)
            case "person":
                async with self._one_by_one:
                    said = await self._hand(answer_id, str(query.from_user.id), host)
                await self._answer(query, said)

    async def start(self, message: Message, host: Host) -> None:
        """Show what somebody came for, where they came through a link of ours."""
        name, _, answer_id = (message.text or "").removeprefix("/start ").partition("-")
        if name != "quotes" or message.from_user is None:
            return
        quoted = await host.quotes(answer_id, self._hearing.address(message, message.from_user.id))
        for text in _pages([*map(_entry, quoted)] or [_NOTHING]):
            with told():
                await self._bot.send_message(
                    message.chat.id, text, link_preview_options=LinkPreviewOptions(is_disabled=True)
                )

    async def _vote(self, query: CallbackQuery, message: Message, answer: str, host: Host) -> None:
        voted = Voted(
            key=f"press {query.id}",
            venue=self._hearing.venue(message),
            user=str(query.from_user.id),
            at=message.date.timestamp(),
            answer_id=answer,
            helpful=(query.data or "").startswith("helpful"),
        )
        await host.accept(voted)
        await self._answer(query, _THANKS)

    async def _hand(self, answer_id: str, by: str, host: Host) -> str:
        if self._hand_off is None:
            return _UNKNOWN
        group = int(self._hand_off)
        place = Address(venue=Venue(platform=self._platform, channel=self._hand_off))
        handed = await host.hand_off(answer_id, place)
        if handed is None:
            return _UNKNOWN
        if handed.is_repeated:
            return _REPEATED
        with told():
            await self._tell(handed, group)
        await host.handed_off(answer_id, by, handed.venue)
        return _TOLD

    async def _tell(self, handed: HandOff, group: int) -> None:
        written = Written()
        written.line(f"{handed.asker} asks: {handed.question}"[:_MAX_CHARS])
        await self._bot.send_message(group, written.text)
        answer = Written(handed.blocks)
        if answer.fits:
            await self._bot.send_message(
                group,
                answer.text,
                entities=answer.entities,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )

    async def _answer(self, query: CallbackQuery, text: str = "", *, url: str = "") -> None:
        """Let who pressed a button see a text, or what a link opens."""
        with told():
            try:
                await self._bot.answer_callback_query(
                    query.id, text or None, show_alert=text not in {"", _THANKS}, url=url or None
                )
            except BadRequest as error:
                # Telegram forgets soon that a button was pressed, and it was done all the same.
                if "query is too old" not in error.message:
                    raise


def _entry(one: Quoted) -> str:
    if one.lost:
        return inert(f"[{one.number}] {one.lost}")
    said = f"{one.before}{one.quote}{one.after}"
    return inert(f"[{one.number}] {one.title}{placed(one.place)}\n{said}")


def _pages(entries: list[str]) -> list[str]:
    """Return texts that fit a message each; what is longer than one is cut."""
    pages: list[str] = []
    for entry in entries:
        cut = entry[:_MAX_CHARS]
        if pages and len(pages[-1]) + len(cut) + 2 <= _MAX_CHARS:
            pages[-1] += f"\n\n{cut}"
        else:
            pages.append(cut)
    return pages
