"""What happens when somebody presses a button under an answer, or sends the form behind it."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import Any, Final

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.context.async_context import AsyncBoltContext

from citewell.chat import Address, Asked, Host, Voted
from citewell_slack import buttons, incoming, quoting
from citewell_slack.handing import HandOffs
from citewell_slack.incoming import Payload, Workspace
from citewell_slack.listening import NOT_HERE, Chores, Listener
from citewell_slack.whispering import whisper
from citewell_slack.workspaces import Workspaces

REASON: Final = "citewell_reason"
_MOST_REASON: Final = 2000


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
                await self._vote(press, helpful=False)
                await self._chores.do(self._open_form(press))
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
            await self._chores.do(self._refuse(press))
            return
        address = press.address(private=private)
        await self._host.accept(
            Asked(
                key=press.trigger,
                venue=address.venue,
                user=press.user,
                at=float(press.at),
                text="",
                address=address,
                again=press.answer_id,
            )
        )

    async def _refuse(self, press: Press) -> None:
        api = await self._workspaces.api(press.where.team)
        await whisper(api, press.place, press.user, {"text": NOT_HERE})


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
