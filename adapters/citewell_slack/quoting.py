"""The pages that "Show the quotes" opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from citewell.chat import Quoted
from citewell_slack.encoding import SlackBlock, context, quotation, section, size, text
from citewell_slack.places import linked, placed

_TITLE: Final = "Quotes"
NOTHING: Final = (
    "Nothing of this can be shown: the sources are gone, or you may not read them any more."
)
# Source: https://docs.slack.dev/reference/views: 100 blocks; the characters are our own bound.
_MOST_BLOCKS: Final = 96
_MOST_CHARS: Final = 24_000
_MOST_AROUND: Final = 400


def modal(title: str, blocks: Sequence[SlackBlock], **more: Any) -> dict[str, Any]:
    """Return a modal."""
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": title[:24]},
        "close": {"type": "plain_text", "text": "Close"},
        "blocks": [*blocks],
        **more,
    }


def reading() -> dict[str, Any]:
    """Return what is shown until the sources were read."""
    return modal(_TITLE, [context("Reading the sources …")])


def failed() -> dict[str, Any]:
    """Return what is shown where the sources cannot be read."""
    return modal(_TITLE, [context("The sources cannot be read now; try again in a minute.")])


def quotes(quoted: Sequence[Quoted]) -> dict[str, Any]:
    """Return each quote in its surroundings, as many as fit."""
    if not quoted:
        return modal(_TITLE, [context(NOTHING)])
    made: list[SlackBlock] = []
    for count, one in enumerate(quoted):
        blocks = _shown(one)
        is_full = len(made) + len(blocks) > _MOST_BLOCKS or size([*made, *blocks]) > _MOST_CHARS
        if is_full and made:
            left = len(quoted) - count
            noun = "quote is" if left == 1 else "quotes are"
            return modal(_TITLE, [*made, context(f"{left} more {noun} not shown")])
        made += blocks
    return modal(_TITLE, made)


def _shown(one: Quoted) -> list[SlackBlock]:
    if one.lost:
        return [context(f"[{one.number}] {one.lost}")]
    where = placed(one.place, one.title)
    lead = [text(f"[{one.number}] "), linked(one.title, one.uri, one.place)]
    before, after = _last(one.before), _first(one.after)
    marked = [
        *([text(before)] if before else []),
        text(one.quote, bold=True),
        *([text(after)] if after else []),
    ]
    parts = [section([*lead, *([text(f", {where}")] if where else [])]), quotation(marked)]
    return [{"type": "rich_text", "elements": parts}]


def _last(words: str) -> str:
    """Return the end of what stands before a quote."""
    if len(words) <= _MOST_AROUND:
        return words
    return f"… {words[-_MOST_AROUND:].partition(' ')[2] or words[-_MOST_AROUND:]}"


def _first(words: str) -> str:
    """Return the beginning of what stands behind a quote."""
    if len(words) <= _MOST_AROUND:
        return words
    return f"{words[:_MOST_AROUND].rpartition(' ')[0] or words[:_MOST_AROUND]} …"
