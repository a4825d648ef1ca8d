"""Text as Discord's Markdown shows it: nothing in it styles, links, names or rings anybody.

Source: discord.com/developers/docs/reference, "Message Formatting".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from citewell.blocks import Inline, Mark, Style

BREAK: Final = "\u200b"
"""Parts what Discord would read together; nobody sees it."""

_SPECIAL: Final = re.compile(r"\]\(|[\\*_~`|<>\[\]]")
_LINE_START: Final = re.compile(r"^(\s*)([#+-]|\d+(?=[.)]))", re.MULTILINE)
_EVERYONE: Final = re.compile(rf"@(?={BREAK}*(?:everyone|here))")
_NAMED: Final = re.compile(rf"\\<(?={BREAK}*[@#])")
_SCHEME: Final = re.compile(r":(?=//)")
# Discord looks for its own addresses even where they have no scheme.
_OWN: Final = re.compile(r"(discord(?:app)?)\.(?=com|gg|gift|new|me)", re.IGNORECASE)
_TICK: Final = re.compile(rf"`(?={BREAK}*(?:`|\Z))")
_HALF: Final = re.compile("[\ud800-\udfff]")
_TOUCHING: Final = frozenset({("*", "*"), ("`", "`"), ("\\", "`")})
_LANGUAGE: Final = re.compile(r"[A-Za-z0-9+#.-]{1,20}")


def possible(text: str) -> str:
    """Return text that Discord takes: no half character, no NUL."""
    return _HALF.sub("\N{REPLACEMENT CHARACTER}", text).replace("\0", "\N{SYMBOL FOR NULL}")


def escaped(text: str) -> str:
    """Return Markdown that shows exactly `text`."""
    text = _SPECIAL.sub(_escape, possible(text))
    text = _LINE_START.sub(_escape_start, text)
    text = _NAMED.sub(rf"\\<{BREAK}", text)
    text = _EVERYONE.sub(f"@{BREAK}", text)
    text = _SCHEME.sub(r"\\:", text)
    text = _OWN.sub(r"\1\\.", text)
    return f"\\{text}" if text.startswith("(") else text


def one_line(text: str) -> str:
    """Return text in one line."""
    return " ".join(text.split())


def inline(inlines: Iterable[Inline]) -> str:
    """Return Markdown of a paragraph's inlines; a mark stands in brackets."""
    joined, waiting = "", ""
    for one in inlines:
        part = "" if isinstance(one, Mark) else _in_style(one.text, one.style)
        # Two styles that touch would be read as another one; the second goes without.
        before = escaped(waiting) or joined
        if not isinstance(one, Mark) and (not part or (before[-1:], part[:1]) in _TOUCHING):
            # What follows on it has to be escaped with it: together they may be a link.
            waiting += one.text
            continue
        joined += escaped(waiting) + (f"[{one.number}]" if isinstance(one, Mark) else part)
        waiting = ""
    return joined + escaped(waiting)


def plain(inlines: Iterable[Inline]) -> str:
    """Return the characters of inlines alone, marks in brackets."""
    return "".join(f"[{one.number}]" if isinstance(one, Mark) else one.text for one in inlines)


def styled(text: str, style: Style) -> str:
    """Return Markdown of text in a style; what a style cannot hold goes without it."""
    return _in_style(text, style) or escaped(text)


def _in_style(text: str, style: Style) -> str:
    """Return Markdown of text in a style, or nothing where the style cannot hold it."""
    bare = text.strip()
    if style is Style.CODE and bare and bare == text and not set(text) & set("\n`"):
        return f"`{possible(text)}`"
    if not bare or style in {Style.PLAIN, Style.CODE}:
        return ""
    mark = "**" if style is Style.STRONG else "*"
    # Discord ends emphasis at an asterisk, even at an escaped one.
    if style is Style.EMPHASIS and ("*" in bare or "\n" in bare):
        return ""
    before, after = text[: text.index(bare)], text[text.index(bare) + len(bare) :]
    return f"{before}{mark}{escaped(bare)}{mark}{after}"


def code(text: str, language: str = "") -> str:
    """Return a block of code; nothing in it ends it."""
    named = language if _LANGUAGE.fullmatch(language) else ""
    return f"```{named}\n{_unticked(text)}\n```"


def strong_lines(text: str) -> str:
    """Return text that is marked, line by line."""
    return "\n".join(styled(line, Style.STRONG) for line in text.split("\n"))


def quoted(text: str) -> str:
    """Return Markdown as a quotation."""
    return "\n".join(f"> {line}" for line in text.split("\n"))


def subtext(text: str) -> str:
    """Return Markdown in small letters."""
    return "\n".join(f"-# {line}" if line.strip() else line for line in text.split("\n"))


def clipped(text: str, max_chars: int) -> str:
    """Return text that is not longer, and says so if it was."""
    return text if len(text) <= max_chars else f"{text[: max_chars - 1]}…"


def _escape(found: re.Match[str]) -> str:
    return r"\]\(" if found[0] == "](" else f"\\{found[0]}"


def _escape_start(found: re.Match[str]) -> str:
    if found[2].isdigit():
        return f"{found[1]}{found[2]}\\"
    return f"{found[1]}\\{found[2]}"


def _unticked(text: str) -> str:
    text = _TICK.sub(f"`{BREAK}", possible(text))
    # Discord takes a block without a character for none.
    return text if text.strip(BREAK) else f"{text}{BREAK}"
