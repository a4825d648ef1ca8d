"""The methods chat.*, but for those that stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from citewell_slack.testing.board import Board
from citewell_slack.testing.calls import Call, Method
from citewell_slack.testing.content import check_metadata, read_content
from citewell_slack.testing.limits import Limits
from citewell_slack.testing.messages import Content, Message
from citewell_slack.testing.wire import JsonObject, Refusal
from citewell_slack.testing.workspace import Channel, Workspace


def writable(workspace: Workspace, id_: str) -> Channel:
    """Return a channel that the bot may post to; of a user, the conversation with them.

    Raises:
        Refusal: it may not.
    """
    channel = workspace.im(id_) if id_ in workspace.users else workspace.channel(id_)
    if not workspace.has_bot(channel):
        raise Refusal("not_in_channel")
    if channel.is_archived:
        raise Refusal("is_archived")
    return channel


class Chat:
    """Posts, edits and deletes for the app."""

    def __init__(self, workspace: Workspace, board: Board, limits: Limits) -> None:
        self._workspace = workspace
        self._board = board
        self._limits = limits

    def methods(self) -> Iterator[Method]:
        """Yield what is offered."""
        yield Method("chat.postMessage", self._post, "chat:write", tier=0)
        yield Method("chat.update", self._update, "chat:write", tier=3)
        yield Method("chat.delete", self._delete, "chat:write", tier=3)
        yield Method("chat.postEphemeral", self._whisper, "chat:write", tier=4)
        yield Method("chat.getPermalink", self._permalink, tier=4)

    def _post(self, call: Call) -> JsonObject:
        channel = writable(self._workspace, call.text("channel"))
        thread_ts = self._thread(channel, call.maybe("thread_ts"))
        content = read_content(call.arguments, self._limits)
        message = self._board.post(channel, self._board.app_author, content, thread_ts=thread_ts)
        return {"channel": channel.id, "ts": message.ts, "message": message.to_json()}

    def _update(self, call: Call) -> JsonObject:
        message = self._own(call, "cant_update_message")
        if message.is_streaming:
            raise Refusal("streaming_state_conflict")
        # Slack takes 12,000 characters of Markdown, but 4,000 of plain text.
        content = self._updated(message, call.arguments)
        if len(content.text) > self._limits.updated_text and "markdown_text" not in call.arguments:
            raise Refusal("msg_too_long")
        self._board.edit(message, content, by=message.user)
        return {
            "channel": message.channel,
            "ts": message.ts,
            "text": message.text,
            "message": message.to_json(),
        }

    def _updated(self, message: Message, arguments: Mapping[str, Any]) -> Content:
        """Return what the message is to say; blocks stay only where no text is given."""
        says = any(arguments.get(name) for name in ("text", "markdown_text", "blocks"))
        if not says and not arguments.get("metadata"):
            raise Refusal("no_text")
        kept = replace(message.content, text=message.text, blocks=message.blocks)
        if not says:
            return replace(kept, metadata=check_metadata(arguments["metadata"]))
        given = read_content(arguments, self._limits)
        return replace(
            kept,
            text=given.text or kept.text,
            blocks=given.blocks,
            metadata=given.metadata or kept.metadata,
        )

    def _delete(self, call: Call) -> JsonObject:
        message = self._own(call, "cant_delete_message")
        if message.is_streaming:
            raise Refusal("cant_delete_message")
        self._board.delete(message)
        return {"channel": message.channel, "ts": message.ts}

    def _whisper(self, call: Call) -> JsonObject:
        channel = writable(self._workspace, call.text("channel"))
        user = self._workspace.user(call.text("user"))
        if user.id not in channel.members:
            raise Refusal("user_not_in_channel")
        thread_ts = self._thread(channel, call.maybe("thread_ts"))
        content = read_content(call.arguments, self._limits)
        # Slack takes it, and shows it to nobody where there is no thread yet.
        if thread_ts and len(self._workspace.messages.thread(channel.id, thread_ts)) == 1:
            return {"message_ts": self._workspace.clock.stamp()}
        shown = self._board.whisper(channel, user.id, content, thread_ts=thread_ts)
        return {"message_ts": shown.ts}

    def _permalink(self, call: Call) -> JsonObject:
        channel = self._workspace.channel(call.text("channel"))
        message = self._workspace.messages.get(channel.id, call.text("message_ts"))
        link = f"https://{self._workspace.domain}.slack.com/archives/{channel.id}"
        link += f"/p{message.ts.replace('.', '')}"
        if message.thread_ts not in {None, message.ts}:
            link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
        return {"channel": channel.id, "permalink": link}

    def _own(self, call: Call, error: str) -> Message:
        channel = self._workspace.channel(call.text("channel"))
        message = self._workspace.messages.get(channel.id, call.text("ts"))
        if message.author != self._board.app_author:
            raise Refusal(error)
        return message

    def _thread(self, channel: Channel, ts: str | None) -> str | None:
        return None if ts is None else self._workspace.messages.thread_of(channel.id, ts)
