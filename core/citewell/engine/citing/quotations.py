"""Quotations inside a sentence: which words are one, and the stored text in their place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from msgspec import Struct

from citewell.engine.citing.aligning import Aligner
from citewell.engine.citing.sanitizing import clean
from citewell.engine.citing.source import Source
from citewell.engine.citing.words import UNSPACED, words

# What opens a quotation, and what may close it, the likeliest first.
_PAIRS = {
    '"': '"”', "“": "”“\"", "”": "”", "„": "“”\"", "‟": "”", "″": "″", "＂": "＂",
    "«": "»", "»": "«»", "‹": "›", "›": "‹›", "「": "」", "『": "』",
    "《": "》", "〝": "〞〟", "❝": "❞",
}  # fmt: skip
_DOUBLE = "".join({*"".join(_PAIRS), *"".join(_PAIRS.values())})
# French sets them off with blanks; alone between two blanks they are arrows, as in `File › Open`.
_ANGLES = "»›"
_SINGLE = "'‘’‚‛′＇❛❜"

# In scripts without blanks a quotation may touch the words around it, so signs take their place.
# Sets of letters that leave those scripts out would take a fifth of a second to compile.
_SIGN = "\ue000"
_LETTER = r"[^\W\d_]"
_NOT_BEHIND_WORD, _NOT_BEFORE_WORD = r"(?<![^\W_])", r"(?![^\W_])"

# Another quotation by the same marks may stand inside.
_QUOTED = r"{begin}(?:(?!{begin}).|{begin}(?:(?!{begin}).)+?{end}){more}{end}"
_DOUBLE_QUOTED = tuple(
    _QUOTED.format(
        begin=_NOT_BEHIND_WORD + one + (r"(?=\S)" if one in _ANGLES else ""),
        end=("" if other in _ANGLES else r"(?<=\S)") + other + _NOT_BEFORE_WORD,
        more="+?",
    )
    for one, others in _PAIRS.items()
    for other in others
)
_SINGLE_QUOTED = _QUOTED.format(
    begin=rf"{_NOT_BEHIND_WORD}[{_SINGLE}](?!(?:\d0)?s\b)",
    end=rf"[{_SINGLE}]{_NOT_BEFORE_WORD}",
    # The last mark that may end it does: after "employees'" the words 'the employees' leave' go on.
    more="+",
)
_CODE = r"(?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
_MARKS = frozenset(f"`{_DOUBLE}{_SINGLE}")


class _Patterns(Struct, frozen=True):
    """What takes longer to compile than most answers take to check, and few of them need.

    Attributes:
        unspaced: a letter of a script without blanks.
        quotation: words between a pair of marks, or code.
        loose: a mark without its pair. It is none behind a figure, where it means inches or
            seconds, between two letters, as Hebrew writes its short forms, nor as an arrow.
    """

    unspaced: re.Pattern[str]
    quotation: re.Pattern[str]
    loose: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    return _Patterns(
        unspaced=re.compile(f"[{UNSPACED}]"),
        quotation=re.compile("|".join((_CODE, *_DOUBLE_QUOTED, _SINGLE_QUOTED))),
        loose=re.compile(
            rf"(?<!\d)(?!(?<={_LETTER})\"{_LETTER})(?!(?<!\S)[{_ANGLES}](?!\S))[{_DOUBLE}]"
        ),
    )


def with_stored_quotes(
    text: str, sources: Sequence[Source], *, question: Aligner
) -> tuple[str, str | None]:
    """Put stored text in the place of each quotation; return also the first not found.

    Nobody can tell what a mark without its pair quotes: then all of `text` must be stored.
    """
    if _MARKS.isdisjoint(text):
        return clean(text).text, None
    patterns = _patterns()
    missing: list[str] = []

    def stored(match: re.Match[str]) -> str:
        whole = text[slice(*match.span())]
        opening, quotation, closing = whole[0], whole[1:-1], whole[-1]
        if match["code"] or not any(words(quotation)):
            return whole
        for source in sources:
            if found := source.stored(quotation):
                return opening + found + closing
        if question.find(quotation) is None:
            missing.append(quotation)
        return whole

    signs = patterns.unspaced.sub(_SIGN, text)
    replaced = _replaced(text, stored, patterns.quotation.finditer(signs))
    if patterns.loose.search(patterns.quotation.sub(" ", signs)) and not any(
        source.aligner.find(text) for source in sources
    ):
        missing.append(text)
    # Stored text may have taken the place of half a code span: what stands now is read anew.
    return clean(replaced).text, next(iter(missing), None)


def _replaced(
    text: str, new: Callable[[re.Match[str]], str], matches: Iterator[re.Match[str]]
) -> str:
    """Do what `re.sub` does, with matches in a text of the same length."""
    parts = []
    position = 0
    for match in matches:
        parts += [text[position : match.start()], new(match)]
        position = match.end()
    return "".join([*parts, text[position:]])
