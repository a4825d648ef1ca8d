"""What happens in a chat, and what is answered there, for tests of what is kept of it."""

from __future__ import annotations

import sqlalchemy as sa

from citewell.journal.inbox import Inbox, Task
from citewell.journal.journal import Journal
from citewell.journal.outbox import Outbox, Stage
from citewell.journal.records import AnswerRecord, CitationRecord, ClaimRecord, PassageRecord
from citewell.journal.tables import metadata
from citewell.types.chat import Address, Asked, Deleted, Edited, Stopped, Venue, Voted
from citewell.types.documents import Place

VENUE = Venue(platform="slack", team="T1", channel="C1", thread="1.0")
ASKER = "slack/T1/U1"


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def asked(key: str = "1", text: str = "How many days?", **fields: object) -> Asked:
    venue = fields.pop("venue", VENUE)
    values = {"user": "U1", "at": 1.0, "address": Address(venue=venue)} | fields
    return Asked(key=key, venue=venue, text=text, **values)


def edited(key: str = "2", of: str = "1", text: str = "How many hours?", at: float = 2.0) -> Edited:
    return Edited(key=key, venue=VENUE, user="U1", at=at, of=of, text=text)


def deleted(key: str = "3", of: str = "1", at: float = 3.0) -> Deleted:
    return Deleted(key=key, venue=VENUE, user="U1", at=at, of=of)


def stopped(key: str = "9") -> Stopped:
    return Stopped(key=key, venue=VENUE, user="U1", at=2.0)


def voted(key: str = "v1", *, helpful: bool = False, **fields: object) -> Voted:
    values = {"user": "U1", "at": 5.0, "answer_id": "a1"} | fields
    return Voted(key=key, venue=VENUE, helpful=helpful, **values)


def citation(passage: str = "p1", content_hash: str = "h1") -> CitationRecord:
    return CitationRecord(
        number=1,
        passage_id=passage,
        document_id="leave.md",
        content_hash=content_hash,
        title="Leave",
        start=0,
        end=5,
    )


def claim(text: str = "It is 28 days.", *citations: CitationRecord, shown: bool = True):
    return ClaimRecord(
        kind="sentence",
        lead="",
        text=text,
        raw=text,
        shown=shown,
        supported=bool(citations),
        reason="",
        check="",
        score=None,
        citations=citations,
    )


def passage(name: str = "p1", content_hash: str = "h1") -> PassageRecord:
    return PassageRecord(
        id=name,
        document_id="leave.md",
        title="Leave",
        content_hash=content_hash,
        score=1.0,
        place=Place(),
    )


def record(name: str = "a1", **fields: object) -> AnswerRecord:
    values = {
        "id": name,
        "question_id": f"q-{name}",
        "question": "How many days?",
        "asker": ASKER,
        "asked_at": "1970-01-12T13:46:40.000+00:00",
        "profile": "default",
        "readers": (("everyone",),),
        "outcome": "answered",
        "notice": "",
        "model": "m",
        "model_identity": "m",
        "retriever": "r",
        "index_identity": "i",
        "prompt_hash": "",
        "claims": (claim("It is 28 days.", citation()),),
        "passages": (passage(), passage("p2", "h2")),
        "labels": ("everyone",),
    }
    return AnswerRecord(**(values | fields))


def answered(engine, task: Task, inbox: Inbox, answer: AnswerRecord, owner: str = "a") -> None:
    """Give a question that is leased its outcome."""
    outbox = Outbox(engine)
    Journal(engine).add(answer)
    outbox.open(task, task.asked.address)
    assert outbox.note(task, posted=("m1",), stage=Stage.FINAL, answer=answer.id)
    assert inbox.finish(task, owner)


def dumped(engine) -> str:
    """Return everything that the tables hold."""
    with engine.connect() as connection:
        return "\n".join(
            str(tuple(row))
            for table in metadata.sorted_tables
            for row in connection.execute(sa.select(table))
        )
