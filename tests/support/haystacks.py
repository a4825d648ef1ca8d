"""Documents of Haystack as somebody else would have written them, and stores filled with them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from citewell.engine.trust import Trust
from citewell.testing.embedding import ScriptedEmbedder
from citewell.testing.opening import opened
from citewell.testing.scripted import ScriptedEmbedderConfig

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"

DIMENSION = ScriptedEmbedderConfig().dimension

LEAVE = (
    "Every employee has 28 days of leave a year. Leave is asked for in the portal.\f"
    "Days that are not taken expire at the end of March. Whoever is ill keeps them."
)


def embedded(documents: Sequence[Any]) -> list[Any]:
    """Return documents with the vectors that the embedder `scripted` gives."""
    from dataclasses import replace

    embedder = ScriptedEmbedder(ScriptedEmbedderConfig())
    texts = [document.content or "" for document in documents]
    vectors = asyncio.run(embedder.embed(texts, kind="passage"))
    return [
        replace(one, embedding=list(vector)) for one, vector in zip(documents, vectors, strict=True)
    ]


def split_leave() -> list[Any]:
    """Return the pieces that Haystack's splitter makes of a document of two pages."""
    from haystack import Document
    from haystack.components.preprocessors import DocumentSplitter

    whole = Document(
        content=LEAVE,
        meta={"file_path": "/srv/docs/leave.pdf", "url": "https://wiki.example.org/leave"},
    )
    splitter = DocumentSplitter(split_by="period", split_length=1)
    pieces: list[Any] = splitter.run(documents=[whole])["documents"]
    return pieces


def pgvector_store(url: str, table: str, **parameters: Any) -> Any:
    """Return a store of pgvector, as its owner opens it."""
    from haystack.utils import Secret
    from haystack_integrations.document_stores.pgvector import PgvectorDocumentStore

    return PgvectorDocumentStore(
        connection_string=Secret.from_token(url),
        table_name=table,
        keyword_index_name=f"{table}_words",
        embedding_dimension=DIMENSION,
        **parameters,
    )


def pgvector_settings(url: str, table: str) -> dict[str, Any]:
    """Return the settings that read it."""
    return {
        "store": "pgvector",
        "filled_by": "others",
        "parameters": {
            "table_name": table,
            "keyword_index_name": f"{table}_words",
            "embedding_dimension": DIMENSION,
        },
        "secrets": {"connection_string": url},
    }


def trust(*paths: Any) -> None:
    """Let files run that are code, as `citewell plugins trust` does."""
    for path in paths:
        Trust().add(path.resolve(), path.read_bytes())


@asynccontextmanager
async def haystack(folder: Any, **settings: Any) -> Any:
    """Open the retriever `haystack`."""
    config: Mapping[str, object] = settings
    async with opened("retriever", "haystack", config, folder) as retriever:
        yield retriever
