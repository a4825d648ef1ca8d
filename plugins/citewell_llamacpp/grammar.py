"""Grammars in GBNF: what a model may write while it is decoded.

Source of the notation: llama.cpp, `grammars/README.md`.
"""

from __future__ import annotations

from collections.abc import Sequence

# What opens a citation mark anywhere in Citewell; outside code only a given number may follow.
_OPENING = r"\x5B\u3010\uFF3B\u3014"
# What shows nothing, and what somebody may take for the end of a line.
_UNSEEN = r"\x00-\x08\x0B-\x1F\x7F\u0085\u2028\u2029"

# Lines of free text and of fenced code. Wherever this grammar sees code, Markdown does
# (CommonMark 0.31, GFM's tables). So a code span stands on one line, between single backticks, and
# nothing can be written that would take one of these for itself or decode to a bracket: a tag or
# an address in angle brackets, the destination of a link, a fence of tildes, an entity.
_LINES = rf"""
root ::= line ("\n" line)*
line ::= fence | bracketed | piped
fence ::= "```" [^`\n{_UNSEEN}]* "\n" (inside "\n")* "```"
inside ::= [ \t]* ([^` \t\n{_UNSEEN}] inside-rest | "`" (no-tick | "`" no-tick?)?)?
no-tick ::= [^`\n{_UNSEEN}] inside-rest
inside-rest ::= [^\n{_UNSEEN}]*
"""
_MARK = """
mark ::= "[" number (", " number)* "]"
number ::= {numbers}
"""
# A pipe may part a code span into cells of a table. So a line's spans hold brackets or pipes.
_KINDS = {"bracketed": rf"[^`\n|{_UNSEEN}]", "piped": rf"[^`\n{_OPENING}{_UNSEEN}]"}


def marks(highest: int) -> str:
    """Return a grammar of free text in which a citation mark carries a number from 1 to `highest`.

    Inside code, brackets are free. With 0 there are no marks, and no brackets outside code.
    """
    rules = [_LINES, *(_text(kind, code, marked=highest > 0) for kind, code in _KINDS.items())]
    if highest:
        rules.append(_MARK.format(numbers=" | ".join(map('"{}"'.format, range(1, highest + 1)))))
    return "".join(rule.lstrip() for rule in rules)


def _text(name: str, code: str, *, marked: bool) -> str:
    """Return the rules of a line of text whose code spans consist of `code`.

    Each says what may follow: after a mark no "(", after code or an escape no backtick, after a
    tilde no tilde, after "<" nothing that makes it a tag, after "&" nothing that makes it an
    entity.
    """
    mark = f"| mark {name}-after-mark" if marked else ""
    return rf"""
{name} ::= ("(" {name} | {name}-code | {name}-tilde | {name}-other)?
{name}-after-mark ::= ({name}-code | {name}-tilde | {name}-other)?
{name}-after-code ::= ("(" {name} | {name}-tilde | {name}-other)?
{name}-after-tilde ::= ("(" {name} | {name}-code | {name}-other)?
{name}-code ::= "`" {code}+ "`" {name}-after-code
{name}-tilde ::= "~" {name}-after-tilde
{name}-other ::= [^(`~\\<&\n{_OPENING}{_UNSEEN}] {name} | {name}-sign {mark}
{name}-sign ::= "\\" {name}-escape | "<" {name}-less | "&" {name}-and
{name}-escape ::= [^`<&\n{_OPENING}{_UNSEEN}] {name}-after-code
{name}-less ::= ([0-9=.%-] [0-9A-Za-z=.%-]*)? ([ \t,;:)>] {name})?
{name}-and ::= ([^l#`~\\<&\n{_OPENING}{_UNSEEN}] {name} | "l" {name}-and-l)?
{name}-and-l ::= ([^bs`~\\<&\n{_OPENING}{_UNSEEN}] {name})?
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
    return f"\\U{ord(character):08X}"
