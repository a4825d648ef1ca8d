"""Quotations inside a sentence: which words are one, and the stored text in their place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from citewell.engine.citing.aligning import Aligner
from citewell.engine.citing.sanitizing import clean
from citewell.engine.citing.source import Source
from citewell.engine.citing.words import UNSPACED, may_be_unspaced, words

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
_DOUBLE_MARKS = frozenset(_DOUBLE)
_MARKS = _DOUBLE_MARKS.union("`", _SINGLE)


# These patterns take longer to compile than most answers take to check, and few of them need all.


@cache
def _unspaced() -> re.Pattern[str]:
    """Return a letter of a script without blanks."""
    return re.compile(f"[{UNSPACED}]")


@cache
def _quotation(*, doubled: bool) -> re.Pattern[str]:
    """Return words between a pair of marks, single ones alone if not `doubled`; or code."""
    return re.compile("|".join((_CODE, *(_DOUBLE_QUOTED if doubled else ()), _SINGLE_QUOTED)))


@cache
def _loose() -> re.Pattern[str]:
    """Return a double mark without its pair.

    It is none behind a figure, where it means inches or seconds, between two letters, as Hebrew
    writes its short forms, nor as an arrow.
    """
    return re.compile(
        rf"(?<!\d)(?!(?<={_LETTER})\"{_LETTER})(?!(?<!\S)[{_ANGLES}](?!\S))[{_DOUBLE}]"
    )


def with_stored_quotes(
    text: str, sources: Sequence[Source], *, question: Aligner
) -> tuple[str, str | None]:
    """Put stored text in the place of each quotation; return also the first not found.

    Nobody can tell what a mark without its pair quotes: then all of `text` must be stored.
    """
    if _MARKS.isdisjoint(text):
        return clean(text).text, None
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

    signs = _unspaced().sub(_SIGN, text) if may_be_unspaced(text) else text
    doubled = not _DOUBLE_MARKS.isdisjoint(text)
    quotation = _quotation(doubled=doubled)
    replaced = _replaced(text, stored, quotation.finditer(signs))
    is_loose = doubled and _loose().search(quotation.sub(" ", signs))
    if is_loose and not any(source.aligner.find(text) for source in sources):
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
