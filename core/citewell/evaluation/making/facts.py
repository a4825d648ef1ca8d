"""What a document states, as a question with its answer and the text that it stands in."""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from citewell.engine.citing.numerals import number, numbers_in_words
from citewell.engine.citing.units import unit_in
from citewell.engine.citing.words import content_stems, words
from citewell.evaluation.slices import sliced
from citewell.types.documents import Passage
from citewell.types.evaluation import EvalItem, Figure

_EASY_SHARE = 0.5
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_FIGURE = re.compile(
    r"(?P<sign>[-−])?\s?(?P<currency>[$€£¥])?\s?(?P<digits>\d[\d,.]*\d|\d)"
    r"(?:\s(?P<scale>thousand|million|billion|trillion))?\s?(?P<percent>%|percent|per cent)?"
)


_UNIT = re.compile(r"[^\W\d_]{2,}")
_KIND_OF_DAY = re.compile(r"\s(?:working|business|calendar)$")


class Kind(StrEnum):
    """What a question was made from; the value is the name of its slice."""

    HEADING = "a heading"
    DEFINITION = "a definition"
    TABLE = "a table"
    SENTENCE = "a sentence"
    GAP = "a gap"


class Fact(Struct, frozen=True, kw_only=True):
    """Something that a passage states.

    Attributes:
        answer: as the passage writes it; empty where only the quote tells.
        start: of `quote` in the text of the passage.
        end: of it; the quote is that stretch, byte for byte.
        at: where the answer stands in the document; two facts with one place are one.
        merit: how likely a person takes the question; higher is better.
    """

    kind: Kind
    question: str
    passage: Passage
    start: int
    end: int
    at: int
    answer: str = ""
    figure: Figure | None = None
    merit: int = 0

    @property
    def quote(self) -> str:
        """The text that it stands in."""
        return self.passage.text[self.start : self.end]

    @property
    def is_easy(self) -> bool:
        """Whether the question shares more than half of its content words with the quote."""
        return is_easy(self.question, self.quote, self.passage.language)

    def item(self) -> EvalItem:
        """Return it as a question of a set."""
        item = EvalItem(
            question=self.question,
            documents=(self.passage.document_id,),
            quotes=(self.quote,),
            answers=(self.answer,) if self.answer else (),
            figures=() if self.figure is None else (self.figure,),
            slices=(self.kind.value,),
            is_easy=self.is_easy,
            origin="documents",
        )
        return sliced(item)


def is_easy(question: str, quote: str, language: str) -> bool:
    """Tell whether `question` shares more than half of its content words with `quote`."""
    asked = content_stems(question, language)
    held = set(content_stems(quote, language))
    return sum(stem in held for stem in asked) > _EASY_SHARE * len(asked)


def plain(text: str) -> str:
    """Return what tells one text from another: its words, however they are written."""
    return " ".join(words(text))


def figure_in(text: str, language: str) -> Figure | None:
    """Return the number that `text` is; None for anything else, and for a number in brackets."""
    count, _, unit = text.strip().rpartition(" ")
    if count and _UNIT.fullmatch(unit) and unit_in([unit], language):
        counted = figure_in(_KIND_OF_DAY.sub("", count), language)
        return counted and Figure(value=counted.value, unit=unit)
    match = _FIGURE.fullmatch(text.strip())
    if match is None:
        found = [one for one in numbers_in_words(text) if one.span == (0, len(text))]
        return Figure(value=float(found[0].value)) if found else None
    value = number(match["digits"], language)
    if not isinstance(value, Decimal):
        return None
    scaled = float(value * _SCALES.get(match["scale"] or "", 1))
    unit = match["currency"] or ("%" if match["percent"] else "")
    return Figure(value=-scaled if match["sign"] else scaled, unit=unit)
