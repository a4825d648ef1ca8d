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
_APOSTROPHES = "'’"
# They join words and code spans, but not figures.
_JOINTS = frozenset("/-")
_EMPHASISED = re.compile(r"\S*[*_]\S*")
_SIGNS = "*_"
_RUN = re.compile(r"(?<!\\)(?:\*+|_+)")
_PLACEHOLDER = re.compile("[\ue000-\uf8ff]")
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
        is_apart = _ends_apart(text[max(begin - 2, 0) : begin]), _begins_apart(text[end : end + 2])
        code = spans[match[0]]
        word = _WORD_IN_CODE.fullmatch(code)
        if all(is_apart):
            return code
        if word:
            return word[1]
        return f"{'' if is_apart[0] else ' '}{code}{'' if is_apart[1] else ' '}"

    return _PLACEHOLDER.sub(placed, text)


def _joined(word: str) -> str:
    begin = len(word) - len(word.lstrip(_BEFORE + _SIGNS))
    end = len(word.rstrip(_AFTER + _SIGNS))
    if all(map(_is_literal, _RUN.finditer(word, begin, end))):
        return word
    return _RUN.sub(lambda run: run[0] if _is_literal(run) else "", word)


def _is_literal(run: re.Match[str]) -> bool:
    """Tell whether stars or underscores stand for themselves, as in `2*3` and `data_dir`."""
    return all(map(str.isalnum, _around(run))) and run[0].strip("_") in {"", "*"}


def _is_underlined(text: str) -> bool:
    """Tell whether underscores open emphasis and close it."""
    is_open = False
    for run in _RUN.finditer(text):
        if run[0][0] == "_" and not _is_literal(run):
            before, after = _around(run)
            if is_open and before.strip():
                return True
            is_open = is_open or bool(after.strip())
    return False


def _around(run: re.Match[str]) -> tuple[str, str]:
    return run.string[max(run.start() - 1, 0) : run.start()], run.string[run.end() : run.end() + 1]


def _ends_apart(before: str) -> bool:
    """Tell whether text ends where a code span may begin that is no part of a word."""
    far, near = before[:-1], before[-1:]
    return _is_blank(near) or near in _BEFORE or (near in _JOINTS and _is_word(far))


def _begins_apart(after: str) -> bool:
    near, far = after[:1], after[1:]
    if near in _JOINTS:
        return _is_word(far)
    is_end = near in _APOSTROPHES or _is_blank(far) or far in _AFTER
    return _is_blank(near) or (near in _AFTER and is_end)


def _is_blank(near: str) -> bool:
    return not near.strip("* \n")


def _is_word(far: str) -> bool:
    return far.isalpha() or _PLACEHOLDER.match(far) is not None
