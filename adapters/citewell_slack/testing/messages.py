"""What was posted, with everything that became of it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from citewell_slack.testing.clock import Clock
from citewell_slack.testing.stream import Stream
from citewell_slack.testing.wire import JsonObject, Refusal, without_nothing


@dataclass(frozen=True)
class Content:
    """What a message says.

    Attributes:
        text: in mrkdwn, or as Markdown where `markdown_text` was posted.
        unfurls: whether links may grow a preview; None where the sender left it to Slack.
    """

    text: str = ""
    blocks: Sequence[JsonObject] = ()
    metadata: JsonObject | None = None
    files: Sequence[JsonObject] = ()
    unfurls: bool | None = None


@dataclass(frozen=True)
class Author:
    """Who posts; `bot_id` and `app` are those of an app."""

    user: str
    bot_id: str | None = None
    app: str | None = None


@dataclass(frozen=True)
class Edit:
    """A change: by whom, when, and what was there before."""

    by: str
    ts: str
    before: Content


@dataclass
class Message:
    """A message of a channel or thread.

    Attributes:
        thread_ts: that of the first message, in a thread.
        edits: oldest first.
        stream: of a message that was streamed, also when it is over.
        reactions: users by name of the emoji.
    """

    channel: str
    ts: str
    author: Author
    content: Content
    thread_ts: str | None = None
    subtype: str | None = None
    edits: list[Edit] = field(default_factory=list)
    stream: Stream | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    is_deleted: bool = False
    _is_replaced: bool = False

    @property
    def user(self) -> str:
        """Who posted it."""
        return self.author.user

    @property
    def text(self) -> str:
        """Its text, or what was streamed so far."""
        if self.stream is None or self._is_replaced:
            return self.content.text
        return self.stream.text or self.content.text

    @property
    def blocks(self) -> list[JsonObject]:
        """Its blocks: what was streamed comes first."""
        if self.stream is None or self._is_replaced:
            return [*self.content.blocks]
        return [*self.stream.blocks(), *self.content.blocks]

    @property
    def is_tombstone(self) -> bool:
        """Tell whether it was deleted, but still heads its thread."""
        return self.subtype == "tombstone"

    @property
    def metadata(self) -> JsonObject | None:
        """What the app attached."""
        return self.content.metadata

    @property
    def is_streaming(self) -> bool:
        """Tell whether more may be appended."""
        return self.stream is not None and self.stream.is_open

    def edit(self, edit: Edit, content: Content) -> None:
        """Say something else instead, also instead of what was streamed."""
        self.edits.append(edit)
        self.content = content
        self._is_replaced = True

    def to_json(self, *, has_metadata: bool = False) -> JsonObject:
        """Return the message as history shows it."""
        # Of what an app changes with blocks, Slack does not say that it was edited.
        is_shown = self.edits and not (self.author.app and self.content.blocks)
        edited = {"user": self.edits[-1].by, "ts": self.edits[-1].ts} if is_shown else None
        return without_nothing({
            "type": "message",
            "subtype": self.subtype,
            "client_msg_id": None if self.author.bot_id or self.subtype else self._client_id(),
            "user": self.user,
            "bot_id": self.author.bot_id,
            "app_id": self.author.app,
            "text": self.text,
            "ts": self.ts,
            "thread_ts": self.thread_ts,
            "blocks": self.blocks,
            "files": [*self.content.files],
            "edited": edited,
            "streaming_state": self._streaming_state(),
            "metadata": self.metadata if has_metadata else None,
            "reactions": [
                {"name": name, "users": users, "count": len(users)}
                for name, users in self.reactions.items()
            ],
        })

    def _streaming_state(self) -> str | None:
        if self.stream is None:
            return None
        return "in_progress" if self.stream.is_open else "completed"

    def _client_id(self) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.channel}/{self.ts}"))


@dataclass
class Ephemeral:
    """What one person alone is shown; it is in no history."""

    channel: str
    user: str
    ts: str
    content: Content
    thread_ts: str | None = None
    edits: list[Edit] = field(default_factory=list)
    is_deleted: bool = False

    @property
    def text(self) -> str:
        """Its text."""
        return self.content.text

    @property
    def blocks(self) -> list[JsonObject]:
        """Its blocks."""
        return [*self.content.blocks]

    def edit(self, edit: Edit, content: Content) -> None:
        """Show something else instead."""
        self.edits.append(edit)
        self.content = content


class Messages:
    """All messages, by channel and time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_channel: dict[str, dict[str, Message]] = {}
        self._replies: dict[tuple[str, str], list[Message]] = {}

    def add(
        self, channel: str, author: Author, content: Content, *, thread_ts: str | None = None
    ) -> Message:
        """Post a message."""
        message = Message(channel, self._clock.stamp(), author, content, thread_ts)
        self._by_channel.setdefault(channel, {})[message.ts] = message
        if thread_ts is not None:
            self._replies.setdefault((channel, thread_ts), []).append(message)
            first = self.found(channel, thread_ts)
            if first is not None:
                first.thread_ts = thread_ts
        return message

    def edit(self, message: Message | Ephemeral, content: Content, *, by: str) -> None:
        """Change what a message says, and remember what it said."""
        before = replace(message.content, text=message.text, blocks=message.blocks)
        message.edit(Edit(by, self._clock.stamp(), before), content)

    def found(self, channel: str, ts: str) -> Message | None:
        """Return a message that is still there."""
        message = self._by_channel.get(channel, {}).get(ts)
        return None if message is None or message.is_deleted else message

    def get(self, channel: str, ts: str) -> Message:
        """Return a message that is still there.

        Raises:
            Refusal: there is none.
        """
        message = self.found(channel, ts)
        if message is None:
            raise Refusal("message_not_found")
        return message

    def all(self, channel: str | None = None) -> list[Message]:
        """Return every message, of one channel or of all, deleted ones too, oldest first."""
        if channel is not None:
            return [*self._of(channel).values()]
        every = (one for each in self._by_channel.values() for one in each.values())
        return sorted(every, key=lambda one: one.ts)

    def history(self, channel: str) -> list[Message]:
        """Return what a channel shows outside its threads, oldest first.

        What is left of a deleted message that heads a thread is shown, too.
        """
        shown = [one for one in self.all(channel) if not one.is_deleted or one.is_tombstone]
        return [one for one in shown if one.thread_ts in {None, one.ts}]

    def thread(self, channel: str, ts: str) -> list[Message]:
        """Return a message and its replies, oldest first."""
        first = self._of(channel).get(ts)
        thread = [*([] if first is None else [first]), *self._replies.get((channel, ts), [])]
        return [one for one in thread if not one.is_deleted or one.is_tombstone]

    def thread_of(self, channel: str, ts: str) -> str:
        """Return where a reply to a message belongs.

        Raises:
            Refusal: there is no such message, or it is gone and heads no thread.
        """
        if not re.fullmatch(r"\d+\.\d{6}", ts):
            problem = f"[ERROR] {ts} is not a valid thread_ts"
            raise Refusal.of_arguments(problem, error="invalid_thread_ts")
        message = self._of(channel).get(ts)
        if message is None or (message.is_deleted and not message.is_tombstone):
            raise Refusal("thread_not_found")
        return message.thread_ts or ts

    def _of(self, channel: str) -> Mapping[str, Message]:
        return self._by_channel.get(channel, {})
