"""Citations resolve, and show the evidence that was marked."""

import pytest
from msgspec.structs import replace

from citewell import Outcome
from citewell.evaluation.scores.citations import (
    citation_precision,
    citation_recall,
    citation_resolves,
    supported,
)
from scored_cases import case, passage, quote, said, stated

TEXT = "Everyone has 28 days. They end in March. The office is closed on Sundays."
LEAVE = passage("docs:leave.md", TEXT, start=40)
OTHER = passage("docs:other.md", "Lunch is at noon.")
DAYS, MARCH, SUNDAYS = (
    quote(LEAVE, part)
    for part in ("Everyone has 28 days.", "They end in March.", "The office is closed on Sundays.")
)
LUNCH = quote(OTHER, "Lunch is at noon.")


def answer(*statements, found=(LEAVE, OTHER), outcome=Outcome.ANSWERED):
    return said("It is so.", statements=statements, found=found, outcome=outcome)


def cited(*quotes, **expected):
    return case(response=answer(stated("It is so.", *quotes)), **expected)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(DAYS, text="Everyone has 29 days."),
        replace(DAYS, start=DAYS.start + 1, end=DAYS.end + 1),
        replace(DAYS, document_id="docs:other.md"),
        replace(DAYS, start=0, end=len(DAYS.text)),
        replace(DAYS, start=-21, end=0),
    ],
)
def test_a_quote_stands_where_it_is_said_to(wrong):
    assert citation_resolves(cited(DAYS)) == 1
    assert citation_resolves(cited(wrong)) == 0
    assert citation_resolves(cited(DAYS, wrong)) == 0.5


def test_without_quotes_nothing_can_resolve():
    assert citation_resolves(cited()) is None
    assert citation_precision(cited(quotes=("28 days",))) is None
    assert citation_recall(cited(quotes=("28 days",))) == 0


@pytest.mark.parametrize(
    ("quotes", "marked", "precision", "recall"),
    [
        ((DAYS,), ("28  DAYS",), 1, 1),
        ((DAYS,), (TEXT,), 1, 1),
        ((DAYS, LUNCH), ("28 days",), 0.5, 1),
        ((DAYS,), ("28 days", "noon"), 1, 0.5),
        ((SUNDAYS,), ("28 days",), 0, 0),
        ((MARCH,), ("days. They end",), 1, 1),
        ((SUNDAYS,), ("days. They end",), 0, 0),
        ((DAYS, DAYS), ("28 days",), 1, 1),
    ],
)
def test_quotes_meet_the_marked_spans(quotes, marked, precision, recall):
    one = cited(*quotes, quotes=marked)

    assert citation_precision(one) == precision
    assert citation_recall(one) == recall


def test_documents_tell_where_evidence_is():
    one = cited(DAYS, LUNCH, documents=("leave.md", "docs:more.md"))

    assert citation_precision(one) == 0.5
    assert citation_recall(one) == 0.5
    assert citation_precision(cited(DAYS, documents=("other.md",), quotes=("28 days",))) == 0


def test_what_readers_do_not_see_is_not_cited():
    one = case(response=answer(stated("So.", DAYS, is_shown=False)), quotes=("28 days",))

    assert citation_resolves(one) is None
    assert citation_recall(one) == 0


def test_where_no_evidence_is_marked_citations_are_not_compared():
    assert citation_precision(cited(DAYS)) is None
    assert citation_recall(cited(DAYS)) is None


def test_an_arm_without_sources_is_not_judged_by_citations():
    one = case(response=said("So.", outcome=Outcome.UNSOURCED), quotes=("28 days",))

    assert citation_recall(one) is None


def test_dropped_statements_count_as_stated():
    dropped = stated("No.", is_supported=False, is_shown=False)

    assert supported(case(response=answer(stated("Yes."), dropped))) == 0.5
    assert supported(case(response=answer())) is None
