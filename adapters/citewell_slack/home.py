"""The Home tab: how to ask, what is indexed, and what somebody asked last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from citewell.chat import LibraryState, Recent
from citewell_slack.encoding import SlackBlock, section, text

_MOST_LIBRARIES: Final = 30
_MOST_QUESTION: Final = 300


def home(
    bot: str, command: str, *, libraries: Sequence[LibraryState], recent: Sequence[Recent]
) -> dict[str, Any]:
    """Return the Home view of somebody.

    Args:
        bot: id of the bot's user.
        command: that asks privately.
        libraries: what is indexed.
        recent: what they asked, newest first.
    """
    lines: list[SlackBlock] = [
        section([text("Write to me in the Messages tab, and I answer from the documents below.")]),
        section([text("Mention me in a channel: "), _bot(bot), text(" how do I …?")]),
        section([text(f"Ask for yourself alone, anywhere: {command} how do I …?")]),
        section([text('Choose "Ask about this" from the menu of a message.')]),
    ]
    blocks = [_header("How to ask"), _rich(lines), _header("What I read")]
    shown = [section([*_library(one)]) for one in libraries[:_MOST_LIBRARIES]]
    left = len(libraries) - len(shown)
    shown += [section([text(f"and {left} more")])] if left > 0 else []
    blocks.append(_rich(shown or [section([text("Nothing is indexed yet.")])]))
    blocks.append(_header("What you asked last"))
    asked = [section([_when(one.at), text(f": {_short(one.text)}")]) for one in recent]
    blocks.append(_rich(asked or [section([text("Nothing yet.")])]))
    return {"type": "home", "blocks": blocks}


def _header(words: str) -> SlackBlock:
    return {"type": "header", "text": {"type": "plain_text", "text": words}}


def _rich(lines: Sequence[SlackBlock]) -> SlackBlock:
    return {"type": "rich_text", "elements": [*lines]}


def _bot(user: str) -> SlackBlock:
    return {"type": "user", "user_id": user}


def _library(one: LibraryState) -> Iterator[SlackBlock]:
    yield text(one.name, bold=True)
    if one.documents is None:
        yield text(": some of it is for you, ")
    else:
        noun = "document" if one.documents == 1 else "documents"
        yield text(f": {one.documents} {noun}, {one.passages} passages, ")
    if one.synced_at is None:
        yield text("not synced yet")
    else:
        yield text("synced ")
        yield _when(one.synced_at)


def _when(at: float) -> SlackBlock:
    """Return a time that Slack shows in the time zone of who reads it."""
    fallback = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return {
        "type": "date",
        "timestamp": int(at),
        "format": "{date_short_pretty} {time}",
        "fallback": fallback,
    }


def _short(words: str) -> str:
    flat = " ".join(words.split())
    return flat if len(flat) <= _MOST_QUESTION else f"{flat[:_MOST_QUESTION]} …"
