"""Discord on this machine, for `citewell try discord` and for the contract of adapters."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from types import TracebackType
from typing import Final, Self

import discord

from citewell.chat import ABILITIES, Button, CannotAct, Said, Seen
from citewell_discord.client import ASK, ASK_ABOUT
from citewell_discord.encoding import GROWING
from citewell_discord.interacting import FIELD
from citewell_discord.testing.bodies import ComponentType
from citewell_discord.testing.double import DiscordDouble
from citewell_discord.testing.errors import Payload, Refusal
from citewell_discord.testing.events import Event, Intents
from citewell_discord.testing.forms import NotSendable
from citewell_discord.testing.interactions import Interaction
from citewell_discord.testing.messages import Message, MessageKind, Upload, walk
from citewell_discord.testing.payloads import role_payload
from citewell_discord.testing.people import Person
from citewell_discord.testing.permissions import Overwrite, Permissions
from citewell_discord.testing.places import Channel, Role
from citewell_discord.testing.rendering import rendered
from citewell_discord.testing.visible import visible

# What Discord counts in seconds passes here in hundredths.
_TIME_SCALE: Final = 0.01
_WAIT_S: Final = 20.0
_WRITTEN: Final = frozenset({
    MessageKind.DEFAULT,
    MessageKind.REPLY,
    MessageKind.SLASH_COMMAND,
    MessageKind.CONTEXT_MENU,
})
_POSTING: Final = frozenset({
    "POST /channels/{channel_id}/messages",
    "PATCH /channels/{channel_id}/messages/{message_id}",
    "POST /channels/{channel_id}/messages/{message_id}/threads",
    "POST /webhooks/{application_id}/{token}",
    "PATCH /webhooks/{application_id}/{token}/messages/{message}",
})
_TO_ASK: Final = "help"


class DiscordRehearsal:
    """A server in which the bot is a member, with no more rights than its invitation asks for.

    A group is the id of a role: any digits. Its people are members of the server; of a channel
    only those are members who were named as such, and nobody else sees it.

    Attributes:
        double: everything that happens, for tests that look closer.
        has_threads: whether questions of a channel are expected to be answered in threads.
    """

    def __init__(self) -> None:
        self.double = DiscordDouble()
        self.has_threads = True
        self._stack = AsyncExitStack()
        self._people: dict[str, Person] = {}
        self._channels: dict[str, Channel] = {}
        self._forms: dict[str, Interaction] = {}
        self._told: dict[str, Event] = {}

    async def __aenter__(self) -> Self:
        double = await self._stack.enter_async_context(self.double)
        double.rates.time_scale = _TIME_SCALE
        self._tell = double.world.publish
        double.world.publish = self._publish
        self.guild = double.world.add_guild("rehearsal", rights=_RIGHTS)
        # Who owns a server reads everything in it; here that is nobody.
        double.world.users[self.guild.owner_id].is_bot = True
        self._channels[_TO_ASK] = double.world.add_text(self.guild, _TO_ASK)
        self._stack.enter_context(_impatient())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @property
    def settings(self) -> Mapping[str, object]:
        """What leads the adapter here, with everything switched on."""
        return {
            "token": self.double.token,
            "api_url": self.double.api_url,
            "gateway_url": self.double.gateway_url,
            "message_content": True,
            "server_members": True,
            "hand_off": {"channel": str(self._channels[_TO_ASK].id)},
        }

    @property
    def can(self) -> frozenset[str]:
        """All but a page of the bot's own."""
        return ABILITIES - {"home"}

    # --- who and where ---------------------------------------------------------------------

    def person(self, name: str, *, groups: Collection[str] = ()) -> str:
        """Return the id of somebody who has exactly these roles from now on.

        Raises:
            CannotAct: a group is no id.
        """
        roles = [self._role(group) for group in groups]
        if name not in self._people:
            self._people[name] = self.double.person(name, self.guild, *roles)
        else:
            self.double.world.set_roles(self.guild, self._people[name].user, roles)
        return str(self._people[name].user.id)

    def channel(self, name: str, members: Collection[str]) -> str:
        """Return the id of a channel that these people and the bot see."""
        world, see = self.double.world, Permissions.VIEW_CHANNEL
        admitted = [world.bot.id, *map(int, members)]
        overwrites = [
            Overwrite(self.guild.id, deny=see),
            *(Overwrite(one, is_member=True, allow=see) for one in admitted),
        ]
        if name not in self._channels:
            self._channels[name] = world.add_text(self.guild, name, overwrites)
        else:
            world.set_overwrites(self._channels[name], overwrites)
        return str(self._channels[name].id)

    # --- what people do --------------------------------------------------------------------

    async def say(
        self,
        person: str,
        text: str,
        *,
        channel: str | None = None,
        thread: str = "",
        mention: bool = True,
        files: Mapping[str, bytes] | None = None,
    ) -> Said:
        """Let somebody write something; directly there is no need of a mention."""
        uploads = [Upload(name, data) for name, data in (files or {}).items()]
        speaker = self._person(person)
        if channel is None:
            with _refusable():
                message = speaker.tell_bot(text, *uploads)
            return Said(id=str(message.id), person=person, channel=str(message.channel.id))
        place = self._begun(speaker, thread) if thread else self._place(channel)
        words = f"{self.double.world.bot.mention} {text}" if mention else text
        with _refusable():
            message = speaker.say(place, words, *uploads)
        starts = self.has_threads and not place.is_thread
        answered_in = str(message.id) if starts else thread
        return Said(id=str(message.id), person=person, channel=channel, thread=answered_in)

    async def change(self, said: Said, text: str) -> None:
        """Let somebody change what they wrote."""
        message = self._message(said.id)
        mention = self.double.world.bot.mention
        words = f"{mention} {text}" if message.content.startswith(mention) else text
        self.double.clock.advance(0.01)
        with _refusable():
            self._person(said.person).edit(message, words)

    async def take_back(self, said: Said) -> None:
        """Let somebody delete what they wrote."""
        self._person(said.person).delete(self._message(said.id))

    async def command(self, person: str, text: str, *, channel: str | None = None) -> Said:
        """Let somebody use `/ask`."""
        asker = self._person(person)
        place = self.double.world.direct(asker.user) if channel is None else self._place(channel)
        return self._said(asker.slash(place, ASK, question=text), person)

    async def ask_about(self, person: str, message: Said | Seen) -> Said:
        """Let somebody choose "Ask about this"."""
        target = self._message(message.id)
        return self._said(self._person(person).use_on_message(ASK_ABOUT, target), person)

    async def press(self, person: str, message: Seen, button: Button) -> None:
        """Let somebody press a button, and wait until the bot reacts."""
        self._forms.pop(person, None)
        pressed = self._person(person).press(self._message(message.id), button.handle)
        await self.double.until(lambda: pressed.answered is not None, timeout_s=_WAIT_S)
        if pressed.modal is not None:
            self._forms[person] = pressed

    async def fill_in(self, person: str, text: str) -> None:
        """Let somebody send the form that is open.

        Raises:
            CannotAct: there is none, or it does not take this.
        """
        if person not in self._forms:
            raise CannotAct("no form is open")
        with _refusable():
            sent = self._person(person).submit(self._forms[person], {FIELD: text})
        del self._forms[person]
        await self.double.until(lambda: sent.answered is not None, timeout_s=_WAIT_S)

    async def repeat(self, said: Said) -> None:
        """Tell the bot once more of what somebody wrote or asked."""
        self.double.deliveries.publish(self._told[said.id])

    # --- what people see -------------------------------------------------------------------

    def seen(self, person: str, *, channel: str | None = None, thread: str = "") -> list[Seen]:
        """Return what the bot wrote there, as far as this person sees it."""
        viewer = self._person(person)
        if channel is None:
            place: Channel | None = self.double.world.direct(viewer.user)
        else:
            place = self.double.world.channels.get(int(thread or channel))
        if place is None:
            return []
        bot = self.double.world.bot
        return [
            _seen(one)
            for one in viewer.seen(place)
            if one.author is bot and one.kind in _WRITTEN and not (one.is_loading and _is_bare(one))
        ]

    def form(self, person: str) -> str | None:
        """Return the title and the labels of the form that is open."""
        shown = self._forms.get(person)
        if shown is None or shown.modal is None:
            return None
        labels = [one.label for one in walk(shown.modal.components) if one.label]
        return "\n".join([shown.modal.title or "", *labels])

    def home(self, person: str) -> str | None:  # noqa: ARG002 - Discord has no such page
        """Return None."""
        return None

    # --- what goes wrong -------------------------------------------------------------------

    def cut(self) -> None:
        """Break every connection of the gateway."""
        self.double.gateway.cut()

    def fail(self, times: int, *, status: int, retry_after_s: float | None = None) -> None:
        """Let the next calls fail that would post or change something."""
        if status == 429:
            wait_s = 0.05 if retry_after_s is None else retry_after_s
            self.double.faults.limit(_POSTING, calls=times, wait_s=wait_s)
        else:
            self.double.faults.fail(_POSTING, calls=times, status=status)

    async def until_connected(self) -> None:
        """Wait until the bot is told what happens."""
        await self.double.until(lambda: self.double.gateway.connected, timeout_s=_WAIT_S)

    # --- finding ---------------------------------------------------------------------------

    def _publish(self, event: Event) -> None:
        if event.name in {"MESSAGE_CREATE", "INTERACTION_CREATE"}:
            self._told[str(event.payload["id"])] = event
        self._tell(event)

    def _role(self, group: str) -> Role:
        if not group.isdecimal():
            raise CannotAct(f"{group}: expected digits: a group of Discord is the id of a role")
        role = self.guild.roles.get(int(group))
        if role is None:
            role = Role(int(group), f"role {group}", position=len(self.guild.roles))
            self.guild.roles[role.id] = role
            payload: Payload = {"guild_id": str(self.guild.id), "role": role_payload(role)}
            event = Event("GUILD_ROLE_CREATE", payload, Intents.GUILDS, self.guild.id)
            self.double.world.publish(event)
        return role

    def _person(self, id_: str) -> Person:
        for one in self._people.values():
            if str(one.user.id) == id_:
                return one
        raise CannotAct(f"{id_}: nobody has this id")

    def _place(self, id_: str) -> Channel:
        return self.double.world.channels[int(id_)]

    def _begun(self, speaker: Person, thread: str) -> Channel:
        """Return a thread; somebody who writes below a message begins one there."""
        if int(thread) in self.double.world.channels:
            return self._place(thread)
        return speaker.start_thread(self._message(thread), "talk")

    def _message(self, id_: str) -> Message:
        for channel in self.double.world.channels.values():
            if int(id_) in channel.messages:
                return channel.messages[int(id_)]
        raise CannotAct(f"{id_}: no message has this id")

    def _said(self, interaction: Interaction, person: str) -> Said:
        place = interaction.channel
        parent = place if place.parent is None else place.parent
        return Said(
            id=str(interaction.id),
            person=person,
            channel=str(parent.id),
            thread=str(place.id) if place.is_thread else "",
        )


