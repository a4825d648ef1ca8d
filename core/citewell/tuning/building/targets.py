"""What a model is to answer: the sentences of the passages that say it, each with its mark."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from citewell.engine.citing.marks import without_marks
from citewell.engine.citing.sentences import split_sentences
from citewell.engine.citing.tables import is_rule, table_cells
from citewell.evaluation.making.facts import plain
from citewell.evaluation.making.prose import bare
from citewell.tuning.building.lessons import exchanged
from citewell.types.documents import Passage
from citewell.types.evaluation import EvalItem, Swap

_MOST_SENTENCES = 3
_SPACE = re.compile(r"\s+")
_BULLET = re.compile(r"^\s*(?:[-*+\u2022\u2013]|\d{1,3}[.)])\s+")
_END = re.compile(r"([.!?…]+)([\"”')]*)$")


def cited_answer(
    item: EvalItem, passages: Sequence[Passage], swaps: Sequence[Swap | None] = (None,)
) -> str | None:
    """Return an answer in the passages' own sentences, each with the number of its passage.

    Args:
        item: what is asked; its quotes are what answers.
        passages: number 1 is the first.
        swaps: of each the quotes are looked for as they are then; None for as they are.

    Returns:
        The answer; None where a quote stands in none of the passages.
    """
    said: dict[str, None] = {}
    for swap in swaps:
        for quote in item.quotes:
            found = [*_said(exchanged(quote, swap), item, passages, swap)]
            if not found:
                return None
            said.update(dict.fromkeys(found))
    return " ".join(said) or None


def with_mark(sentence: str, number: int) -> str:
    """Return a sentence with a citation mark before the sign that ends it."""
    match = _END.search(sentence)
    if match is None:
        return f"{sentence} [{number}]."
    return f"{sentence[: match.start()]} [{number}]{match[0]}"


def _said(
    quote: str, item: EvalItem, passages: Sequence[Passage], swap: Swap | None
) -> Iterator[str]:
    wanted = _plain(quote)
    for number, passage in enumerate(passages, 1):
        if wanted and wanted in _plain(passage.text):
            answers = [exchanged(one, swap) for one in item.answers]
            for sentence in _sentences(quote, answers, passage):
                yield with_mark(sentence, number)
            return


def _sentences(quote: str, answers: Sequence[str], passage: Passage) -> list[str]:
    row = _of_row(quote, answers)
    if row is not None:
        return [row]
    # A number in brackets of the document itself would be a mark, and cite another passage.
    text = without_marks(bare(_BULLET.sub("", quote)))
    every = [text[start:end] for start, end in split_sentences(text, passage.language)]
    if len(every) <= _MOST_SENTENCES:
        return every
    return [one for one in every if any(answer in one for answer in answers)][:_MOST_SENTENCES]


def _of_row(quote: str, answers: Sequence[str]) -> str | None:
    """Return what a row of a table says, as a sentence; None where it is none."""
    if "|" not in quote or "\n" in quote.strip() or is_rule(quote, below=""):
        return None
    cells = [without_marks(bare(cell)) for cell in table_cells(quote)]
    named = [cell for cell in cells if cell]
    value = next((cell for cell in named[1:] if cell in answers), None)
    return None if value is None else f"{named[0]}: {value}."


def tells(answer: str, item: EvalItem, swaps: Sequence[Swap | None] = (None,)) -> bool:
    """Tell whether an answer states what was asked, of each of the swaps."""
    said = f" {plain(answer)} "
    return not item.answers or all(
        any(f" {plain(exchanged(one, swap))} " in said for one in item.answers) for swap in swaps
    )


def _plain(text: str) -> str:
    return _SPACE.sub(" ", text).strip().casefold()
