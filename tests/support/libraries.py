"""Libraries over folders, and a retriever that keeps what it is given, for tests of the sync."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from citewell import (
    Audience,
    Context,
    IndexedDocument,
    Passage,
    Query,
    Retriever,
    Source,
)
from citewell.library.labelling import Labelling
from citewell.library.plans import Index, Library, Loading
from citewell_files import plugin as files
from citewell_text import plugin as text

FOR_ALL = {"**": ("everyone",)}


class Shelf:
    """A retriever in memory: keeps whole documents, finds nothing."""

    def __init__(self) -> None:
        self.documents: dict[str, IndexedDocument] = {}
        self.batches: list[int] = []

    async def index(self, documents: Sequence[IndexedDocument]) -> None:
        self.batches.append(len(documents))
        self.documents.update((document.id, document) for document in documents)

    async def delete(self, document_ids: Sequence[str]) -> None:
        for document_id in document_ids:
            self.documents.pop(document_id, None)

    async def versions(self) -> Mapping[str, str]:
        return {id_: document.version for id_, document in self.documents.items()}

    async def retrieve(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> Sequence[Passage]:
        return ()

    async def fetch(self, ids: Sequence[str], *, readable_by: Audience) -> Sequence[Passage]:
        return ()

    async def within(
        self, document_id: str, *, start: int, end: int, readable_by: Audience
    ) -> Sequence[Passage]:
        return ()

    def texts(self) -> dict[str, str]:
        """Return the text of each document."""
        return {
            id_: "\n".join(passage.text for passage in document.passages)
            for id_, document in self.documents.items()
        }


def library(
    source: Source,
    name: str = "docs",
    *,
    labels: Mapping[str, Sequence[str]] = FOR_ALL,
    max_mb: float = 50,
    settings: str = "",
) -> Library:
    async def opened() -> Source:
        return source

    rules = [(glob, frozenset(names)) for glob, names in labels.items()]
    return Library(
        name=name,
        open=opened,
        settings=settings,
        loadings={
            suffix: Loading(spec, spec.config())
            for spec in text.register_loaders()
            for suffix in spec.suffixes
        },
        labelling=Labelling(rules),
        max_mb=max_mb,
    )


def index(retriever: Retriever, *libraries: Library, name: str = "main") -> Index:
    return Index(name=name, retriever=retriever, libraries=libraries)


@asynccontextmanager
async def folder_source(root: Path, data_dir: Path) -> AsyncIterator[Source]:
    async with files.build(files.FilesConfig(path=root), _context(root, data_dir)) as source:
        yield source


def _context(root: Path, data_dir: Path) -> Context:
    data_dir.mkdir(parents=True, exist_ok=True)
    return Context(
        name=root.name,
        log=logging.getLogger("citewell.test"),
        data_dir=data_dir,
        base_dir=root.parent,
        suffixes=frozenset({".md", ".txt"}),
    )
