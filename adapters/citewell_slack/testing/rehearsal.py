"""Slack on this machine, for `citewell try slack` and for the scenarios of every chat service."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

from citewell.chat import ABILITIES, Button, CannotAct, Rehearsal, Said, Seen
from citewell_slack import buttons, quoting
from citewell_slack.streaming import EVENT_TYPE
from citewell_slack.testing.clock import Clock
from citewell_slack.testing.deliveries import Delivery
from citewell_slack.testing.double import SlackDouble
from citewell_slack.testing.messages import Ephemeral, Message
from citewell_slack.testing.person import Person
from citewell_slack.testing.rendering import Rendered, notified, rendered
from citewell_slack.testing.wire import JsonObject
from citewell_slack.testing.workspace import Channel

_POSTING = "chat.*|response_url"
_SETTLES_WITHIN_S = 10.0


class SlackRehearsal:
    """A stand-in for Slack, with one workspace; see `citewell.chat.Rehearsal`.

    Args:
        double: which the adapter talks to.
    """

    def __init__(self, double: SlackDouble) -> None:
        self.double = double
        self._people: dict[str, Person] = {}
        self._channels: dict[str, Channel] = {}
        self._deliveries: dict[str, list[Delivery]] = {}
        self._mentioning: set[str] = set()
        self._looked: dict[str, Delivery] = {}
        self._helpers = double.add_group("helpers")
        self._help = double.add_channel("help")
        self._channels[self._help.id] = self._help

    @property
    def settings(self) -> Mapping[str, object]:
        """Settings of an `[adapter.NAME]` that lead it here."""
        return {
            "bot_token": self.double.bot_token,
            "app_token": self.double.app_token,
            "api_url": self.double.api_url,
            "hand_off": {"channel": self._help.id, "group": self._helpers.id},
        }

    @property
    def can(self) -> frozenset[str]:
        """Everything."""
        return ABILITIES

    def person(self, name: str, *, groups: Collection[str] = ()) -> str:
        """Return the id of somebody, who is a member of `groups` from now on, and of no other."""
        known = {one.user.name: one for one in self._people.values()}
        person = known.get(name) or self.double.add_person(name)
        self._people[person.id] = person
        handles = {one.handle: one for one in self.double.workspace.groups.values()}
        for handle in {*groups} - {*handles}:
            handles[handle] = self.double.add_group(handle)
        for handle, group in handles.items():
            others = [one for one in group.users if one != person.id]
            users = [*others, person.id] if handle in groups else others
            if set(users) != set(group.users):
                group.users = users
                changed = {"type": "subteam_members_changed", "subteam_id": group.id}
                self.double.events.other(changed)
        return person.id

    def channel(self, name: str, members: Collection[str]) -> str:
        """Return the id of a private channel, which has these members and the bot from now on."""
        known = {one.name: one for one in self._channels.values()}
        channel = known.get(name) or self.double.add_channel(name, is_private=True)
        self._channels[channel.id] = channel
        channel.members = [*members, self.double.bot_user_id]
        return channel.id

    # --- what people do -------------------------------------------------------------------

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
        """Let somebody write something; in the direct conversation nobody needs a mention."""
        somebody = self._people[person]
        where = self._channel(person, channel)
        is_mentioning = mention and channel is not None
        sent = len(self.double.deliveries.log)
        message = somebody.say(
            where,
            f"{self.double.mention} {text}" if is_mentioning else text,
            thread=self._message(where.id, thread) if thread else None,
            files=[somebody.upload(name, data) for name, data in (files or {}).items()],
        )
        if is_mentioning:
            self._mentioning.add(message.ts)
        said = Said(
            id=message.ts, person=person, channel=where.id, thread=message.thread_ts or message.ts
        )
        self._deliveries[said.id] = self.double.deliveries.log[sent:]
        return said

    async def change(self, said: Said, text: str) -> None:
        """Let somebody change what they wrote; a mention in it stays."""
        if said.id in self._mentioning:
            text = f"{self.double.mention} {text}"
        self._people[said.person].edit(self._message(said.channel, said.id), text)

    async def take_back(self, said: Said) -> None:
        """Let somebody delete what they wrote."""
        self._people[said.person].delete(self._message(said.channel, said.id))

    async def command(self, person: str, text: str, *, channel: str | None = None) -> Said:
        """Let somebody use `/ask`."""
        where = self._channel(person, channel)
        delivery = self._people[person].command("/ask", text, channel=where)
        return await self._triggered(delivery, person, where.id, thread="")

    async def ask_about(self, person: str, message: Said | Seen) -> Said:
        """Let somebody choose "Ask about this" of a message."""
        found = self._message(message.channel, message.id)
        delivery = self._people[person].shortcut("ask_about_this", found)
        # Below a message that has no replies, nothing can be said to one person alone.
        thread = found.thread_ts or ""
        return await self._triggered(delivery, person, found.channel, thread=thread)

    async def press(self, person: str, message: Seen, button: Button) -> None:
        """Let somebody press a button; a form that it opens is in `form` then."""
        self._close_modals(person)
        place = self._place(person, message)
        found = [one for one in rendered(place).buttons if one.value == button.handle]
        if not found:
            raise CannotAct(f"there is no button {button.label} any more")
        await self._settled(self._people[person].click(place, found[0]))

    async def fill_in(self, person: str, text: str) -> None:
        """Let somebody write into the form that is open, and send it."""
        somebody = self._people[person]
        inputs = [one for one in somebody.modal().blocks if one["type"] == "input"]
        if not inputs:
            raise CannotAct("there is nothing to fill in")
        await self._settled(somebody.submit({inputs[0]["element"]["action_id"]: text}))

    async def repeat(self, said: Said) -> None:
        """Deliver once more what was delivered."""
        copies = [self.double.deliveries.repeat(one) for one in self._deliveries[said.id]]
        for copy in copies:
            await self._settled(copy)

    # --- what people see ------------------------------------------------------------------

    def seen(self, person: str, *, channel: str | None = None, thread: str = "") -> list[Seen]:
        """Return what the bot has there for somebody to see, in order."""
        where = self._channel(person, channel)
        if person not in where.members:
            return []
        places: list[Message | Ephemeral] = [
            one for one in self.double.posted(where) if _thread(one) == thread
        ]
        places += [
            one
            for one in self.double.workspace.shown_to(person)
            if one.channel == where.id and (one.thread_ts or "") == thread
        ]
        return [_seen(one) for one in sorted(places, key=lambda one: one.ts)]

    def form(self, person: str) -> str | None:
        """Return the text of the form or page that is open for somebody."""
        view = self.double.workspace.surfaces.open_modal(person)
        if view is None or view.blocks == quoting.reading()["blocks"]:
            return None
        return f"{view.text}\n{rendered(view, labels=False).text}"

    def home(self, person: str) -> str | None:
        """Return the text of the Home tab, which is brought up to date whenever one looks."""
        looked = self._looked.get(person)
        if looked is None or looked.state != "waiting":
            sent = len(self.double.deliveries.log)
            self._people[person].open_home()
            self._looked[person] = self.double.deliveries.log[sent]
        view = self.double.workspace.surfaces.homes.get(person)
        return None if view is None else rendered(view, labels=False).text

    # --- what goes wrong ------------------------------------------------------------------

    def cut(self) -> None:
        """Break every connection now."""
        self.double.sockets.cut()

    def fail(self, times: int, *, status: int, retry_after_s: float | None = None) -> None:
        """Let the next calls that would post or change something fail like this."""
        if status == 429:
            self.double.faults.limit(_POSTING, math.ceil(retry_after_s or 0), times=times)
        else:
            self.double.faults.break_down(_POSTING, status, times=times)

    async def until_connected(self) -> None:
        """Wait until the bot hears what happens."""
        await self.double.connected(timeout_s=60.0)

    # --- finding things -------------------------------------------------------------------

    def _channel(self, person: str, channel: str | None) -> Channel:
        return (
            self._people[person].im if channel is None else self.double.workspace.channels[channel]
        )

    def _message(self, channel: str, ts: str) -> Message:
        found = self.double.workspace.messages.found(channel, ts)
        if found is None:
            raise CannotAct(f"there is no message {ts} to do this with")
        return found

    def _close_modals(self, person: str) -> None:
        """Close what covers the messages, as one must before a button can be pressed."""
        while self.double.workspace.surfaces.open_modal(person) is not None:
            self._people[person].close_modal()

    def _place(self, person: str, message: Seen) -> Message | Ephemeral:
        for one in self.double.workspace.shown_to(person):
            if one.ts == message.id:
                return one
        return self._message(message.channel, message.id)

    async def _triggered(
        self, delivery: Delivery, person: str, channel: str, *, thread: str
    ) -> Said:
        id_ = str(delivery.payload["trigger_id"])
        self._deliveries[id_] = [delivery]
        await self._settled(delivery)
        return Said(id=id_, person=person, channel=channel, thread=thread)

    async def _settled(self, delivery: Delivery) -> None:
        """Wait until the app has heard of something, as people see what comes of it."""
        async with asyncio.timeout(_SETTLES_WITHIN_S):
            await delivery.settled()


def _thread(message: Message | Ephemeral) -> str:
    """Return the thread that a message stands in; what heads one stands in the channel."""
    return "" if message.thread_ts in {None, message.ts} else str(message.thread_ts)


def _seen(place: Message | Ephemeral) -> Seen:
    shown, notice = rendered(place, labels=False), notified(place)
    links = tuple(dict.fromkeys(one.url for one in (*shown.links, *notice.links)))
    return Seen(
        id=place.ts,
        channel=place.channel,
        thread=_thread(place),
        text=shown.text,
        only_for=place.user if isinstance(place, Ephemeral) else None,
        buttons=tuple(_buttons(shown)),
        links=links,
        pings=tuple(f"{one.kind}:{one.id}" for one in (*shown.mentions, *notice.mentions)),
        images=(*shown.images, *notice.images),
        previews=links if isinstance(place, Message) and _has_previews(place) else (),
        changes=len(place.edits),
        is_growing=isinstance(place, Message) and _is_growing(place),
    )


def _buttons(shown: Rendered) -> list[Button]:
    found = [(one, buttons.read(one.value)) for one in shown.buttons]
    return [
        Button(name=read[0], label=one.text, handle=one.value)
        for one, read in found
        if read is not None
    ]


def _has_previews(message: Message) -> bool:
    # A stream has no such choice, and what is streamed is blocks, which grow no previews.
    return message.stream is None and message.content.unfurls is not False


def _is_growing(message: Message) -> bool:
    metadata: JsonObject = message.metadata or {}
    is_ours = metadata.get("event_type") == EVENT_TYPE
    is_complete = not is_ours or metadata["event_payload"].get("complete", True)
    return message.is_streaming or not is_complete


@asynccontextmanager
async def opened() -> AsyncIterator[Rehearsal]:
    """Open a stand-in, in which time passes as on the wall."""
    async with SlackDouble(clock=Clock(runs=True)) as double:
        yield SlackRehearsal(double)
