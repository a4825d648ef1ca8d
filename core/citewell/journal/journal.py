"""Questions and answers that outlive the process, for `citewell why` and all that follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from citewell.journal.database import explained, open_engine, writing
from citewell.journal.records import AnswerRecord, storable
from citewell.journal.spool import Spool
from citewell.journal.tables import answers, inbox, questions
from citewell.journal.wiping import wipe_answers

_AGAIN = 8


class Journal:
    """Blocking; call it from a thread when an event loop runs.

    Args:
        engine: of the journal.
        keep_questions: False keeps of a question everything but what it says.
    """

    def __init__(self, engine: sa.Engine, *, keep_questions: bool = True) -> None:
        self._engine = engine
        self._keep_questions = keep_questions

    @classmethod
    @contextmanager
    def open(cls, url: str, spool: Spool) -> Iterator[Journal]:
        """Open the database at `url`, take in what waits in `spool`, and close on leaving.

        Raises:
            JournalError: the database cannot be opened.
        """
        engine = open_engine(url)
        try:
            journal = cls(engine)
            journal.take_in(spool)
            yield journal
        finally:
            engine.dispose()

    def take_in(self, spool: Spool) -> None:
        """Move the waiting records into the tables."""
        for path, record in spool.waiting():
            self.add(record)
            # One that stays is taken in once more, which changes nothing.
            with suppress(OSError):
                path.unlink()

    def add(self, record: AnswerRecord) -> None:
        """Keep `record`; durable on return. A record that is there already stays as it is.

        Raises:
            JournalError: the tables cannot be written.
        """
        values = msgspec.to_builtins(record)
        question = {column.name: values.get(column.name) for column in questions.columns}
        text = record.question if self._keep_questions else ""
        question |= {"id": record.question_id, "text": text}
        what = f"answer {record.id} could not be recorded in the journal"
        with writing(self._engine, what) as connection:
            gone = _gone(connection, record.event)
            if gone:
                question["text"] = ""
            if gone == "forgotten":
                question["asker"] = None
            answer = {name: values[name] for name in answers.columns.keys() & values.keys()}
            _insert_once(connection, questions, question)
            _insert_once(connection, answers, answer)
            if gone:
                wipe_answers(connection, [record.id])

    def find(self, reference: str) -> AnswerRecord | None:
        """Return the answer with this id, or None.

        Raises:
            JournalError: the tables cannot be read.
        """
        return next(self._select(answers.c.id == reference), None)

    def recent(self, limit: int) -> list[AnswerRecord]:
        """Return the last answers, newest first."""
        return list(self._select(sa.true(), limit=limit))

    def _select(
        self, condition: sa.ColumnElement[bool], *, limit: int = 1
    ) -> Iterator[AnswerRecord]:
        query = (
            sa
            .select(questions, questions.c.text.label("question"), answers)
            .join_from(answers, questions)
            .where(condition)
            .order_by(questions.c.asked_at.desc(), answers.c.id)
            .limit(limit)
        )
        with explained("the journal cannot be read"), self._engine.connect() as connection:
            rows = connection.execute(query).all()
            found = [_values(row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name
            for values in found:
                values["question"] = values["question"] or _asked_before(connection, values)
        for values in found:
            yield msgspec.convert(values, AnswerRecord)


def _values(row: Mapping[Any, Any]) -> dict[str, Any]:
    values = {column.name: row[column] for column in questions.columns}
    values["question"] = values.pop("text")
    values |= {column.name: row[column] for column in answers.columns}
    return {name: values[name] for name in AnswerRecord.__struct_fields__}


def _gone(connection: sa.Connection, event: int | None) -> str:
    """Return what became of a question, where nothing of it may be kept any more.

    Whoever takes it back, or forgets who asked, waits until this is written, and then deletes it.
    """
    if event is None:
        return ""
    query = sa.select(inbox.c.asker, inbox.c.is_withdrawn).where(inbox.c.seq == event)
    row = connection.execute(query.with_for_update(read=True)).one_or_none()
    if row is None:
        return ""
    return "forgotten" if not row.asker else "withdrawn" if row.is_withdrawn else ""


def _asked_before(connection: sa.Connection, values: Mapping[str, Any]) -> str:
    """Return what the question says that a question asks again."""
    text, again = "", values["again"]
    for _ in range(_AGAIN):
        if text or not again:
            break
        query = (
            sa
            .select(questions.c.text, questions.c.again)
            .join_from(questions, answers)
            .where(answers.c.id == again)
        )
        row = connection.execute(query).first()
        text, again = ("", "") if row is None else (row.text, row.again)
    return text


def _insert_once(connection: sa.Connection, table: sa.Table, values: dict[str, Any]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    kept = {
        name: storable(value) if isinstance(value, str) else value for name, value in values.items()
    }
    connection.execute(dialect.insert(table).values(kept).on_conflict_do_nothing())


def journal_url(url: str | None, data_dir: Path) -> str:
    """Return the configured URL, or that of the SQLite file in `data_dir`."""
    return url or f"sqlite:///{data_dir / 'journal.sqlite'}"
