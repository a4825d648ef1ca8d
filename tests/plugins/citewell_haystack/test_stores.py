"""Each store that can run here keeps the contract of retrievers, for real."""

from itertools import count

import pytest

import haystacks
from citewell.testing import RetrieverContract


class TestQdrant(RetrieverContract):
    name = "haystack"
    config = {
        "store": "qdrant",
        "parameters": {"path": "qdrant", "embedding_dim": 8, "progress_bar": False},
    }


class TestPgvector(RetrieverContract):
    name = "haystack"
    tables = count(1)

    @pytest.fixture(autouse=True)
    def _new_table(self, pgvector):
        self.url, self.table = pgvector, f"passages_{next(self.tables)}"

    @property
    def config(self):
        return {
            "store": "pgvector",
            "parameters": {
                "embedding_dimension": 8,
                "table_name": self.table,
                # The names of indexes are those of the schema, not of the table.
                "keyword_index_name": f"{self.table}_words",
            },
            "secrets": {"connection_string": self.url},
        }


class TestQdrantByWordsAndVectors(RetrieverContract):
    name = "haystack"
    finds_by_meaning = True
    config = {
        "store": "qdrant",
        "embedder": "scripted",
        "parameters": {
            "path": "qdrant",
            "embedding_dim": haystacks.DIMENSION,
            "progress_bar": False,
        },
    }


class TestInMemoryByWordsAndVectors(RetrieverContract):
    name = "haystack"
    finds_by_meaning = True
    lasts = False
    config = {"store": "in-memory", "embedder": "scripted"}


class TestPgvectorByWordsAndVectors(TestPgvector):
    finds_by_meaning = True

    @property
    def config(self):
        config = super().config
        sized = config["parameters"] | {"embedding_dimension": haystacks.DIMENSION}
        return config | {"parameters": sized, "embedder": "scripted"}
