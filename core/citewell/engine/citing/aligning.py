"""From a quotation that a model wrote to the offsets of stored text.

Whatever is found is a span of the stored text itself; nothing of the model's spelling survives.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from enum import Enum
from functools import lru_cache

from msgspec import Struct

from citewell.engine.citing.clauses import excepts
from citewell.engine.citing.negations import is_negated
from citewell.engine.citing.spans import Span
from citewell.engine.citing.words import words

# A quotation with a gap: how many words each of its parts has, and how wide the gap may be.
_PART_WORDS = 3
_GAP_CHARS = 300
_SAME = str.maketrans({
    **dict.fromkeys("“”„‟«»″＂", '"'),
    **dict.fromkeys("‘’‚‛′`´", "'"),
    **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
    "…": "...",
    "\u00ad": None,
})
_PARAGRAPH_END = re.compile(r"\n\s*\n")
_ELISION = re.compile(r"\s*(?:\[\s*)?(?:\.\.\.|…)(?:\s*\])?\s*")


class Folding(Enum):
    """How much spelling is ignored."""

    SPACE = "blank space"
    FORM = "compatibility forms, quotes, dashes, soft hyphens, blank space"
    LETTERS = "everything but letters and digits"


class _Folded(Struct, frozen=True):
    """Folded text; `origin[i]` is where its character `i` stands in the original."""

    text: str
    origin: tuple[int, ...]


class Aligner:
    """Finds things in one stored text."""

    def __init__(self, text: str, language: str = "en") -> None:
        self.text = text
        self._language = language
        self._folded: dict[Folding, _Folded] = {}

    def find(
        self, quotation: str, *, folding: Sequence[Folding] = tuple(Folding), start: int = 0
    ) -> Span | None:
        """Return where `quotation` stands, under the mildest folding that finds it.

        It must begin and end at the borders of words. The span is the first that fits and does not
        begin before `start`.
        """
        for fold in folding:
            span = self._find(quotation, fold, start=start)
            if span is not None:
                return span
        return None

    def find_code(self, code: str) -> Span | None:
        """Return where lines of code stand together, blank space aside, with their indentation."""
        span = self._find(code, Folding.SPACE, border=_is_code_border)
        if span is None:
            return None
        start = span[0]
        while start and self.text[start - 1] in " \t":
            start -= 1
        at_line_start = not start or self.text[start - 1] == "\n"
        return (start if at_line_start else span[0]), span[1]

    def find_elided(self, quotation: str) -> tuple[Span, ...]:
        """Return where the parts of a quotation stand, in order; empty when one is missing.

        What is left out between two parts is short and does not turn the statement round.
        """
        whole = self.find(quotation)
        if whole is not None:
            return (whole,)
        parts = [part for part in _ELISION.split(quotation) if part]
        if any(len(list(words(part))) < _PART_WORDS for part in parts):
            return ()
        spans: list[Span] = []
        for part in parts:
            end = spans[-1][1] if spans else 0
            span = self.find(part, start=end)
            if span is None or (spans and not self._may_be_left_out(self.text[end : span[0]])):
                return ()
            spans.append(span)
        return tuple(spans)

    def _may_be_left_out(self, gap: str) -> bool:
        return (
            len(gap) <= _GAP_CHARS
            and not _PARAGRAPH_END.search(gap)
            and not (is_negated(gap, self._language) or excepts(gap))
        )

    def _find(
        self,
        quotation: str,
        folding: Folding,
        *,
        start: int = 0,
        border: Callable[[str, int], bool] | None = None,
    ) -> Span | None:
        if folding not in self._folded:
            self._folded[folding] = _fold(self.text, folding)
        stored = self._folded[folding]
        wanted = _fold(quotation, folding).text.strip()
        is_border = border or _is_border
        for match in re.finditer(f"(?={re.escape(wanted)})", stored.text) if wanted else ():
            first = stored.origin[match.start()]
            end = stored.origin[match.start() + len(wanted) - 1] + 1
            whole = is_border(self.text, first) and is_border(self.text, end)
            if whole and first >= start:
                return first, end
        return None


def _is_border(text: str, offset: int) -> bool:
    """Tell whether no word runs across `offset`."""
    if not 0 < offset < len(text):
        return True
    return not (text[offset - 1].isalnum() and text[offset].isalnum())


def _is_code_border(text: str, offset: int) -> bool:
    """Tell whether a piece of code may begin or end at `offset`: at a blank, or at a delimiter."""
    if not 0 < offset < len(text):
        return True
    before, after = text[offset - 1], text[offset]
    return before.isspace() or after.isspace() or "`" in {before, after} or '"' in {before, after}


def _fold(text: str, folding: Folding) -> _Folded:
    fold_character = _FOLDERS[folding]
    folded: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        for piece in fold_character(character):
            blank = piece.isspace()
            if not (blank and folded[-1:] == [" "]):
                folded.append(" " if blank else piece)
                origin.append(index)
    return _Folded("".join(folded), tuple(origin))


@lru_cache(maxsize=4096)
def _form(character: str) -> str:
    form = unicodedata.normalize("NFKD", character.translate(_SAME)).translate(_SAME)
    return "".join(c for c in form if not unicodedata.combining(c))


@lru_cache(maxsize=4096)
def _letters(character: str) -> str:
    return "".join(c for c in _form(character).casefold() if c.isalnum())


_FOLDERS: dict[Folding, Callable[[str], str]] = {
    Folding.SPACE: str,
    Folding.FORM: _form,
    Folding.LETTERS: _letters,
}
