"""The soft checks: is what a sentence says found in what it cites?

They compare words and figures and understand nothing; "supported" means "stands there", not
"true". A sentence must pass every one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TypeAlias

from msgspec import Struct

from citewell.engine.citing.aligning import Aligner
from citewell.engine.citing.quantities import Figures, missing_figure, missing_figures
from citewell.engine.citing.sanitizing import clean, hosts_in, links_in
from citewell.engine.citing.spans import Span
from citewell.engine.citing.windows import Windows, narrowed, row_spans, sentence_spans
from citewell.engine.citing.words import (
    content_stems,
    is_negated,
    negators,
    opposites,
    stem,
    stopwords,
    words,
)
from citewell.types import Passage, Verdict

# Source: proofs/verdicts.py, ten-fold cross-validation on attribution_dev of AttributionBench
# (Li et al. 2024) over bars from .5 up: less than half would not be called contained.
CONTAINMENT_BAR = 0.55
# Of the pairs of neighbouring content words, the share that must stand together in the source: in
# either order, with at most one content word between them. Chosen on the same data.
PHRASE_BAR = 0.2
_TOGETHER = 2
# How many sentences beside the closest one may hold the figures of a sentence.
_REACH = 1
# The share of a clause's words that makes another clause say the same or the contrary.
_SAME_CLAUSE = 0.75
_FEW_WORDS = 3

_CLAUSE_BORDER = re.compile(
    r"[;()\u2013\u2014]|[,:](?!\d)|\b(?:and|but|while|although|though|because|which|that|unless|whereas|"
    r"aber|und|weil|dass|mais|et|que|pero|y)\b",
    re.IGNORECASE,
)
# They begin every noun with a capital.
_NOUNS_ARE_CAPITAL = frozenset({"de", "lb"})
_TOKEN = re.compile(r"[^\W_]+(?:['’.&-][^\W_]+)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:…•|(\[\"“„«*_])\s*[\"“„«(\[*_`]*$")
# How much is looked at to tell whether a sentence starts.
_BEFORE_CHARS = 20

Clause: TypeAlias = tuple[frozenset[str], bool]
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
        return _pairs(content_stems(self.text, self.passage.language), reach=_TOGETHER)

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
            for unit in (*self.around, *units)
            for clause in _clauses(unit, self.passage.language)
        )

    @cached_property
    def _sentences(self) -> Windows:
        text, language = self.passage.text, self.passage.language
        return Windows(text, tuple(sentence_spans(text, language)), language)

    @cached_property
    def _rows(self) -> Windows:
        text, language = self.passage.text, self.passage.language
        return Windows(text, tuple(row_spans(text, language)), language)

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
            wide = narrowed(text, windows.span(window, reach=_REACH), claim)
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

    def figures_near(self, claim: str, *, reach: int) -> Figures:
        """Return the figures of what is `near` a claim, and of the titles above it."""
        return self.figures_in(self.near(claim, reach=reach))

    def figures_in(self, span: Span) -> Figures:
        """Return the figures of a stretch of text, and of the titles above it."""
        return Figures(
            "\n".join((*self.around, self.passage.text[slice(*span)])), self.passage.language
        )

    def stored(self, quotation: str) -> str:
        """Return the stored text of a quotation on one line; empty when it does not stand there."""
        spans = self.aligner.find_elided(quotation)
        return " … ".join(clean(self.passage.text[slice(*span)]).text for span in spans)


class Statement(Struct, frozen=True):
    """A sentence to be judged, with what it may lean on.

    Attributes:
        text: one line without marks.
        sources: everything that it cites.
        question: names may come from it as well.
        language: of the sentence.
        titular: whether it is a heading, which may name the years of the question.
    """

    text: str
    sources: Sequence[Source]
    question: str = ""
    language: str = "en"
    titular: bool = False


def judge(statement: Statement, *, bar: float = CONTAINMENT_BAR) -> Verdict:
    """Return the verdict of the first check that fails, or of containment when none does."""
    for check, find_problem in _CHECKS.items():
        problem = find_problem(statement)
        if problem:
            return Verdict(supported=False, reason=problem, check=check)
    return _contained(statement, bar)


def stands_as_title(statement: Statement) -> bool:
    """Tell whether no check fails and every content word stands in a source or the question."""
    language = statement.language
    known = frozenset(content_stems(statement.question, language)).union(
        *(source.stems for source in statement.sources)
    )
    return known.issuperset(content_stems(statement.text, language)) and not any(
        find_problem(statement) for find_problem in _CHECKS.values()
    )


def _contained(statement: Statement, bar: float) -> Verdict:
    stems = content_stems(statement.text, statement.language)
    if not stems:
        figures = any(character.isdecimal() for character in statement.text)
        reason = "only figures, all found" if figures else "nothing in it can be looked up"
        return Verdict(supported=figures, reason=reason, check="containment")
    known: frozenset[str] = frozenset().union(*(source.stems for source in statement.sources))
    held = sum(word in known for word in stems)
    score = held / len(stems)
    reason = f"{held} of {len(stems)} content words stand in what it cites"
    if score < bar:
        return Verdict(supported=False, reason=reason, check="containment", score=score)
    pairs = _pairs(stems, reach=1)
    together = sum(any(pair in source.pairs for source in statement.sources) for pair in pairs)
    if len(stems) >= _FEW_WORDS and together < PHRASE_BAR * len(pairs):
        reason = "its words stand in what it cites, but hardly any two of them together"
        return Verdict(supported=False, reason=reason, check="phrases", score=score)
    return Verdict(supported=True, reason=reason, check="containment", score=score)


def _pairs(stems: Sequence[str], *, reach: int) -> frozenset[Pair]:
    """Return the pairs of words that are at most `reach` places apart, in alphabetical order."""
    return frozenset(
        (min(one, other), max(one, other))
        for distance in range(1, reach + 1)
        for one, other in _apart(stems, distance)
    )


def _apart(stems: Sequence[str], distance: int) -> Iterator[Pair]:
    for index in range(len(stems) - distance):
        yield stems[index], stems[index + distance]


def _unknown_link(statement: Statement) -> str | None:
    known = frozenset[str]().union(*(source.addresses for source in statement.sources))
    unknown = links_in(statement.text) - known
    return f"a link that is not in what it cites: {min(unknown)}" if unknown else None


def _missing_figure(statement: Statement) -> str | None:
    text, language, sources = statement.text, statement.language, statement.sources
    asked = [Figures(statement.question, language)] if statement.titular else []
    stated = [source.figures for source in sources]
    missing = missing_figure(text, stated, language, anywhere=asked)
    if missing:
        return f'"{missing}" is not in what it cites'
    near = [source.figures_near(text, reach=_REACH) for source in sources]
    missing = missing_figure(text, near, language, anywhere=[*stated, *asked])
    if missing:
        return f'"{missing}" stands elsewhere in what it cites'
    missing = _figure_apart(statement) if len(sources) > 1 else None
    return f'what it cites says "{missing}" of something else' if missing else None


def _figure_apart(statement: Statement) -> str | None:
    """Find a figure that no source states beside a name, or most of the words, of its clause."""
    language, sources = statement.language, statement.sources
    stated = [source.figures for source in sources]
    common = frozenset.intersection(*(frozenset(source.around) for source in sources))
    for clause in _clause_texts(statement.text, language, fewest=1):
        own = {
            "\n".join((
                *(line for line in source.around if line not in common),
                source.text_near(clause, reach=_REACH),
            )): source.passage.language
            for source in sources
        }
        beside = [
            Figures("\n".join((*common, text)), own[text])
            for text in _telling(clause, list(own), common, language)
        ]
        missing = missing_figure(clause, beside, language, anywhere=stated)
        if missing:
            return missing
    return None


def _telling(clause: str, texts: Sequence[str], common: Iterable[str], language: str) -> list[str]:
    """Return the texts that hold a name of `clause` or, where no name parts them, most of it."""
    held = [frozenset(words(text)) for text in texts]
    plain = {word for text in texts for word in _TOKEN.findall(text) if word.islower()}
    names = {
        word
        for name in _TOKEN.findall(clause)
        if name[0].isupper() and not {name.casefold()} & (plain | stopwords(language))
        for word in words(name)
    }
    # What every text holds, or none, does not part them.
    parting = names.intersection(frozenset[str]().union(*held)) - frozenset.intersection(*held)
    if parting:
        return [text for text in texts if not parting.isdisjoint(words(text))]
    wanted = content_stems(clause, language)
    return [text for text in texts if 2 * _shared(wanted, text, *common) > len(wanted)]


def _shared(stems: Sequence[str], *texts: str) -> int:
    known = {stem(word) for text in texts for word in words(text)}
    return sum(one in known for one in stems)


def _missing_name(statement: Statement) -> str | None:
    if statement.language in _NOUNS_ARE_CAPITAL:
        return None
    known = frozenset(words(statement.question)).union(
        *(source.words for source in statement.sources)
    )
    for name in _names(statement.text, stopwords(statement.language)):
        for word in words(name):
            if not {word, word.removesuffix("s"), f"{word}s"} & known:
                return f'the name "{name}" is neither in what it cites nor in the question'
    return None


def _names(text: str, stop: frozenset[str]) -> Iterator[str]:
    """Yield capitalised words, but one alone at the start of a sentence, which may be any word."""
    tokens = list(_TOKEN.finditer(text))
    for index, token in enumerate(tokens):
        name = token[0]
        if len(name) < 2 or not name[0].isupper() or name.casefold() in stop:
            continue
        following = tokens[index + 1][0] if index + 1 < len(tokens) else ""
        starts = _SENTENCE_START.search(text, max(token.start() - _BEFORE_CHARS, 0), token.start())
        if not starts or following[:1].isupper():
            yield name


def _wrong_negation(statement: Statement) -> str | None:
    """Compare each clause with the clauses of the sources that say most of the same words."""
    if not negators(statement.language):
        return None
    known = [clause for source in statement.sources for clause in source.clauses]
    for stems, negated in _clauses(statement.text, statement.language):
        overlaps = [(len(stems & other) / len(stems), parity) for other, parity in known if stems]
        nearest = max([0.0, *(overlap for overlap, _ in overlaps)])
        if nearest >= _SAME_CLAUSE:
            agrees = any(overlap == nearest and parity == negated for overlap, parity in overlaps)
        else:
            agrees = not negated or any(parity for _, parity in known)
        if not agrees:
            return "it denies what it cites affirms" if negated else "what it cites denies it"
    return None


def _clauses(text: str, language: str) -> Iterator[Clause]:
    """Yield the words of each clause, and whether it is negated."""
    for clause in _clause_texts(text, language, fewest=2):
        yield _telling_stems(clause, language), is_negated(clause, language)


def _telling_stems(text: str, language: str) -> frozenset[str]:
    negating = negators(language)
    return frozenset(content_stems(text, language)).difference(negating)


def _clause_texts(text: str, language: str, *, fewest: int) -> list[str]:
    """Return the clauses of `text`; one of fewer than `fewest` content words joins the next.

    What has none, as behind the colon of "Staff: 50", belongs to the clause before it.
    """
    found: list[str] = []
    pending = ""
    for part in _CLAUSE_BORDER.split(text):
        pending = f"{pending} {part}"
        stems = _telling_stems(pending, language)
        if found and not stems:
            found[-1] += pending
            pending = ""
        elif len(stems) >= fewest:
            found.append(pending)
            pending = ""
    return list(filter(None, (*found, pending)))


def _contrary_word(statement: Statement) -> str | None:
    """Find a word whose opposite stands in the nearest sentence while it stands nowhere itself."""
    pairs = opposites()
    stated = [word for word in words(statement.text) if word in pairs]
    known: frozenset[str] = frozenset().union(*(source.words for source in statement.sources))
    for word in stated:
        if word in known:
            continue
        for source in statement.sources:
            (start, end), _ = source.quote(statement.text)
            contrary = pairs[word].intersection(words(source.passage.text[start:end]))
            if contrary:
                return f'it says "{word}" where the source says "{min(contrary)}"'
    return None


_CHECKS: dict[str, Callable[[Statement], str | None]] = {
    "links": _unknown_link,
    "figures": _missing_figure,
    "names": _missing_name,
    "negation": _wrong_negation,
    "opposites": _contrary_word,
}
