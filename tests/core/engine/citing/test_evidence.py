from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from citewell import Audience, Place, Placed
from citewell.engine.citing import restore
from citewell.engine.citing.evidence import Policy, check_marks, cite_span
from passages import READER, evidence, passage

LEAVE = passage("Thirty days\nof leave.", "leave", title="Leave")
PAY = passage("Paid monthly.", "pay", start=0)


async def test_a_mark_of_a_retrieved_passage_is_kept():
    checked = await check_marks(evidence(LEAVE, PAY), [2, 1, 2])

    assert checked.passages == {2: PAY, 1: LEAVE}
    assert checked.problems == ()


@pytest.mark.parametrize("number", [0, 3, -1, 10**30])
async def test_a_mark_out_of_range_fails(number):
    checked = await check_marks(evidence(LEAVE, PAY), [number, 2])

    assert checked.passages == {2: PAY}
    assert checked.problems == (f"[{number}] names no passage",)


async def test_the_store_is_not_asked_for_nothing():
    async def fetch(ids):
        raise AssertionError(ids)

    checked = await check_marks(evidence(LEAVE, fetch=fetch), [7])

    assert checked.passages == {}


async def test_the_store_is_asked_once_for_each_passage():
    asked = []

    async def fetch(ids):
        asked.append(ids)
        return [LEAVE]

    checked = await check_marks(evidence(LEAVE, LEAVE, fetch=fetch), [1, 2])

    assert asked == [("leave",)]
    assert checked.passages == {1: LEAVE, 2: LEAVE}


async def test_what_is_cited_is_what_was_read_again():
    renamed = replace(LEAVE, title="Holidays", uri=None)

    checked = await check_marks(evidence(LEAVE, now=[renamed]), [1])

    assert checked.passages[1] is renamed


@pytest.mark.parametrize(
    ("now", "problem"),
    [
        (None, "is no longer there to be read"),
        (passage("Forty days\nof leave.", "leave"), "has changed since it was retrieved"),
        (replace(LEAVE, start=0, end=len(LEAVE.text)), "has changed since it was retrieved"),
        (replace(LEAVE, document_id="docs:other.md"), "has changed since it was retrieved"),
        (replace(LEAVE, end=LEAVE.end + 1), "has offsets that do not fit its text"),
        (
            replace(LEAVE, labels=frozenset({"board"})),
            "may not be read by everyone who sees the answer",
        ),
        (replace(LEAVE, labels=frozenset()), "may not be read by everyone who sees the answer"),
    ],
)
async def test_a_passage_that_is_not_what_it_was_is_not_cited(now, problem):
    checked = await check_marks(evidence(LEAVE, now=[now] if now else []), [1])

    assert checked.passages == {}
    assert checked.problems == (f"[1] {problem}",)


async def test_a_passage_that_should_not_have_been_retrieved_is_not_cited():
    secret = replace(LEAVE, labels=frozenset({"board"}))

    checked = await check_marks(evidence(secret, now=[LEAVE]), [1])

    assert checked.problems == ("[1] may not be read by everyone who sees the answer",)


async def test_every_reader_must_be_allowed():
    both = Audience(frozenset({frozenset({"everyone"}), frozenset({"guests"})}))

    checked = await check_marks(evidence(LEAVE, audience=both), [1])

    assert checked.passages == {}


def test_a_citation_points_into_the_document():
    citation = cite_span(LEAVE, (12, 20), number=3)

    assert citation is not None
    assert citation.number == 3
    assert citation.passage_id == "leave"
    assert citation.document_id == "docs:leave.md"
    assert citation.content_hash == LEAVE.content_hash
    assert citation.title == "Leave"
    assert citation.uri == "https://example.org/leave"
    assert (citation.start, citation.end) == (112, 120)
    assert citation.quote == "of leave"
    assert citation.place == Place(line=8)


@pytest.mark.parametrize("span", [(-1, 3), (3, 3), (4, 3), (0, 22), (21, 22)])
def test_a_span_outside_the_text_is_not_cited(span):
    assert len(LEAVE.text) == 21
    assert cite_span(LEAVE, span, number=1) is None


@pytest.mark.parametrize("span", [(0, 1), (0, 21), (20, 21)])
def test_a_span_at_the_border_of_the_text_is_cited(span):
    citation = cite_span(LEAVE, span, number=1)

    assert citation is not None
    assert citation.quote == LEAVE.text[slice(*span)]


@dataclass(frozen=True)
class Record:
    number: int = 2
    passage_id: str = "leave"
    content_hash: str = LEAVE.content_hash
    start: int = 100
    end: int = 106


def test_a_recorded_citation_is_made_again():
    citation = restore(Record(), fetched=[PAY, LEAVE], audience=READER)

    assert citation == cite_span(LEAVE, (0, 6), number=2)
    assert citation.quote == "Thirty"


@pytest.mark.parametrize(
    ("record", "fetched"),
    [
        (Record(), []),
        (Record(), [PAY]),
        (Record(content_hash="0" * 32), [LEAVE]),
        (Record(start=99), [LEAVE]),
        (Record(end=122), [LEAVE]),
        (Record(start=106), [LEAVE]),
        (Record(), [replace(LEAVE, labels=frozenset({"board"}))]),
        (Record(), [replace(LEAVE, end=LEAVE.end + 1)]),
        (Record(), [passage("Forty days\nof leave.", "leave")]),
    ],
)
def test_a_recorded_citation_that_no_longer_holds_is_not_made(record, fetched):
    assert restore(record, fetched=fetched, audience=READER) is None


def test_a_place_follows_the_document():
    deep = replace(LEAVE, places=(Placed(100, Place(page=1)), Placed(112, Place(page=2))))

    citation = cite_span(deep, (12, 14), number=1)

    assert citation is not None
    assert citation.place == Place(page=2)


def test_policies_are_named_as_in_the_settings():
    assert [policy.value for policy in Policy] == ["drop", "mark", "refuse"]
