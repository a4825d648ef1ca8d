"""Text that stays text: no mention, link, image or markup comes out of its characters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from citewell.blocks import Inline, Mark, Span, Style

# Slack's clients make links of what begins like this, wherever it stands outside of code.
_ADDRESS: Final = re.compile(r"(?:https?://|www\.|mailto:|ftp://)[^\s]+", re.IGNORECASE)
# An underscore inside a word, as in `data_dir`, is none.
_MARKUP: Final = re.compile(r"[\\`*\[\]~]|(?<![^\W_])_|_(?![^\W_])")
_LINE_START: Final = re.compile(r"^(?P<blank>[ \t]*)(?P<sign>[-+=#]|\d{1,9}(?=[.)]))", re.MULTILINE)
_TICKS: Final = re.compile(r"`+")
_MOST_LANGUAGE: Final = 20
# Ticks of two pieces of code that touch would be one run, which ends neither.
_BREAK: Final = "\u200b"
_STYLES: Final = {Style.STRONG: "**", Style.EMPHASIS: "*"}


def signs(text: str) -> str:
    """Escape the three characters that Slack reads as markup everywhere."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescaped(text: str) -> str:
    """Undo these escapes."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def inlines(parts: Sequence[Inline]) -> str:
    """Return text with marks as Markdown; a mark is its number in brackets."""
    made = ""
    least = max(
        (_least_ticks(part.text) for part in parts if not isinstance(part, Mark)), default=1
    )
    for part in parts:
        if isinstance(part, Mark):
            made += f"[{part.number}]"
            continue
        text = code(part.text) if part.style is Style.CODE else _styled(part, least)
        made += _between(made, text) + text
    return _started(made)


def _between(made: str, text: str) -> str:
    """Return what keeps two pieces apart that would be something else together."""
    # A mark and what stands in parentheses behind it would be a link.
    if made.endswith("]") and text.startswith(("(", ":")):
        return "\\"
    return _BREAK if made.endswith("`") and text.startswith("`") else ""


def plain(text: str) -> str:
    """Return text as Markdown that shows exactly that."""
    return _started(_escaped(text, _least_ticks(text)))


def code(text: str, least: int = 1) -> str:
    """Return text as Markdown code; nothing in it becomes a link.

    Args:
        text: what it says.
        least: how many ticks it stands between at least.
    """
    if not text.strip():
        return text
    text = text.replace("\n", " ")
    ticks = "`" * (max((len(run) for run in _TICKS.findall(text)), default=0) + 1)
    ticks = max(ticks, "`" * least)
    edge = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{ticks}{edge}{signs(text)}{edge}{ticks}"


def fenced(text: str, language: str) -> str:
    """Return lines as a Markdown code block."""
    ticks = "`" * max(3, max((len(run) for run in _TICKS.findall(text)), default=0) + 1)
    word = re.sub(r"[^\w+#.-]", "", language)[:_MOST_LANGUAGE]
    return f"{ticks}{word}\n{signs(text)}\n{ticks}"


def _least_ticks(text: str) -> int:
    """Return how many ticks an address needs that stands beside a text.

    A notification of a streamed message knows no escapes: there a lone tick of the text would begin
    code that ends where that of an address begins, and the address would be a link.
    """
    return 2 if "`" in text else 1


def _styled(part: Span, least: int) -> str:
    text, sign = part.text, _STYLES.get(part.style, "")
    inside = text.strip()
    if not sign or not inside:
        return _escaped(text, least)
    # Markdown takes no blank behind an opening sign or before a closing one.
    start = text.index(inside)
    return f"{text[:start]}{sign}{_escaped(inside, least)}{sign}{text[start + len(inside) :]}"


def _escaped(text: str, least: int) -> str:
    made, end = "", 0
    for match in _ADDRESS.finditer(text):
        made += _marked(text[end : match.start()])
        address = code(match[0], least)
        made += _between(made, address) + address
        end = match.end()
    return made + _marked(text[end:])


def _marked(text: str) -> str:
    return signs(_MARKUP.sub(lambda found: f"\\{found[0]}", text))


def _started(text: str) -> str:
    """Escape what would begin a list, a heading or a rule."""

    def escape(match: re.Match[str]) -> str:
        sign = match["sign"]
        return f"{match['blank']}{sign if sign.isdigit() else chr(92) + sign}"

    escaped = _LINE_START.sub(escape, text)
    return re.sub(r"^([ \t]*\d{1,9})([.)])", r"\1\\\2", escaped, flags=re.MULTILINE)
