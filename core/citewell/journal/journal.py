"""Questions and answers that outlive the process, for `citewell why` and all that follows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql, sqlite

from citewell.errors import JournalError
from citewell.journal.database import open_engine
from citewell.journal.records import AnswerRecord
from citewell.journal.spool import Spool
from citewell.journal.tables import answers, questions


class Journal:
    """Blocking; call it from a thread when an event loop runs."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

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
        """Move the waiting records into the tables; one that cannot be read is set aside."""
        for path, text in spool.waiting():
            try:
                self.add(msgspec.convert(json.loads(text), AnswerRecord))
            except ValueError:
                path.rename(path.with_suffix(".unreadable"))
            else:
                path.unlink(missing_ok=True)

    def add(self, record: AnswerRecord) -> None:
        """Keep `record`; durable on return. A record that is there already stays as it is."""
        values = msgspec.to_builtins(record)
        question = {column.name: values.get(column.name) for column in questions.columns}
        question |= {"id": record.question_id, "text": record.question}
        answer = {column.name: values[column.name] for column in answers.columns}
        try:
            with self._engine.begin() as connection:
                _insert_once(connection, questions, question)
                _insert_once(connection, answers, answer)
        except exc.SQLAlchemyError as error:
            raise JournalError(f"answer {record.id} could not be recorded: {error}") from error

    def find(self, reference: str) -> AnswerRecord | None:
        """Return the answer with this id, or None."""
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
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            yield msgspec.convert(_values(row._mapping), AnswerRecord)  # noqa: SLF001 - SQLAlchemy's public name


def _values(row: Mapping[Any, Any]) -> dict[str, Any]:
    values = {column.name: row[column] for column in questions.columns}
    values["question"] = values.pop("text")
    values |= {column.name: row[column] for column in answers.columns}
    return {name: values[name] for name in AnswerRecord.__struct_fields__}


def _insert_once(connection: sa.Connection, table: sa.Table, values: dict[str, Any]) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).values(values).on_conflict_do_nothing())


def journal_url(url: str | None, data_dir: Path) -> str:
    """Return the configured URL, or that of the SQLite file in `data_dir`."""
    return url or f"sqlite:///{data_dir / 'journal.sqlite'}"
