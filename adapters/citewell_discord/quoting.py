"""What an answer quotes, in its surroundings, as messages for one person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from citewell.chat import Quoted
from citewell_discord.linking import quoted_head
from citewell_discord.markup import escaped, quoted, strong_lines
from citewell_discord.paging import paged

NOTHING: Final = "Nothing of what this answer quotes can be shown to you any more."
_MAX_AROUND: Final = 500


def quote_pages(quotes: Sequence[Quoted]) -> list[str]:
    """Return Markdown, a message each; the quotes are whole, what surrounds them may be cut."""
    return paged([_entry(one) for one in quotes]) or [NOTHING]


def _entry(one: Quoted) -> str:
    if one.lost:
        return f"[{one.number}] {escaped(one.lost)}"
    before, after = _ending(one.before), _beginning(one.after)
    said = one.quote.replace("\r\n", "\n")
    text = f"{escaped(before)}{strong_lines(said)}{escaped(after)}"
    return f"{quoted_head(one)}\n{quoted(text)}"


def _ending(text: str) -> str:
    text = text.replace("\r\n", "\n")
    return text if len(text) <= _MAX_AROUND else f"…{text[-_MAX_AROUND:]}"


def _beginning(text: str) -> str:
    text = text.replace("\r\n", "\n")
    return text if len(text) <= _MAX_AROUND else f"{text[:_MAX_AROUND]}…"
