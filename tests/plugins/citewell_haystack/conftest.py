"""Stores of Haystack, each for real."""

from __future__ import annotations

import pytest

from databases import Postgres


@pytest.fixture(scope="session")
def pgvector(postgres: Postgres) -> str:
    """Return the address of a database for tables of pgvector."""
    return postgres.new_url().replace("postgresql+psycopg://", "postgresql://")