_RIGHTS: Final = (
    Permissions.VIEW_CHANNEL
    | Permissions.SEND_MESSAGES
    | Permissions.READ_MESSAGE_HISTORY
    | Permissions.CREATE_PUBLIC_THREADS
    | Permissions.SEND_MESSAGES_IN_THREADS
)


def _seen(message: Message) -> Seen:
    place = message.channel
    parent = place if place.parent is None else place.parent
    shown = rendered(message)
    displays = [
        one.content or ""
        for one in walk(message.components)
        if one.type == ComponentType.TEXT_DISPLAY
    ]
    texts = [message.content, *displays] if message.content else displays
    is_growing = GROWING in texts or message.is_loading
    buttons = tuple(
        Button(name=_action(one.custom_id), label=one.label, handle=one.custom_id)
        for one in shown.buttons
        if one.custom_id is not None and not one.is_disabled
    )
    return Seen(
        id=str(message.id),
        channel=str(parent.id),
        thread=str(place.id) if place.is_thread else "",
        text="\n".join(visible(one) for one in texts if one != GROWING),
        only_for=None if message.seen_by is None else str(message.seen_by.id),
        buttons=buttons,
        links=tuple(one.url for one in shown.links),
        pings=tuple(shown.pings),
        images=tuple(shown.images),
        previews=tuple(shown.previews),
        changes=len(message.revisions) - 1,
        is_growing=is_growing,
    )


def _action(custom_id: str) -> str:
    parts = custom_id.split(":")
    return parts[1] if len(parts) == 3 else custom_id


def _is_bare(message: Message) -> bool:
    return not message.components and not message.content


@contextmanager
def _refusable() -> Iterator[None]:
    """Let somebody know what Discord does not take from them."""
    try:
        yield
    except (NotSendable, Refusal) as error:
        raise CannotAct(f"Discord does not take this: {error}") from error


@contextmanager
def _impatient() -> Iterator[None]:
    """Let a connection that broke be made again at once, where discord.py waits for seconds."""
    kind = discord.backoff.ExponentialBackoff
    before = kind.delay
    kind.delay = _at_once  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        kind.delay = before  # type: ignore[method-assign]


def _at_once(_: object) -> float:
    return 0.01
