"""Where everybody posts: messages and ephemerals, with the events that follow."""

from __future__ import annotations

from collections.abc import Callable

from citewell_slack.testing.events import Events
from citewell_slack.testing.messages import Author, Content, Ephemeral, Message
from citewell_slack.testing.workspace import Channel, Workspace


class Board:
    """Posts, edits and deletes."""

    def __init__(self, workspace: Workspace, events: Events, changed: Callable[[], None]) -> None:
        self._workspace = workspace
        self._events = events
        self._changed = changed
        bot = workspace.bot
        self.app_author = Author(bot.id, bot.bot_id, workspace.app)

    def post(
        self,
        channel: Channel,
        author: Author,
        content: Content,
        *,
        thread_ts: str | None = None,
        subtype: str | None = None,
    ) -> Message:
        """Post a message."""
        message = self._workspace.messages.add(channel.id, author, content, thread_ts=thread_ts)
        message.subtype = subtype
        if author == self.app_author:
            self._clear_status(message)
        self._events.posted(message)
        self._changed()
        return message

    def edit(self, message: Message, content: Content, *, by: str) -> None:
        """Change what a message says."""
        before = message.to_json()
        self._workspace.messages.edit(message, content, by=by)
        self._events.changed(message, before)
        self._changed()

    def delete(self, message: Message) -> None:
        """Take a message away; where it has replies, a tombstone heads them."""
        replies = self._workspace.messages.thread(message.channel, message.ts)[1:]
        if message.thread_ts == message.ts and replies:
            before = message.to_json()
            gone = Content("This message was deleted.")
            self._workspace.messages.edit(message, gone, by=message.user)
            # What heads a thread is not deleted but emptied, so the app hears of a change.
            message.subtype = "tombstone"
            self._events.changed(message, before)
        else:
            self._events.deleted(message)
        message.is_deleted = True
        self._changed()

    def finish(self, message: Message, before: dict[str, object]) -> None:
        """Tell of a message whose stream is over."""
        self._clear_status(message)
        self._events.changed(message, before)
        self._changed()

    def whisper(
        self, channel: Channel, user: str, content: Content, *, thread_ts: str | None = None
    ) -> Ephemeral:
        """Show something to one person alone; nothing tells of it."""
        stamp = self._workspace.clock.stamp()
        ephemeral = Ephemeral(channel.id, user, stamp, content, thread_ts)
        self._workspace.ephemerals.append(ephemeral)
        self._changed()
        return ephemeral

    def rewrite(self, ephemeral: Ephemeral, content: Content) -> None:
        """Show the same person something else instead."""
        self._workspace.messages.edit(ephemeral, content, by=self.app_author.user)
        self._changed()

    def withdraw(self, ephemeral: Ephemeral) -> None:
        """Show it no more."""
        ephemeral.is_deleted = True
        self._changed()

    def _clear_status(self, message: Message) -> None:
        surfaces = self._workspace.surfaces
        surfaces.clear_status(message.channel, message.thread_ts, now=self._workspace.clock.now)
