"""The methods conversations.*: what was said where, and who is there."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from citewell_slack.testing.calls import Call, Method
from citewell_slack.testing.messages import Message
from citewell_slack.testing.wire import JsonObject, Refusal
from citewell_slack.testing.workspace import Channel, ChannelKind, Workspace

_Item = TypeVar("_Item")

_SCOPE = {
    ChannelKind.PUBLIC: "channels",
    ChannelKind.PRIVATE: "groups",
    ChannelKind.GROUP_IM: "mpim",
    ChannelKind.IM: "im",
}
_KINDS = {
    "public_channel": ChannelKind.PUBLIC,
    "private_channel": ChannelKind.PRIVATE,
    "mpim": ChannelKind.GROUP_IM,
    "im": ChannelKind.IM,
}


class Conversations:
    """Tells of channels, members and messages."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def methods(self) -> Iterator[Method]:
        """Yield what is offered."""
        yield Method("conversations.history", self._history, tier=3)
        yield Method("conversations.replies", self._replies, tier=3)
        yield Method("conversations.members", self._members, tier=4)
        yield Method("conversations.info", self._info, tier=3)
        yield Method("conversations.list", self._list, tier=2)
        yield Method("conversations.open", self._open, "im:write", tier=3)
        yield Method("users.conversations", self._of_user, tier=3)

    def _history(self, call: Call) -> JsonObject:
        channel = self._readable(call)
        messages = self._workspace.messages.history(channel.id)
        found = [one for one in reversed(messages) if _is_between(one.ts, call)]
        shown, cursor = page(found, call, key=lambda one: one.ts, default=100)
        return self._page_of(shown, cursor, call) | {"pin_count": 0}

    def _replies(self, call: Call) -> JsonObject:
        channel = self._readable(call)
        thread = self._workspace.messages.thread(channel.id, call.text("ts"))
        if not thread:
            raise Refusal("thread_not_found")
        first, *rest = thread
        found = [first, *(one for one in rest if _is_between(one.ts, call))]
        shown, cursor = page(found, call, key=lambda one: one.ts, default=1000)
        return self._page_of(shown, cursor, call)

    def _page_of(self, shown: Sequence[Message], cursor: str, call: Call) -> JsonObject:
        has_metadata = bool(call.flag("include_all_metadata"))
        return {
            "messages": [self._with_replies(one, has_metadata=has_metadata) for one in shown],
            "has_more": bool(cursor),
            "response_metadata": {"next_cursor": cursor},
        }

    def _with_replies(self, message: Message, *, has_metadata: bool) -> JsonObject:
        shown = message.to_json(has_metadata=has_metadata)
        replies = self._workspace.messages.thread(message.channel, message.ts)[1:]
        if message.thread_ts == message.ts and replies:
            users = [*dict.fromkeys(one.user for one in replies)]
            shown |= {
                "reply_count": len(replies),
                "reply_users": users,
                "latest_reply": replies[-1].ts,
            }
        return shown

    def _members(self, call: Call) -> JsonObject:
        channel = self._workspace.channel(call.text("channel"))
        call.needs(f"{_SCOPE[channel.kind]}:read")
        shown, cursor = page(channel.members, call, key=str, default=100)
        return {"members": shown, "response_metadata": {"next_cursor": cursor}}

    def _info(self, call: Call) -> JsonObject:
        channel = self._workspace.channel(call.text("channel"))
        call.needs(f"{_SCOPE[channel.kind]}:read")
        return {"channel": channel.to_json(self._workspace.bot.id)}

    def _list(self, call: Call) -> JsonObject:
        return self._channels(call, self._visible(call))

    def _of_user(self, call: Call) -> JsonObject:
        user = self._workspace.user(call.text("user", self._workspace.bot.id))
        return self._channels(call, [one for one in self._visible(call) if user.id in one.members])

    def _channels(self, call: Call, found: Sequence[Channel]) -> JsonObject:
        shown, cursor = page(found, call, key=lambda one: one.id, default=100)
        bot = self._workspace.bot.id
        return {
            "channels": [one.to_json(bot) for one in shown],
            "response_metadata": {"next_cursor": cursor},
        }

    def _open(self, call: Call) -> JsonObject:
        given = call.maybe("channel")
        if given is not None:
            channel = self._workspace.channel(given)
        else:
            names = call.texts("users")
            if len(names) != 1:
                raise Refusal(
                    "method_not_supported_for_channel_type" if names else "users_list_not_supplied"
                )
            channel = self._workspace.im(self._workspace.user(names[0]).id)
        return {"channel": {"id": channel.id}}

    def _visible(self, call: Call) -> list[Channel]:
        names = call.text("types", "public_channel").split(",")
        kinds = [_KINDS[name.strip()] for name in names if name.strip() in _KINDS]
        for kind in kinds:
            call.needs(f"{_SCOPE[kind]}:read")
        hides_archived = bool(call.flag("exclude_archived"))
        return [
            one
            for one in self._workspace.channels.values()
            if one.kind in kinds
            and (one.kind == ChannelKind.PUBLIC or self._workspace.has_bot(one))
            and not (hides_archived and one.is_archived)
        ]

    def _readable(self, call: Call) -> Channel:
        channel = self._workspace.channel(call.text("channel"))
        call.needs(f"{_SCOPE[channel.kind]}:history")
        if not self._workspace.has_bot(channel):
            raise Refusal("not_in_channel")
        return channel


def page(
    found: Sequence[_Item], call: Call, *, key: Callable[[_Item], str], default: int
) -> tuple[list[_Item], str]:
    """Return one page of what was found, and the cursor of the next one or nothing."""
    limit = min(max(call.number("limit", default), 1), 1000)
    start = 0
    cursor = call.maybe("cursor")
    if cursor is not None:
        # By key, not by number: new messages must not shift the pages.
        keys = [key(one) for one in found]
        last = _decoded(cursor)
        if last not in keys:
            raise Refusal("invalid_cursor")
        start = keys.index(last) + 1
    shown = [*found[start : start + limit]]
    has_more = len(found) > start + limit
    return shown, base64.b64encode(f"next:{key(shown[-1])}".encode()).decode() if has_more else ""


def _decoded(cursor: str) -> str:
    try:
        return base64.b64decode(cursor, validate=True).decode().removeprefix("next:")
    except ValueError as error:
        raise Refusal("invalid_cursor") from error


def _is_between(ts: str, call: Call) -> bool:
    """Tell whether a time lies within the bounds that a call gives."""
    oldest, latest = call.maybe("oldest"), call.maybe("latest")
    inclusive = bool(call.flag("inclusive"))
    if oldest is not None and not (_time(ts) > _time(oldest) or (inclusive and ts == oldest)):
        return False
    return latest is None or _time(ts) < _time(latest) or (inclusive and ts == latest)


def _time(ts: str) -> tuple[int, int]:
    """Return a `ts` as something that can be compared: a float holds too few digits."""
    found = re.fullmatch(r"(\d+)(?:\.(\d{0,6})\d*)?", ts)
    if found is None:
        raise Refusal.of_arguments(f"[ERROR] must be a time: {ts}")
    return int(found[1]), int((found[2] or "").ljust(6, "0"))
