"""Somebody in the workspace, who does what people do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from citewell.chat import CannotAct
from citewell_slack.testing.board import Board
from citewell_slack.testing.deliveries import Delivery
from citewell_slack.testing.directory import Directory
from citewell_slack.testing.events import Events
from citewell_slack.testing.form import filled
from citewell_slack.testing.interactions import Interactions, Place
from citewell_slack.testing.messages import Author, Content, Message
from citewell_slack.testing.rendering import Button, plain_blocks, rendered
from citewell_slack.testing.streaming import Streaming
from citewell_slack.testing.surfaces import View
from citewell_slack.testing.views import Views
from citewell_slack.testing.workspace import Channel, ChannelKind, File, User, Workspace

_MARKUP = re.compile(r"<(?:@[UW]\w+|#C\w+|!\w+|!subteam\^\w+|https?://[^\s<>]+)(?:\|[^<>]*)?>")


@dataclass(frozen=True)
class Hands:
    """What people act through."""

    workspace: Workspace
    board: Board
    events: Events
    directory: Directory
    streaming: Streaming
    interactions: Interactions
    views: Views


class Person:
    """A user; what they do happens at once, and the app hears of it soon, from the running loop.

    Attributes:
        id: of the user.
        mention: what others write to name them.
    """

    def __init__(self, user: User, hands: Hands) -> None:
        self.user = user
        self.id = user.id
        self.mention = f"<@{user.id}>"
        app = f"A{user.bot_id}" if user.bot_id else None
        self._author = Author(user.id, user.bot_id, app)
        self._hands = hands

    @property
    def im(self) -> Channel:
        """The conversation with the bot alone."""
        return self._hands.workspace.im(self.id)

    def say(
        self,
        channel: Channel,
        text: str,
        *,
        thread: Message | None = None,
        files: Sequence[File] = (),
    ) -> Message:
        """Post a message; mentions and links keep their markup, all else is as it is typed."""
        self._check_member(channel)
        for file in files:
            file.channels.append(channel.id)
        content = self._content(text, files)
        thread_ts = None if thread is None else thread.thread_ts or thread.ts
        subtype = "file_share" if files else None
        return self._hands.board.post(
            channel, self._author, content, thread_ts=thread_ts, subtype=subtype
        )

    def edit(self, message: Message, text: str) -> None:
        """Change their own message."""
        self._check_own(message)
        content = replace(self._content(text, ()), files=message.content.files)
        self._hands.board.edit(message, content, by=self.id)

    def delete(self, message: Message) -> None:
        """Take their own message away."""
        self._check_own(message)
        self._hands.board.delete(message)

    def upload(self, name: str, content: bytes, mimetype: str = "text/plain") -> File:
        """Upload a file, to go with a message."""
        return self._hands.workspace.add_file(name, content, mimetype, user=self.id)

    def react(self, message: Message, name: str) -> None:
        """Put an emoji under a message."""
        self._hands.directory.react(message, self.id, name)

    def unreact(self, message: Message, name: str) -> None:
        """Take their emoji away."""
        self._hands.directory.unreact(message, self.id, name)

    def join(self, channel: Channel) -> None:
        """Become a member."""
        channel.members.append(self.id)
        self._moved(channel, "member_joined_channel", "channel_join")

    def leave(self, channel: Channel) -> None:
        """Be a member no more."""
        self._check_member(channel)
        channel.members.remove(self.id)
        self._moved(channel, "member_left_channel", "channel_leave")

    def command(self, name: str, text: str = "", *, channel: Channel) -> Delivery:
        """Use a slash command."""
        self._check_member(channel)
        return self._hands.interactions.command(self.id, channel, name=name, text=text)

    def shortcut(self, callback_id: str, message: Message) -> Delivery:
        """Use a shortcut on a message."""
        return self._hands.interactions.shortcut(self.id, message, callback_id=callback_id)

    def click(self, place: Place, button: str | Button) -> Delivery:
        """Press a button, named by its label or its action id."""
        found = button if isinstance(button, Button) else _button(place, button)
        return self._hands.interactions.click(self.id, place, found)

    def modal(self) -> View:
        """Return the modal in front of them."""
        view = self._hands.workspace.surfaces.open_modal(self.id)
        if view is None:
            raise CannotAct(f"{self.user.name} has no modal open")
        return view

    def submit(self, values: Mapping[str, str] | None = None) -> Delivery:
        """Fill in the modal in front of them, by action id, and submit it."""
        view = self.modal()
        try:
            return self._hands.interactions.submit(view, filled(view, values or {}))
        except ValueError as error:
            raise CannotAct(str(error)) from error

    def close_modal(self) -> Delivery | None:
        """Close the modal in front of them."""
        return self._hands.interactions.close(self.modal())

    def open_home(self) -> None:
        """Look at the app's Home."""
        home = self._hands.workspace.surfaces.homes.get(self.id)
        view = {"view": self._hands.views.to_json(home)} if home else {}
        self._open_tab("home", view)

    def open_messages(self) -> None:
        """Look at the app's messages tab."""
        self._open_tab("messages", {})

    def look_at(self, channel: Channel) -> None:
        """Look at a channel while the app's panel is open."""
        entity = {
            "type": "slack#/types/channel_id",
            "value": channel.id,
            "team_id": self.user.team,
        }
        event = {
            "type": "app_context_changed",
            "user": self.id,
            "channel": self.im.id,
            "context": {"entities": [entity]},
        }
        self._hands.events.other(event)

    def home(self) -> View:
        """Return the Home that the app published for them."""
        found = self._hands.workspace.surfaces.homes.get(self.id)
        if found is None:
            raise CannotAct(f"{self.user.name} has no Home view")
        return found

    def press_stop(self, message: Message) -> None:
        """Press the stop button in the thread of a message; Slack ends what streams there."""
        workspace = self._hands.workspace
        thread_ts = message.thread_ts or message.ts
        thread = workspace.messages.thread(message.channel, thread_ts)
        streams = [one for one in thread if one.is_streaming]
        for one in streams:
            self._hands.streaming.press_stop(one)
        event = {
            "type": "agent_session_stopped",
            "channel": message.channel,
            "thread_ts": thread_ts,
            "streaming_message_ts": [one.ts for one in streams],
            "user": self.id,
        }
        self._hands.events.other(event, channel=workspace.channels[message.channel])

    def _open_tab(self, tab: str, more: Mapping[str, object]) -> None:
        event = {
            "type": "app_home_opened",
            "user": self.id,
            "channel": self.im.id,
            "tab": tab,
            **more,
        }
        self._hands.events.other(event)

    def _moved(self, channel: Channel, event: str, subtype: str) -> None:
        verb = "joined" if subtype == "channel_join" else "left"
        content = Content(f"{self.mention} has {verb} the channel")
        self._hands.board.post(channel, self._author, content, subtype=subtype)
        told = {"type": event, "user": self.id, "channel": channel.id, "team": self.user.team}
        kind = "C" if channel.kind == ChannelKind.PUBLIC else "G"
        self._hands.events.other({**told, "channel_type": kind}, channel=channel)

    def _content(self, text: str, files: Sequence[File]) -> Content:
        escaped = _escaped(text)
        blocks = plain_blocks(escaped) if escaped else ()
        return Content(escaped, blocks, files=[file.to_json() for file in files])

    def _check_member(self, channel: Channel) -> None:
        if self.id not in channel.members:
            raise CannotAct(f"{self.user.name} is not in {channel.name or channel.id}")

    def _check_own(self, message: Message) -> None:
        if message.user != self.id:
            raise CannotAct(f"{self.user.name} did not write this")


def _escaped(text: str) -> str:
    """Escape what Slack's clients escape: all but mentions and links."""
    made, end = "", 0
    for match in _MARKUP.finditer(text):
        made += _signs(text[end : match.start()]) + match[0]
        end = match.end()
    return made + _signs(text[end:])


def _signs(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _button(place: Place, name: str) -> Button:
    buttons = rendered(place).buttons
    found = [one for one in buttons if name in {one.text, one.action_id}]
    if len(found) != 1:
        raise CannotAct(f'{len(found)} buttons are called "{name}", of {buttons}')
    return found[0]
