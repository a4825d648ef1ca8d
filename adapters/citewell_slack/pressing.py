"""What happens when somebody presses a button under an answer, or sends the form behind it."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from citewell import DeliveryError
from citewell.chat import Address, Asked, Host, Voted
from citewell_slack import buttons, incoming, quoting
from citewell_slack.calls import Refused
from citewell_slack.handing import HandOffs
from citewell_slack.incoming import Payload, Workspace
from citewell_slack.listening import NOT_HERE, Chores, Listener
from citewell_slack.whispering import whisper
from citewell_slack.workspaces import Workspaces

REASON: Final = "citewell_reason"
SHARED: Final = "You shared this answer here already."
SHOWN: Final = "You asked for this a moment ago."
NO_MEMBER: Final = "I am not in this channel, so I can share nothing here; invite me first."
_MOST_REASON: Final = 2000
_MOST_REMEMBERED: Final = 512
# Seconds in which a second click is no second wish.
_DOUBLE_S: Final = 60.0
# Of the three seconds for an acknowledgement, what a look at the channel may take.
_CHECK_S: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class Press:
    """Somebody pressed something.

    Attributes:
        at: Slack's time of it, unique.
        thread: that the message is in; empty outside a thread.
        trigger: with which a modal opens, for three seconds.
    """

    where: Workspace
    user: str
    channel: str
    thread: str
    at: str
    trigger: str
    answer_id: str

    @classmethod
    def of(cls, body: Payload, where: Workspace, answer_id: str) -> Press:
        """Read what Slack sends."""
        container = body.get("container") or {}
        message = body.get("message") or {}
        thread = container.get("thread_ts") or message.get("thread_ts") or ""
        return cls(
            where=where,
            user=str(body["user"]["id"]),
            channel=str(container.get("channel_id") or (body.get("channel") or {}).get("id") or ""),
            thread=str(thread),
            at=str(body["actions"][0]["action_ts"]),
            trigger=str(body["trigger_id"]),
            answer_id=answer_id,
        )

    @property
    def place(self) -> tuple[str, str]:
        """Channel and thread."""
        return self.channel, self.thread

    def address(self, *, private: bool) -> Address:
        """Return where an answer to who pressed goes: for them alone, or for everyone here."""
        data = {"user": self.user, "ts": self.at, **incoming.direct(self.channel)}
        venue = self.where.venue(self.channel, self.thread)
        return Address(venue=venue, only_for=self.user if private else None, data=data)


class Presser:
    """Does what the buttons say.

    Args:
        listener: knows the workspace.
        workspaces: with their tokens.
        host: the core.
        hand_offs: tells people.
        chores: what is done beside an acknowledgement.
    """

    def __init__(
        self,
        listener: Listener,
        workspaces: Workspaces,
        *,
        host: Host,
        hand_offs: HandOffs,
        chores: Chores,
    ) -> None:
        self._listener = listener
        self._workspaces = workspaces
        self._host = host
        self._hand_offs = hand_offs
        self._chores = chores
        self._triggers: OrderedDict[str, str] = OrderedDict()
        self._shown: OrderedDict[str, str] = OrderedDict()

    def register(self, app: AsyncApp) -> None:
        """Have bolt call this."""
        app.action(re.compile(f"^{buttons.PREFIX}"))(self._pressed)
        app.view(REASON)(self._reasoned)

    async def _pressed(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        read = buttons.read(str(body["actions"][0].get("value") or ""))
        if read is not None:
            name, answer_id = read
            await self._do(name, Press.of(body, self._listener.where(context), answer_id))
        await ack()

    async def _do(self, name: str, press: Press) -> None:
        match name:
            case "quotes":
                await self._chores.do(self._show_quotes(press))
            case "helpful":
                await self._vote(press, helpful=True)
            case "unhelpful":
                # The trigger is good for three seconds, which the journal may take.
                form = asyncio.create_task(self._chores.do(self._open_form(press)))
                try:
                    await self._vote(press, helpful=False)
                finally:
                    await form
            case "person":
                await self._chores.do(
                    self._hand_offs.tell(press.answer_id, press.user, press.where, press.place)
                )
            case "private" | "share":
                await self._ask_again(press, private=name == "private")

    async def _show_quotes(self, press: Press) -> None:
        api = await self._workspaces.api(press.where.team)
        # The trigger is good for three seconds, which reading the sources may take.
        opened = await api.do("views.open", trigger_id=press.trigger, view=quoting.reading())
        view = quoting.failed()
        try:
            quoted = await self._host.quotes(press.answer_id, press.address(private=True))
            view = quoting.quotes(quoted)
        finally:
            await api.do("views.update", view_id=opened["view"]["id"], view=view)

    async def _vote(self, press: Press, *, helpful: bool) -> None:
        await self._host.accept(
            Voted(
                key=f"vote-{press.at}-{press.user}",
                venue=press.where.venue(press.channel, press.thread),
                user=press.user,
                at=float(press.at),
                answer_id=press.answer_id,
                helpful=helpful,
            )
        )

    async def _open_form(self, press: Press) -> None:
        api = await self._workspaces.api(press.where.team)
        kept = json.dumps([press.answer_id, press.channel, press.thread])
        await api.do("views.open", trigger_id=press.trigger, view=_form(kept))

    async def _reasoned(
        self, ack: AsyncAck, body: dict[str, Any], context: AsyncBoltContext
    ) -> None:
        view, user = body["view"], str(body["user"]["id"])
        answer_id, channel, thread = json.loads(view["private_metadata"])
        reason = str(view["state"]["values"][REASON][REASON].get("value") or "").strip()
        if reason:
            await self._host.accept(
                Voted(
                    key=f"reason-{view['id']}",
                    venue=self._listener.where(context).venue(channel, thread),
                    user=user,
                    at=time.time(),
                    answer_id=answer_id,
                    helpful=False,
                    reason=reason,
                )
            )
        await ack()

    async def _ask_again(self, press: Press, *, private: bool) -> None:
        if not self._host.config.channel(press.channel).answers:
            await self._chores.do(self._tell(press, NOT_HERE))
            return
        if not private and not await self._is_member(press):
            await self._chores.do(self._tell(press, NO_MEMBER))
            return
        address = press.address(private=private)
        is_new = await self._host.accept(
            Asked(
                key=self._key(press, private=private),
                venue=address.venue,
                user=press.user,
                at=float(press.at),
                text="",
                address=address,
                again=press.answer_id,
            )
        )
        # What Slack delivers again was not pressed again.
        is_pressed = press.trigger not in self._triggers
        _remember(self._triggers, press.trigger, press.at)
        if not is_new and is_pressed:
            await self._chores.do(self._tell(press, SHOWN if private else SHARED))

    def _key(self, press: Press, *, private: bool) -> str:
        """Return what names a question that is asked again, the same for a second click."""
        if not private:
            return f"share-{press.answer_id}-{press.user}"
        # What one person alone is shown goes with the window, and may be wanted again later.
        first = self._shown.get(f"{press.answer_id}-{press.user}", press.at)
        if float(press.at) - float(first) > _DOUBLE_S:
            first = press.at
        _remember(self._shown, f"{press.answer_id}-{press.user}", first)
        return f"private-{press.answer_id}-{press.user}-{first}"

    async def _is_member(self, press: Press) -> bool:
        """Tell whether the bot may post there; where that cannot be known, it is tried."""
        try:
            async with asyncio.timeout(_CHECK_S):
                api = await self._workspaces.api(press.where.team)
                told = await api.read("conversations.info", channel=press.channel)
        except Refused as error:
            return error.code not in {"channel_not_found", "not_in_channel"}
        except (DeliveryError, TimeoutError):
            return True
        channel = told.get("channel") or {}
        return bool(channel.get("is_im") or channel.get("is_member", True))

    async def _tell(self, press: Press, text: str) -> None:
        api = await self._workspaces.api(press.where.team)
        await whisper(api, press.place, press.user, {"text": text})


def _remember(known: OrderedDict[str, str], name: str, value: str) -> None:
    known[name] = value
    while len(known) > _MOST_REMEMBERED:
        known.popitem(last=False)


def _form(kept: str) -> dict[str, Any]:
    """Return the form that asks what was wrong."""
    element = {
        "type": "plain_text_input",
        "action_id": REASON,
        "multiline": True,
        "max_length": _MOST_REASON,
    }
    asked = {
        "type": "input",
        "block_id": REASON,
        "optional": True,
        "label": {"type": "plain_text", "text": "What was wrong with the answer?"},
        "element": element,
    }
    return quoting.modal(
        "Not helpful",
        [asked],
        callback_id=REASON,
        private_metadata=kept,
        submit={"type": "plain_text", "text": "Send"},
    )
