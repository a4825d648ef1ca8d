"""What Slack tells of, as events of a chat service."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from citewell.chat import Address, Asked, Attachment, Deleted, Edited, Stopped, Venue
from citewell_slack.escaping import unescaped

Payload: TypeAlias = Mapping[str, Any]

# Other subtypes tell of joins, topics, pins and the like.
_ASKING: Final = frozenset({None, "file_share", "thread_broadcast"})
# It is nobody's app, so its messages have no `bot_id`.
_SLACKBOT: Final = "USLACKBOT"
_MARKUP: Final = re.compile(
    r"<(?:(?P<sign>[@#!])(?P<id>[^<>|]+)|(?P<url>[^<>|]+))(?:\|(?P<label>[^<>]*))?>"
)


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """Where something happened.

    Attributes:
        platform: name of the adapter's section.
        team: id of the workspace.
        bot: id of the app's own user there.
    """

    platform: str
    team: str
    bot: str

    def venue(self, channel: str, thread: str) -> Venue:
        """Return a place in the workspace."""
        return Venue(platform=self.platform, team=self.team, channel=channel, thread=thread)

    def private(self, channel: str, user: str) -> Venue:
        """Return where somebody alone talks with the bot, though in a channel of many.

        What is asked there must not lean on what others asked.
        """
        return self.venue(channel, f"private-{user}")

    def mentions_bot(self, text: str) -> bool:
        """Tell whether a text names the bot."""
        return re.search(rf"<@{re.escape(self.bot)}(?:\|[^<>]*)?>", text) is not None


def is_from_person(message: Payload, where: Workspace) -> bool:
    """Tell whether a person wrote this: no bot is ever answered."""
    user = message.get("user")
    return (
        bool(user)
        and user not in {where.bot, _SLACKBOT}
        and not message.get("bot_id")
        and (message.get("subtype") in _ASKING)
    )


def is_direct(event: Payload) -> bool:
    """Tell whether something stands in a conversation of one person with the bot."""
    return event.get("channel_type") == "im" or str(event.get("channel", "")).startswith("D")


def direct(channel: str) -> dict[str, str]:
    """Return what an address keeps of a channel: whether it is a direct conversation."""
    return {"direct": "1"} if channel.startswith("D") else {}


def thread_of(message: Payload) -> str:
    """Return the thread that a message is in, or that an answer to it begins."""
    return str(message.get("thread_ts") or message["ts"])


def asked(message: Payload, where: Workspace, *, channel: str) -> Asked:
    """Return a message as a question; both events of one mention are the same question."""
    ts = str(message["ts"])
    venue = where.venue(channel, thread_of(message))
    user = str(message["user"])
    data = {"user": user, "ts": ts, **direct(channel)}
    return Asked(
        key=ts,
        venue=venue,
        user=user,
        at=float(ts),
        text=words(str(message.get("text") or ""), where.bot),
        address=Address(venue=venue, data=data),
        attachments=attachments(message, where.team),
    )


def edited(event: Payload, where: Workspace) -> Edited | Deleted | None:
    """Return what a change means for a question; None where nothing was said anew."""
    message, before = event.get("message") or {}, event.get("previous_message") or {}
    if message.get("subtype") == "tombstone":
        return deleted({**event, "deleted_ts": message.get("ts")}, where)
    # A preview that Slack adds is a change too.
    if message.get("text") == before.get("text") or not is_from_person(message, where):
        return None
    return edit_of(message, where, channel=str(event["channel"]), at=str(event["event_ts"]))


def edit_of(message: Payload, where: Workspace, *, channel: str, at: str) -> Edited:
    """Return the change that led to what a message says now."""
    return Edited(
        key=f"edited-{at}",
        venue=where.venue(channel, thread_of(message)),
        user=str(message["user"]),
        at=float(at),
        of=str(message["ts"]),
        text=words(str(message.get("text") or ""), where.bot),
    )


def deleted(event: Payload, where: Workspace) -> Deleted | None:
    """Return what it means that a message is gone; None where it was none of a person."""
    before = event.get("previous_message") or {}
    if not is_from_person(before, where):
        return None
    return Deleted(
        key=f"deleted-{event['event_ts']}",
        venue=where.venue(str(event["channel"]), thread_of(before)),
        user=str(before["user"]),
        at=float(event["event_ts"]),
        of=str(event["deleted_ts"]),
    )


def gone(asked: Asked) -> Deleted:
    """Return that a question is not there any more, as is found later."""
    return Deleted(
        key=f"gone-{asked.key}",
        venue=asked.venue,
        user=asked.user,
        at=time.time(),
        of=asked.key,
    )


def stopped(event: Payload, where: Workspace) -> Stopped:
    """Return that somebody pressed stop."""
    return Stopped(
        key=f"stopped-{event['event_ts']}",
        venue=where.venue(str(event["channel"]), str(event.get("thread_ts") or "")),
        user=str(event["user"]),
        at=float(event["event_ts"]),
    )


def attachments(message: Payload, team: str) -> tuple[Attachment, ...]:
    """Return the files of a message."""
    files: Sequence[Payload] = message.get("files") or ()
    return tuple(
        Attachment(
            name=str(file.get("name") or file.get("title") or file.get("id") or "file"),
            ref=f"{team} {file.get('url_private_download') or file.get('url_private') or ''}",
            size=file.get("size"),
        )
        for file in files
    )


def words(text: str, bot: str) -> str:
    """Return what somebody wrote as plain text, without the mention of the bot."""
    without = re.sub(rf"<@{re.escape(bot)}(?:\|[^<>]*)?>", "", text) if bot else text

    def read(found: re.Match[str]) -> str:
        label, url = found["label"], found["url"]
        if url is not None:
            bare = url.removeprefix("mailto:")
            return f"{label} ({url})" if label and label not in {url, bare} else bare
        sign = "#" if found["sign"] == "#" else "@"
        name = label or found["id"].removeprefix("subteam^").partition("^")[0]
        return name if name.startswith(("@", "#")) else f"{sign}{name}"

    return unescaped(_MARKUP.sub(read, without)).strip()
