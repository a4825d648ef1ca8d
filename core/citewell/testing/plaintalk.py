"""An adapter as small as one can be: for a chat of nothing but text, with all that it knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence

from msgspec.structs import replace

from citewell import blocking
from citewell.blocks import Actions, Block, Source, SourceList
from citewell.chatting import Host
from citewell.errors import DeliveryError
from citewell.testing.plainchat import PlainAdapter, PlainReply, plain_text
from citewell.testing.plainworld import DIRECT, Happening, Page, PlainWorld, Pressable
from citewell.types.chat import (
    Address,
    Asked,
    Attachment,
    Deleted,
    Edited,
    Event,
    Quoted,
    Venue,
    Voted,
)

MENTION = "@bot"
_POLL_S = 0.02
_UNREACHABLE_S = 0.05


class TalkingAdapter(PlainAdapter):
    """Speaks to a `PlainWorld`: threads, direct conversations, buttons, forms and private answers.

    Args:
        world: the chat.
        platform: as its section is called.
        max_chars: of one message.
        pace_s: seconds between two changes of a reply.
        hand_off: the channel in which questions are handed off; empty for none.
    """

    def __init__(
        self, world: PlainWorld, *, platform: str, max_chars: int, pace_s: float, hand_off: str = ""
    ) -> None:
        super().__init__(world, platform=platform, max_chars=max_chars, pace_s=pace_s)
        self._world = world
        self._max_chars = max_chars
        self._hand_off_to = hand_off

    # --- what comes in --------------------------------------------------------------------

    async def serve(self, host: Host) -> None:
        """Hand over what happens from now on, and every event that was told."""
        last, told, cuts = self._world.last(), 0, self._world.weather().cuts
        self._connected(True)
        try:
            while True:
                if (now := self._world.weather().cuts) != cuts:
                    cuts = now
                    self._connected(False)
                    await asyncio.sleep(_UNREACHABLE_S)
                    self._connected(True)
                for number, event in self._world.told(told):
                    await host.accept(event)
                    told = number
                for number, happening in self._world.happenings(last):
                    await self._hear(host, number, happening)
                    last = number
                await asyncio.sleep(_POLL_S)
        finally:
            self._connected(False)

    def _connected(self, is_connected: bool) -> None:
        self.is_connected = is_connected
        self._world.put_weather(replace(self._world.weather(), is_heard=is_connected))

    async def missed(self, since: float) -> AsyncIterator[Event]:
        """Yield the questions since then, with what became of them."""
        for number, one in self._world.happenings(0):
            if one.at >= since and one.kind in {"said", "changed", "deleted"} and _is_meant(one):
                yield self._event(number, one)

    async def _hear(self, host: Host, number: int, one: Happening) -> None:
        if one.kind in {"pressed", "sent"}:
            await self._act(host, number, one)
        elif not host.config.channel(one.channel).answers:
            return
        elif one.kind != "said" or await self._is_asked(host, one):
            await host.accept(self._event(number, one))

    async def _is_asked(self, host: Host, one: Happening) -> bool:
        """Tell whether what was said is meant for the bot."""
        if _is_meant(one):
            return True
        if not one.is_in_thread or not host.config.follows_up(one.channel):
            return False
        return await blocking.call(host.takes_part, self._venue(one))

    def _event(self, number: int, one: Happening) -> Event:
        venue, text = self._venue(one), one.text.replace(MENTION, "", 1).strip()
        key, user, at = f"h{number}", one.person, one.at
        if one.kind == "changed":
            return Edited(key=key, venue=venue, user=user, at=at, of=one.of, text=text)
        if one.kind == "deleted":
            return Deleted(key=key, venue=venue, user=user, at=at, of=one.of)
        only_for = user if one.kind in {"asked", "about"} else None
        is_direct = one.channel.startswith(DIRECT)
        return Asked(
            key=one.of,
            venue=venue,
            user=user,
            at=at,
            text="" if one.kind == "about" else text,
            about=text if one.kind == "about" else "",
            address=Address(
                venue=venue, only_for=only_for, data={"direct": "1"} if is_direct else {}
            ),
            attachments=tuple(
                Attachment(name=name, ref=f"{one.of}/{name}", size=len(content))
                for name, content in one.files.items()
            ),
        )

    def _venue(self, one: Happening) -> Venue:
        return Venue(platform=self.platform, channel=one.channel, thread=one.thread)

    # --- buttons and forms ----------------------------------------------------------------

    async def _act(self, host: Host, number: int, one: Happening) -> None:
        venue, mine = self._venue(one), Address(venue=self._venue(one), only_for=one.person)
        match one.action:
            case "helpful" | "unhelpful":
                await self._vote(host, number, one)
            case "quotes":
                quoted = await host.quotes(one.answer_id, mine)
                lines = [_entry(one) for one in quoted]
                text = "\n\n".join(lines) or "Nothing of this may be shown to you."
                self._world.open_page(one.person, Page(text=text))
            case "person":
                await self._hand_off(host, one, mine)
            case "private" | "share":
                address = mine if one.action == "private" else Address(venue=venue)
                key, again = f"h{number}", one.answer_id
                asked = Asked(
                    key=key,
                    venue=venue,
                    user=one.person,
                    at=one.at,
                    text="",
                    address=address,
                    again=again,
                )
                await host.accept(asked)

    async def _vote(self, host: Host, number: int, one: Happening) -> None:
        is_helpful = one.action == "helpful"
        voted = Voted(
            key=f"h{number}",
            venue=self._venue(one),
            user=one.person,
            at=one.at,
            answer_id=one.answer_id,
            helpful=is_helpful,
            reason=one.text,
        )
        await host.accept(voted)
        if one.kind == "pressed" and not is_helpful:
            page = Page(
                text="What was wrong?",
                action=one.action,
                answer_id=one.answer_id,
                channel=one.channel,
                thread=one.thread,
            )
            self._world.open_page(one.person, page)

    async def _hand_off(self, host: Host, one: Happening, mine: Address) -> None:
        place = Address(venue=Venue(platform=self.platform, channel=self._hand_off_to))
        told = await host.hand_off(one.answer_id, place) if self._hand_off_to else None
        if told is None:
            text = "There is nobody to ask here."
        elif told.is_repeated:
            text = "They were told before."
        else:
            text = "They are told."
            asked = f"{told.asker} asks: {told.question}\n\n{plain_text(told.blocks)}"
            self._world.post(place, "", asked, complete=True)
            await host.handed_off(one.answer_id, one.person, place.venue)
        self._world.post(mine, "", text, complete=True)

    # --- what goes out --------------------------------------------------------------------

    def fits(self, blocks: Sequence[Block], address: Address) -> bool:  # noqa: ARG002 - alike everywhere
        """Tell whether the text of these blocks is short enough."""
        return len(shown_text(blocks)) <= self._max_chars

    def _reply(self, address: Address, key: str, posted: tuple[str, ...]) -> TalkingReply:
        return TalkingReply(self, self._world, address, key, posted)

    async def readers(self, address: Address, groups: Collection[str]) -> frozenset[frozenset[str]]:
        """Return the groups of everyone who reads there."""
        world = self._world
        if address.only_for is not None:
            return frozenset({world.groups(address.only_for).intersection(groups)})
        members = world.members(address.venue.channel)
        if members is None:
            return frozenset({frozenset()})
        return frozenset(world.groups(one).intersection(groups) for one in members)

    async def fetch(self, attachment: Attachment, *, max_bytes: int) -> bytes:
        """Return the content of a file that was said with a question."""
        of, _, name = attachment.ref.partition("/")
        for _, one in self._world.happenings(0):
            if one.of == of and name in one.files:
                if len(one.files[name]) > max_bytes:
                    raise DeliveryError(f"larger than {max_bytes} bytes", passes=False)
                return one.files[name]
        raise DeliveryError("there is no such file", passes=False)


class TalkingReply(PlainReply):
    """A reply in a `PlainWorld`.

    Args:
        adapter: whose it is.
        world: the chat.
        address: where it stands.
        key: names it.
        posted: its messages.
    """

    def __init__(
        self,
        adapter: PlainAdapter,
        world: PlainWorld,
        address: Address,
        key: str,
        posted: tuple[str, ...],
    ) -> None:
        super().__init__(adapter, address, key, posted)
        self._world = world

    async def show(self, messages: Sequence[Sequence[Block]], *, complete: bool) -> None:
        """Post what is not there yet, change what is, and delete what is too much."""
        before = {one.id: one for one in self._world.messages(key=self._key)}
        for at, blocks in enumerate(messages):
            text = shown_text(blocks)
            if at == len(self.posted):
                await self._weather()
                added = self._world.post(self._address, self._key, text, complete=complete)
                self.posted = (*self.posted, added)
            elif self._is_news(before.get(self.posted[at]), text, complete):
                await self._weather()
                self._world.edit(self.posted[at], text, complete=complete)
            self._world.put_buttons(self.posted[at], _buttons(blocks) if complete else ())
        for surplus in self.posted[len(messages) :]:
            self._world.delete(surplus)
        self.posted = self.posted[: len(messages)]

    async def withdraw(self) -> None:
        """Delete what is there."""
        for message_id in self.posted:
            self._world.delete(message_id)
        self.posted = ()

    @staticmethod
    def _is_news(before: object, text: str, complete: bool) -> bool:
        kept = (getattr(before, "text", None), getattr(before, "is_complete", None))
        return kept != (text, complete)

    async def _weather(self) -> None:
        """Fail where the service is told to."""
        weather = self._world.weather()
        if not weather.failing:
            return
        self._world.put_weather(replace(weather, failing=weather.failing - 1))
        passes = weather.status == 429 or weather.status >= 500
        if weather.retry_after_s is not None:
            await asyncio.sleep(weather.retry_after_s)
        raise DeliveryError(f"the service says {weather.status}", passes=passes)


def shown_text(blocks: Sequence[Block]) -> str:
    """Return blocks as text, with the place and the address of each source."""
    return "\n\n".join(
        "\n".join(map(_source, block.sources))
        if isinstance(block, SourceList)
        else plain_text([block])
        for block in blocks
        if not isinstance(block, Actions)
    )


def _source(source: Source) -> str:
    first = source.citations[0]
    address = f" <{first.uri}>" if first.uri else ""
    return f"[{source.number}] {first.title}{_place(first.place.line)}{address}"


def _place(line: int | None) -> str:
    return "" if line is None else f", line {line}"


def _buttons(blocks: Sequence[Block]) -> list[Pressable]:
    return [
        Pressable(name=one.name, label=one.label, answer_id=one.answer_id)
        for block in blocks
        if isinstance(block, Actions)
        for one in block.actions
    ]


def _is_meant(one: Happening) -> bool:
    """Tell whether something was said to the bot alone, or names it."""
    is_direct = one.channel.startswith(DIRECT)
    return is_direct or MENTION in one.text or one.kind in {"changed", "deleted"}


def _entry(one: Quoted) -> str:
    if one.lost:
        return f"[{one.number}] {one.lost}"
    said = f"{one.before}{one.quote}{one.after}"
    return f"[{one.number}] {one.title}{_place(one.place.line)}\n{said}"
