"""One passage as the checks read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TypeAlias

from citewell.engine.citing.aligning import Aligner
from citewell.engine.citing.clauses import Clause, clauses, with_leads
from citewell.engine.citing.negations import is_denied_next
from citewell.engine.citing.quantities import Figures, missing_figures
from citewell.engine.citing.sanitizing import clean, hosts_in, links_in
from citewell.engine.citing.spans import Span
from citewell.engine.citing.windows import Windows, narrowed, row_spans, sentence_spans
from citewell.engine.citing.words import content_stems, words
from citewell.types.documents import Passage

# In either order, with at most one content word between them.
_TOGETHER = 2
# How many sentences beside the closest one may hold the figures of a sentence.
REACH = 1

Pair: TypeAlias = tuple[str, str]


class Source:
    """One passage, read once for all the checks; each reading is made when it is first needed."""

    def __init__(self, passage: Passage) -> None:
        headings = dict.fromkeys(
            heading for placed in passage.places for heading in placed.place.headings
        )
        self.passage = passage
        self.aligner = Aligner(passage.text, passage.language)
        self.titles = tuple(filter(None, (passage.title, *headings)))
        self.around = tuple(filter(None, (*self.titles, passage.header)))

    @cached_property
    def text(self) -> str:
        """Everything that belongs to the passage: title, headings, a table's header, its text."""
        return "\n".join((*self.around, self.passage.text))

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word, for names and opposites."""
        return frozenset(words(self.text))

    @cached_property
    def stems(self) -> frozenset[str]:
        """The content words."""
        return frozenset(content_stems(self.text, self.passage.language))

    @cached_property
    def pairs(self) -> frozenset[Pair]:
        """Content words that stand together."""
        return pairs_of(content_stems(self.text, self.passage.language), reach=_TOGETHER)

    @cached_property
    def figures(self) -> Figures:
        """Every number and date."""
        return Figures(self.text, self.passage.language)

    @cached_property
    def addresses(self) -> frozenset[str]:
        """Every link and host name."""
        return links_in(self.text) | hosts_in(self.text)

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """Every clause, with whether it is negated."""
        units = (self.passage.text[start:end] for start, end in self._sentences.spans)
        return tuple(
            clause
            for unit in (*self.around, *with_leads(units))
            for clause in clauses(unit, self.passage.language)
        )

    @cached_property
    def _sentences(self) -> Windows:
        text, language = self.passage.text, self.passage.language
        spans = tuple(sentence_spans(text, language))
        return Windows(text, spans, language, headed=not self.passage.header)

    @cached_property
    def _rows(self) -> Windows:
        text, language = self.passage.text, self.passage.language
        spans = tuple(row_spans(text, language))
        return Windows(text, spans, language, headed=not self.passage.header)

    def quote(self, claim: str, *, row: bool = False) -> tuple[Span, float]:
        """Return the stretch closest to `claim`, and the share of its telling words in it.

        Args:
            claim: a sentence, which the sentences beside join that hold more of its figures, or a
                row of a table.
            row: whether it is a row, for which one row or sentence is quoted and no more.
        """
        text = self.passage.text
        windows = self._rows if row else self._sentences
        window = windows.closest(claim, joined=not row)
        if window is None:
            return narrowed(text, (0, len(text)), claim), 0.0
        span = narrowed(text, windows.span(window), claim)
        lacking = [] if row else self._figures_lacking(claim, span)
        if lacking:
            wide = narrowed(text, windows.span(window, reach=REACH), claim)
            span = wide if len(self._figures_lacking(claim, wide)) < len(lacking) else span
        return span, window.share

    def _figures_lacking(self, claim: str, span: Span) -> list[str]:
        found, language = [self.figures_in(span)], self.passage.language
        return list(missing_figures(claim, found, language, anywhere=[self.figures]))

    def near(self, claim: str, *, reach: int) -> Span:
        """Return where the sentences closest to `claim` stand, widened by `reach` sentences.

        Without reach it is one row or sentence alone.
        """
        windows = self._sentences if reach else self._rows
        window = windows.closest(claim, joined=bool(reach))
        return windows.span(window, reach=reach) if window else (0, len(self.passage.text))

    def text_near(self, claim: str, *, reach: int) -> str:
        """Return what is `near` a claim."""
        return self.passage.text[slice(*self.near(claim, reach=reach))]

    def figures_beside(self, claim: str) -> Figures:
        """Return the figures that belong to what `claim` says, and those of the titles above it.

        Of a table these are the rows that it names.
        """
        return self.figures_in(*self._sentences.beside(claim, reach=REACH))

    def figures_in(self, *spans: Span) -> Figures:
        """Return the figures of stretches of text, and of the titles above it."""
        texts = (self.passage.text[slice(*span)] for span in spans)
        return Figures("\n".join((*self.around, *texts)), self.passage.language)

    def is_denied_before(self, span: Span) -> bool:
        """Tell whether what stands before a stretch in its sentence denies it."""
        starts = [0, *(start for start, _ in self._sentences.spans if start <= span[0])]
        return is_denied_next(self.passage.text[max(starts) : span[0]], self.passage.language)

    def stored(self, quotation: str) -> str:
        """Return the stored text of a quotation on one line; empty when it does not stand there."""
        spans = self.aligner.find_elided(quotation)
        return " … ".join(clean(self.passage.text[slice(*span)]).text for span in spans)


def pairs_of(stems: Sequence[str], *, reach: int) -> frozenset[Pair]:
    """Return the pairs of words that are at most `reach` places apart, in alphabetical order."""
    return frozenset(
        (min(one, other), max(one, other))
        for distance in range(1, reach + 1)
        for one, other in _apart(stems, distance)
    )


def _apart(stems: Sequence[str], distance: int) -> Iterator[Pair]:
    for index in range(len(stems) - distance):
        yield stems[index], stems[index + distance]
