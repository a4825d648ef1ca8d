"""Inline Markdown of a claim, as spans."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from citewell.blocks import Span, Style

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline

# An underscore inside a word, as in `data_dir`, is none.
_PLAIN = r"(?:[^*_`\\]|(?<=[^\W_])_(?=[^\W_]))*"
_ONLY_TEXT = re.compile(_PLAIN)
# Most sentences hold no other markup than code, which takes no parser.
_ONLY_CODE = re.compile(rf"{_PLAIN}(?:`[^`]+`(?!`){_PLAIN})+")
_CODE = re.compile(r"`([^`]+)`")
_LINE_BREAK = re.compile(r"[ \t]*[\r\n]+[ \t]*")
_STYLES = {"strong_open": Style.STRONG, "em_open": Style.EMPHASIS}
_CLOSES = {"strong_close", "em_close"}


def spans(markdown: str, *, styled: bool = True) -> tuple[Span, ...]:
    """Return the text of `markdown` in spans.

    Without `styled` all of them are plain, and code keeps its backticks.

    Emphasis, strong, code and backslash escapes are understood; everything else is text. Line
    breaks become blanks, as the text of a source is often wrapped.
    """
    text = _LINE_BREAK.sub(" ", markdown)
    if _ONLY_TEXT.fullmatch(text):
        return (Span(text),) if text else ()
    merged: list[Span] = []
    for span in _code(text) if _ONLY_CODE.fullmatch(text) else _parse(text):
        style = span.style if styled else Style.PLAIN
        # Without a style, only its backticks tell `x[1]` from a citation mark.
        text = f"`{span.text}`" if span.style is Style.CODE and not styled else span.text
        if merged and merged[-1].style is style:
            merged[-1] = Span(merged[-1].text + text, style)
        else:
            merged.append(Span(text, style))
    return tuple(merged)


def _code(text: str) -> Iterator[Span]:
    for index, part in enumerate(_CODE.split(text)):
        if index % 2:
            is_padded = part[0] == part[-1] == " " and not part.isspace()
            yield Span(part[1:-1] if is_padded else part, Style.CODE)
        elif part:
            yield Span(part)


def _parse(text: str) -> list[Span]:
    parsed: list[Span] = []
    open_styles = [Style.PLAIN]
    for token in _parser().parseInline(text)[0].children or ():
        if token.type in _STYLES:
            open_styles.append(_STYLES[token.type])
        elif token.type in _CLOSES:
            open_styles.pop()
        elif token.content:
            style = Style.CODE if token.type == "code_inline" else open_styles[-1]
            parsed.append(Span(token.content, style))
    return parsed


@cache
def _parser() -> MarkdownIt:
    # Many answers hold no markup at all, and the parser takes as long to import as to format them.
    from markdown_it import MarkdownIt

    parser = MarkdownIt("zero").enable(["backticks", "emphasis", "escape"])
    parser.inline.ruler.before("emphasis", "product", _keep_product)
    return parser


def _keep_product(state: StateInline, silent: bool) -> bool:
    """Take a single `*` between letters or digits as it is: `2*3*4` must not lose its stars."""
    around = state.src[max(state.pos - 1, 0) : state.pos + 2]
    is_product = (
        len(around) == 3 and around[1] == "*" and around[0].isalnum() and around[2].isalnum()
    )
    if is_product and not silent:
        state.pending += "*"
    state.pos += is_product
    return is_product
