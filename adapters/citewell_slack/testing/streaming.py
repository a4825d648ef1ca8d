"""The methods that stream one message: chat.startStream, appendStream, stopStream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from citewell_slack.testing.blocks import STATUSES, check_blocks, identified
from citewell_slack.testing.board import Board
from citewell_slack.testing.calls import Call, Method
from citewell_slack.testing.chat import writable
from citewell_slack.testing.content import check_metadata
from citewell_slack.testing.limits import Limits
from citewell_slack.testing.messages import Content, Message
from citewell_slack.testing.shapes import Malformed, Rule, listed, one_of, shaped, string, typed
from citewell_slack.testing.stream import Stream
from citewell_slack.testing.wire import JsonObject, Refusal
from citewell_slack.testing.workspace import Channel, ChannelKind, Workspace

# Source: https://docs.slack.dev/reference/methods/chat.appendStream: the texts of tasks and plans
# hold 256 characters.
_WORDS = string(256, least=0)
_SOURCE = typed({"url": shaped({"url": string(), "text": string()}, {"icon_url": string()})})


def _are_blocks(value: object, _pointer: str) -> None:
    check_blocks(value)


_CHUNKS: Mapping[str, Rule] = {
    "markdown_text": shaped({"text": string(least=0)}),
    "plan_update": shaped({"title": _WORDS}),
    "task_update": shaped(
        {"id": string(), "title": _WORDS, "status": one_of(*STATUSES)},
        {"details": _WORDS, "output": _WORDS, "sources": listed(_SOURCE, least=0)},
    ),
    "blocks": shaped({"blocks": _are_blocks}),
}


class Streaming:
    """Streams for the app."""

    def __init__(self, workspace: Workspace, board: Board, limits: Limits) -> None:
        self._workspace = workspace
        self._board = board
        self._limits = limits

    def methods(self) -> Iterator[Method]:
        """Yield what is offered."""
        yield Method("chat.startStream", self._start, "chat:write", tier=2)
        yield Method("chat.appendStream", self._append, "chat:write", tier=4)
        yield Method("chat.stopStream", self._stop, "chat:write", tier=2)

    def press_stop(self, message: Message) -> None:
        """End a stream because a person said so."""
        self._end(message, "stopped by a person")

    def _start(self, call: Call) -> JsonObject:
        channel = writable(self._workspace, call.text("channel"))
        thread_ts = self._workspace.messages.thread_of(channel.id, call.text("thread_ts"))
        self._check_recipient(channel, call)
        now = self._workspace.clock.now
        stream = Stream(now, recipient=call.maybe("recipient_user_id"), appended_at=now)
        stream.mode = "plan" if call.text("task_display_mode", "") == "plan" else "timeline"
        self._grow(stream, call)
        author = self._board.app_author
        message = self._board.post(channel, author, Content(), thread_ts=thread_ts)
        message.stream = stream
        self._watch(message)
        return {"channel": channel.id, "ts": message.ts}

    def _append(self, call: Call) -> JsonObject:
        message, stream = self._open(call)
        if not call.objects("chunks") and not call.text("markdown_text", ""):
            raise Refusal.of_arguments("[ERROR] missing required field: markdown_text")
        self._grow(stream, call)
        stream.appended_at = self._workspace.clock.now
        self._watch(message)
        return {"channel": message.channel, "ts": message.ts}

    def _stop(self, call: Call) -> JsonObject:
        message, stream = self._open(call)
        blocks = identified(check_blocks(call.arguments.get("blocks") or []))
        metadata = check_metadata(call.arguments.get("metadata"))
        before = message.to_json()
        self._grow(stream, call)
        self._limits.check_blocks(blocks)
        message.content = replace(message.content, blocks=blocks, metadata=metadata)
        stream.ended = "stopped"
        status = call.maybe("session_status")
        if status is not None:
            self._workspace.surfaces.sessions[message.channel, message.thread_ts or ""] = status
        self._board.finish(message, before)
        return {"channel": message.channel, "ts": message.ts}

    def _check_recipient(self, channel: Channel, call: Call) -> None:
        # In a direct message there is nobody else to stream to.
        if channel.kind == ChannelKind.IM:
            return
        for name in ("recipient_team_id", "recipient_user_id"):
            if call.maybe(name) is None:
                raise Refusal(f"missing_{name}")
        self._workspace.user(call.text("recipient_user_id"))

    def _open(self, call: Call) -> tuple[Message, Stream]:
        channel = self._workspace.channel(call.text("channel"))
        message = self._workspace.messages.get(channel.id, call.text("ts"))
        if message.author != self._board.app_author:
            raise Refusal("message_not_owned_by_app")
        if message.stream is None or not message.stream.is_open:
            raise Refusal("message_not_in_streaming_state")
        return message, message.stream

    def _grow(self, stream: Stream, call: Call) -> None:
        """Append what a call brings, or nothing at all."""
        text = call.text("markdown_text", "")
        if len(text) > self._limits.markdown:
            raise Refusal("msg_too_long")
        chunks = [{"type": "markdown_text", "text": text}] if text else []
        chunks += _checked(call.arguments.get("chunks") or [])
        # What is too long must leave no trace, so it is tried on a copy first.
        grown = Stream(stream.started_at, parts=[{**part} for part in stream.parts])
        grown.append(chunks)
        if grown.size > self._limits.stream:
            raise Refusal("msg_too_long")
        stream.append(chunks)

    def _watch(self, message: Message) -> None:
        """See to it that Slack ends a stream that is old, or that nothing is appended to."""
        stream = message.stream
        if stream is None:
            return
        oldest = stream.started_at + self._limits.stream_s
        ends_at = min(oldest, stream.appended_at + self._limits.stream_idle_s)

        def expire() -> None:
            idle_s = self._workspace.clock.now - stream.appended_at
            is_old = self._workspace.clock.now >= oldest
            if is_old or idle_s >= self._limits.stream_idle_s:
                self._end(message, "expired")

        self._workspace.clock.call_at(ends_at, expire)

    def _end(self, message: Message, how: Literal["expired", "stopped by a person"]) -> None:
        if message.stream is not None and message.stream.is_open:
            message.stream.ended = how


def _checked(chunks: object) -> Sequence[JsonObject]:
    try:
        listed(typed(_CHUNKS), least=0)(chunks, "/chunks")
    except Malformed as error:
        raise Refusal.of_arguments(str(error), error="invalid_chunks") from error
    return chunks if isinstance(chunks, list) else []
