"""A database that is started anew, and one that is held by somebody else or has no more room."""

import sqlite3
from contextlib import closing

import pytest
import sqlalchemy as sa

from chats import asked
from citewell.errors import JournalError
from citewell.journal.inbox import Accepted, Inbox
from databases import Sqlite, opened


def test_a_server_that_was_started_anew_is_connected_to_again(postgres):
    url = postgres.new_url()
    with opened(url) as engine, opened(url) as other:
        inbox = Inbox(engine)
        inbox.accept(asked("1"))
        with other.connect() as connection:
            ended = connection.execute(
                sa.text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            ).all()

        assert ended == [(True,)]
        assert inbox.accept(asked("2")) is Accepted.NEW
        assert inbox.accept(asked("1")) is Accepted.DUPLICATE
        assert inbox.waiting() == 2


def test_a_connection_that_ends_amid_a_transaction_costs_that_one_alone(postgres):
    url = postgres.new_url()
    with opened(url) as engine, opened(url) as other:
        inbox = Inbox(engine)

        @sa.event.listens_for(engine, "commit", once=True)
        def end_all(_connection):
            with other.connect() as connection:
                connection.execute(
                    sa.text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                ).all()

        with pytest.raises(JournalError, match="an event could not be kept"):
            inbox.accept(asked("1"))

        assert inbox.accept(asked("1")) is Accepted.NEW
        assert inbox.waiting() == 1


def test_what_finds_a_locked_file_is_told_and_kept_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr("citewell.journal.database._BUSY_MS", 50)
    with opened(Sqlite(tmp_path).new_url()) as engine:
        inbox = Inbox(engine)
        with closing(sqlite3.connect(engine.url.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalError, match="database is locked"):
                inbox.accept(asked("1"))
            assert inbox.waiting() == 0
        assert inbox.accept(asked("1")) is Accepted.NEW


def test_what_finds_no_room_is_told_and_kept_afterwards(tmp_path):
    with opened(Sqlite(tmp_path).new_url()) as engine:
        inbox = Inbox(engine)
        inbox.accept(asked("0"))
        _limit(engine, 1)
        with pytest.raises(JournalError, match="database or disk is full"):
            _fill(inbox)
        kept = inbox.waiting()
        _limit(engine, 2**30)

        assert 1 <= kept < 500
        assert inbox.accept(asked(str(kept), "How many days? " * 500)) is Accepted.NEW
        assert inbox.waiting() == kept + 1


def _fill(inbox):
    for number in range(1, 500):
        inbox.accept(asked(str(number), "How many days? " * 500))


def _limit(engine, pages):
    """Let the file have so many pages at most, or as many as it has; of the one connection."""
    with engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
