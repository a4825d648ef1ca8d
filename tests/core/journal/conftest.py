"""Each test of what is kept runs on every database that it can be kept in."""

from __future__ import annotations

import pytest

from chats import Clock
from citewell.journal.inbox import Inbox
from citewell.journal.tables import metadata
from databases import Database, Sqlite, opened


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path) -> Database:
    if request.param == "sqlite":
        return Sqlite(tmp_path)
    return request.getfixturevalue("postgres")


@pytest.fixture(scope="session")
def kept_url() -> dict[Database, str]:
    """Return databases that are used again and again: to make one takes a second."""
    return {}


@pytest.fixture
def engine(database, kept_url):
    if database.name == "sqlite":
        url = database.new_url()
    else:
        url = kept_url.get(database) or kept_url.setdefault(database, database.new_url())
    with opened(url) as engine:
        if database.name == "postgresql":
            names = ", ".join(table.name for table in metadata.sorted_tables)
            with engine.begin() as connection:
                connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY")
        yield engine


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def inbox(engine, clock):
    return Inbox(engine, clock=clock)
