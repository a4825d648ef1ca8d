"""Grammars in GBNF: what a model may write while it is decoded.

Source of the notation: llama.cpp, `grammars/README.md`.
"""

from __future__ import annotations

from collections.abc import Sequence

# What opens a citation mark anywhere in Citewell; outside code only a given number may follow.
_OPENING = "[\u3010\uff3b\u3014"

# Lines of free text. A code span begins and ends on one line with a single backtick and never
# touches another; a fence begins and ends at the start of a line. So wherever this grammar sees
# code, Markdown does.
_MARKS = r"""
root ::= line ("\n" line)*
line ::= fence | text
text ::= code? (piece code?)*
piece ::= [^`\\\n{opening}] | "\\" [^`\n{opening}]{mark_piece}
code ::= "`" [^`\n]+ "`"
fence ::= "```" [^`\n]* "\n" (inside "\n")* "```"
inside ::= [^`\n] [^\n]* | "`" ([^`\n] [^\n]* | "`" ([^`\n] [^\n]*)?)? | ""
"""
_MARK = """mark ::= "[" number (", " number)* "]"
number ::= {numbers}
"""


def marks(highest: int) -> str:
    """Return a grammar of free text in which a citation mark carries a number from 1 to `highest`.

    Inside code, brackets are free. With 0 there are no marks, and no brackets outside code.
    """
    opening = "".join(f"\\x{ord(one):02X}" if one == "[" else one for one in _OPENING)
    text = _MARKS.lstrip().replace("{opening}", opening)
    text = text.replace("{mark_piece}", " | mark" if highest else "")
    if not highest:
        return text
    numbers = " | ".join(f'"{number}"' for number in range(1, highest + 1))
    return text + _MARK.format(numbers=numbers)


def choices(texts: Sequence[str]) -> str:
    """Return a grammar of exactly these texts."""
    return f"root ::= {' | '.join(map(_literal, texts))}\n"


def _literal(text: str) -> str:
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character.isascii() and (character.isalnum() or character in " _-"):
        return character
    return f"\\U{ord(character):08X}"
