"""Whether citations lead to what they show, and to the evidence that was marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from citewell.evaluation.scores.cases import Case
from citewell.evaluation.scores.normalising import spoken
from citewell.types.documents import Passage
from citewell.types.evaluation import EvalItem, Quote, Score


def citation_resolves(case: Case) -> Score:
    """Return the share of quotes that a found passage holds where they are said to stand."""
    quotes = _quotes(case)
    return _share(_resolves(quote, case.response.found) for quote in quotes)


def citation_precision(case: Case) -> Score:
    """Return the share of quotes that show some of the marked evidence.

    Nothing is said of an answer without quotes; `citation_recall` counts it.
    """
    if not case.item.names_passages:
        return None
    return _share(_is_evidence(quote, case) for quote in _quotes(case))


def citation_recall(case: Case) -> Score:
    """Return the share of the marked evidence of which some is quoted.

    It is what `quotes` mark, else each of `documents`. An arm without passages has nothing to
    quote, and is not judged.
    """
    item = case.item
    if not item.names_passages or not case.has_searched:
        return None
    quotes = _quotes(case)
    if not _marked(item):
        return _share(
            any(_is_of(quote, document) for quote in quotes) for document in item.documents
        )
    return _share(
        any(_is_in_documents(item, quote) and _meets(quote, one, case) for quote in quotes)
        for one in _marked(item)
    )


def supported(case: Case) -> Score:
    """Return the share of statements that the evidence checks found supported.

    An arm without passages is not judged: it says that it answers without sources.
    """
    if not case.has_searched:
        return None
    return _share(statement.is_supported for statement in case.response.statements)


def _quotes(case: Case) -> list[Quote]:
    """Return what readers see, each quote once."""
    shown = (
        quote
        for statement in case.response.statements
        if statement.is_shown
        for quote in statement.quotes
    )
    return [*{(quote.document_id, quote.start, quote.text): quote for quote in shown}.values()]


def _resolves(quote: Quote, passages: Sequence[Passage]) -> bool:
    return any(
        passage.text[quote.start - passage.start : quote.end - passage.start] == quote.text
        for passage in _around(quote, passages)
    )


def _around(quote: Quote, passages: Sequence[Passage]) -> Iterator[Passage]:
    return (
        passage
        for passage in passages
        if passage.document_id == quote.document_id
        and passage.start <= quote.start <= quote.end <= passage.end
    )


def _marked(item: EvalItem) -> list[str]:
    return [*filter(None, dict.fromkeys(map(spoken, item.quotes)))]


def _is_evidence(quote: Quote, case: Case) -> bool:
    marked = _marked(case.item)
    if not _is_in_documents(case.item, quote):
        return False
    return not marked or any(_meets(quote, one, case) for one in marked)


def _is_in_documents(item: EvalItem, quote: Quote) -> bool:
    return not item.documents or any(_is_of(quote, document) for document in item.documents)


def _is_of(quote: Quote, document: str) -> bool:
    return document in {quote.document_id, quote.document_id.partition(":")[2]}


def _meets(quote: Quote, marked: str, case: Case) -> bool:
    """Tell whether a quote and a marked span have characters in common."""
    cited = spoken(quote.text)
    if not cited or cited in marked or marked in cited:
        return bool(cited)
    return any(
        one < other + len(marked) and other < one + len(cited)
        for passage in _around(quote, case.response.found)
        for one in _places(cited, spoken(passage.text))
        for other in _places(marked, spoken(passage.text))
    )


def _places(words: str, text: str) -> Iterator[int]:
    at = text.find(words)
    while at >= 0:
        yield at
        at = text.find(words, at + len(words))


def _share(values: Iterator[bool]) -> float | None:
    seen = [*values]
    return sum(seen) / len(seen) if seen else None
