"""Opens the retriever `lexical` in a folder, and makes documents for it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from citewell import (
    Audience,
    Context,
    IndexedDocument,
    Passage,
    Place,
    Placed,
    Query,
    Retriever,
)
from citewell_embedded.plugin import LexicalConfig, build

ALL = Audience.of("everyone")


@asynccontextmanager
async def opened(folder: Path, **config: object) -> AsyncIterator[Retriever]:
    context = Context(
        name="main", log=logging.getLogger("citewell.test"), data_dir=folder, base_dir=folder
    )
    async with build(LexicalConfig.model_validate(config), context) as retriever:
        yield retriever


def document(name: str, version: int, *, parts: int = 3, text: str = "beacon") -> IndexedDocument:
    """Return a document of `parts` passages, each with the word `text` and its version."""
    passages = tuple(
        Passage(
            id=f"{name}.{version}.{part}",
            document_id=f"library:{name}",
            title=name,
            text=f"{text} {name} version{version} part{part}",
            start=100 * part,
            end=100 * part + len(f"{text} {name} version{version} part{part}"),
            places=(Placed(100 * part, Place(line=part + 1)),),
            labels=frozenset({"everyone"}),
        )
        for part in range(parts)
    )
    return IndexedDocument(
        id=f"library:{name}", version=str(version), title=name, passages=passages
    )


async def found(
    retriever: Retriever, text: str, *, limit: int = 50, readable_by: Audience = ALL
) -> Sequence[Passage]:
    return await retriever.retrieve(Query(text=text), limit=limit, readable_by=readable_by)


async def whole(retriever: Retriever) -> dict[str, str]:
    """Return what is there by name; an error when a document is not whole or not found."""
    passages = await found(retriever, "beacon", limit=1000)
    versions = {
        name.removeprefix("library:"): version
        for name, version in (await retriever.versions()).items()
    }
    ids = sorted(passage.id for passage in passages)
    expected = sorted(
        f"{name}.{version}.{part}" for name, version in versions.items() for part in range(3)
    )
    if ids != expected:
        raise AssertionError(f"found {ids}, but stored is {versions}")
    fetched = await retriever.fetch(ids, readable_by=ALL)
    if [passage.text for passage in fetched] != [
        passage.text for passage in sorted(passages, key=lambda passage: passage.id)
    ]:
        raise AssertionError("fetched texts differ from those found")
    return versions
