r"""Grammars in GBNF: what a model may write while it is decoded.

Source of the notation: llama.cpp, `grammars/README.md`. All classes are positive: llama.cpp takes
the first bytes of a character for refused where a negated class holds any that begins like it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

_LAST = 0x10FFFF
# What opens a citation mark anywhere in Citewell; outside code only a given number may follow.
_OPENING = "[\u3010\uff3b\u3014"
# Controls, what somebody may take for the end of a line, and halves of characters.
_UNSEEN = ((0x00, 0x1F), (0x7F, 0x7F), (0x85, 0x85), (0x2028, 0x2029), (0xD800, 0xDFFF))
# What every reader sees. Others may be dropped by one, so that their neighbours come together.
_VISIBLE = (
    (0x21, 0x7E), (0xA1, 0xAC), (0xAE, 0x24F), (0x391, 0x3A1), (0x3A3, 0x3C9), (0x401, 0x44F),
    (0x451, 0x451), (0x5D0, 0x5EA), (0x621, 0x64A), (0x904, 0x939), (0xE01, 0xE30),
    (0x2010, 0x2027), (0x2030, 0x205E), (0x20A0, 0x20BF), (0x2190, 0x22FF), (0x3001, 0x3013),
    (0x3041, 0x3096), (0x30A1, 0x30FE), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0xFF01, 0xFF5E),
    (0x1F300, 0x1F64F), (0x1F680, 0x1F6C5), (0x1F910, 0x1F9FF),
)  # fmt: skip
_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# What may stand between a blank and code, and has no meaning there.
_BEFORE_CODE = "\"'(*,-/:;_|\u2013\u2014\u2018\u201c"
# Citewell reads digits in a circle, and raised ones that follow no letter, as marks.
_CIRCLED = "\u207d" + "".join(map(chr, (*range(0x2460, 0x2500), *range(0x2776, 0x2794))))
_RAISED = "\u00b2\u00b3\u00b9" + "".join(map(chr, range(0x2070, 0x207A)))
_SPECIAL = "`~\\<&" + _OPENING
_BLANK = " \t"


def _class(ranges: Iterable[tuple[int, int]], *, without: str = "") -> str:
    """Return a class of the characters of `ranges`, but for those in `without`."""
    left = list(ranges)
    for code in map(ord, without):
        left = [part for start, end in left for part in _parts(start, end, code)]
    return f"[{''.join(f'{_code(start)}-{_code(end)}' for start, end in left)}]"


def _parts(start: int, end: int, code: int) -> list[tuple[int, int]]:
    if not start <= code <= end:
        return [(start, end)]
    return [(low, high) for low, high in ((start, code - 1), (code + 1, end)) if low <= high]


def _code(code: int) -> str:
    return f"\\U{code:08X}"


def _seen() -> list[tuple[int, int]]:
    """Return the ranges of all characters that may be written on a line."""
    starts = [0x09, *(end + 1 for _, end in _UNSEEN)]
    ends = [*(start - 1 for start, _ in _UNSEEN), _LAST]
    return [(0x09, 0x09), *zip(starts[1:], ends[1:], strict=True)]


def _any(without: str = "") -> str:
    return _class(_seen(), without=without)


def _visible(without: str = "") -> str:
    return _class(_VISIBLE, without=without)


# Lines of free text and of fenced code. Wherever this grammar sees code, Markdown does
# (CommonMark 0.31, GFM's tables and links), whichever characters a reader drops. So a code span
# stands on one line, between single backticks, and begins a word; and nothing can be written that
# would take one of these for itself or decode to a bracket: a tag or an address in angle brackets,
# the destination or the definition of a link, a fence of tildes, an entity.
_LINES = rf"""
root ::= line ("\n" line)*
line ::= fence | bracketed | piped
fence ::= "```" {_any("`")}* "\n" (inside "\n")* "```"
inside ::= [ \t]* ({_visible("`")} {_any()}* | "`" (inside-tick | "`" inside-tick?)?)?
inside-tick ::= ({_visible("`")} | [ \t]) {_any()}*
"""
_MARK = """
mark ::= "[" number (", " number)* "]"
number ::= {numbers}
"""
# A pipe may part a code span into cells of a table. So a line's spans hold brackets or pipes.
_KINDS = {"bracketed": "`|", "piped": f"`{_OPENING}"}


@cache
def marks(highest: int) -> str:
    """Return a grammar of free text in which a citation mark carries a number from 1 to `highest`.

    Inside code, brackets are free. With 0 there are no marks, and no brackets outside code.
    """
    rules = [_LINES, *(_text(kind, free, marked=highest > 0) for kind, free in _KINDS.items())]
    if highest:
        rules.append(_MARK.format(numbers=" | ".join(map('"{}"'.format, range(1, highest + 1)))))
    return "".join(rule.lstrip() for rule in rules)


def _text(name: str, no_code: str, *, marked: bool) -> str:
    """Return the rules of a line of text whose code spans hold none of the characters `no_code`.

    Each says what may follow: code where a word may begin; after code no backtick; after a mark
    neither "(" nor ":"; after a tilde no tilde; after "<" nothing that makes it a tag; after "&"
    nothing that makes it an entity; raised digits after a letter or a digit alone.
    """
    mark = f"| mark {name}-after-mark" if marked else ""
    rest = rf"{name}-sign | [ \t] {name} {mark}"
    opening, raised = (
        _class((ord(one), ord(one)) for one in each) for each in (_BEFORE_CODE, _RAISED)
    )
    other = _SPECIAL + _BLANK + _CIRCLED + _RAISED + _ALPHANUMERIC
    letter = f"[0-9A-Za-z] {name}-letter"

    def visible(without: str = "") -> str:
        shown = _visible(_SPECIAL + _RAISED + _ALPHANUMERIC + without)
        return f"{letter} | {shown} {name}-word"

    return rf"""
{name} ::= ({opening} {name} | {name}-code | {letter}
    | {_any(other + _BEFORE_CODE)} {name}-word | {rest})?
{name}-word ::= ({letter} | {_any(other)} {name}-word | {rest})?
{name}-letter ::= ({raised} {name}-letter | {letter} | {_any(other)} {name}-word | {rest})?
{name}-after-mark ::= ({visible("(:")} | {rest})?
{name}-code ::= "`" {_visible(no_code)} {_any(no_code)}* "`" {name}-after-code
{name}-after-code ::= ([,/|] {name} | {visible(",/|")} | {rest})?
{name}-sign ::= "~" {name}-tilde | "\\" {name}-escape | "<" {name}-less | "&" {name}-and
{name}-tilde ::= ({visible()} | [ \t] {name})?
{name}-escape ::= ("\\" {name}-escape | {visible()} | [ \t] {name})?
{name}-less ::= ([0-9=.%-] [0-9A-Za-z=.%-]*)? ([,;:)>] {name}-word | [ \t] {name})?
{name}-and ::= [0-9A-Za-z]* ("&" {name}-and | {name}-after-and | [ \t] {name})?
{name}-after-and ::= {_visible(_SPECIAL + _RAISED + _ALPHANUMERIC + ";#")} {name}-word
"""


def choices(texts: Sequence[str]) -> str:
    """Return a grammar of exactly these texts."""
    return f"root ::= {' | '.join(map(literal, texts))}\n"


def literal(text: str) -> str:
    """Return what stands for exactly this text in a grammar."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character.isascii() and (character.isalnum() or character in " _-"):
        return character
    return _code(ord(character))
