"""Emphasis and code spans at the borders of words only.

The checks read characters, while a reader sees what Markdown makes of them: `**n**ot` is "not" and
`2**5**` is 25. So what a reader would join is joined before it is checked, without its emphasis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# What may stand between a blank and emphasis or code, and between those and the next blank.
_BEFORE = "([{\"'“„«‚‘‹—¿¡"
_AFTER = ".,;:!?)]}\"'”’»›…—"
_EMPHASISED = re.compile(r"\S*[*_]\S*")
_SIGNS = "*_"
_RUN = re.compile(r"(?<!\\)(?:\*+|_+)")
_LITERAL = re.compile(r"\*|_+")
_PLACEHOLDER = re.compile("[\ue000-\uf8ff]")
# A slash or a hyphen parts a code span from a letter or another span, but is a sign at a figure.
_LETTER = r"(?:[^\W\d_]|[\ue000-\uf8ff])"
_BEFORE_CODE = re.compile(rf"|.?[\s*{re.escape(_BEFORE)}]|{_LETTER}[/-]", re.DOTALL)
_AFTER_CODE = re.compile(rf"[{re.escape(_AFTER)}*]*(?:\s|$)|['’]|[/-]{_LETTER}")
_WORD_IN_CODE = re.compile(r"`+ ?([^\W_]+(?:_[^\W_]+)*) ?`+")


def at_borders(text: str) -> str:
    """Return a line of Markdown in which no emphasis begins or ends inside a word."""
    # One run alone opens what nothing closes: a star.
    if sum(not _is_literal(run) for run in _RUN.finditer(text)) < 2:
        return text
    text = _EMPHASISED.sub(lambda word: _joined(word[0]), text)
    if _is_underlined(text):
        # To patterns of words and numbers an underscore is a letter, and a star is none.
        text = _RUN.sub(lambda run: run[0] if _is_literal(run) else "*" * len(run[0]), text)
    return text


def with_code(text: str, spans: Mapping[str, str]) -> str:
    """Put code spans back for their placeholders; what would join a word is part of it."""

    def placed(match: re.Match[str]) -> str:
        begin, end = match.span()
        before = "" if _BEFORE_CODE.fullmatch(text, max(begin - 2, 0), begin) else " "
        after = "" if _AFTER_CODE.match(text, end) else " "
        code = spans[match[0]]
        word = _WORD_IN_CODE.fullmatch(code) if before or after else None
        return word[1] if word else f"{before}{code}{after}"

    return _PLACEHOLDER.sub(placed, text)


def _joined(word: str) -> str:
    begin = len(word) - len(word.lstrip(_BEFORE + _SIGNS))
    end = len(word.rstrip(_AFTER + _SIGNS))
    if all(map(_is_literal, _RUN.finditer(word, begin, end))):
        return word
    return _RUN.sub(lambda run: run[0] if _is_literal(run) else "", word)


def _is_literal(run: re.Match[str]) -> bool:
    """Tell whether stars or underscores stand for themselves, as in `2*3` and `data_dir`."""
    return all(map(str.isalnum, _around(run))) and _LITERAL.fullmatch(run[0]) is not None


def _is_underlined(text: str) -> bool:
    """Tell whether underscores open emphasis and close it."""
    around = [
        _around(run)
        for run in _RUN.finditer(text)
        if run[0].startswith("_") and not _is_literal(run)
    ]
    opening = next((i for i, (_, after) in enumerate(around) if after.strip()), len(around))
    return any(before.strip() for before, _ in around[opening + 1 :])


def _around(run: re.Match[str]) -> tuple[str, str]:
    return run.string[max(run.start() - 1, 0) : run.start()], run.string[run.end() : run.end() + 1]
