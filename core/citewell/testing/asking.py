"""What the tests of a retriever ask of it again and again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from citewell.protocols import CatchingUpRetriever, Retriever
from citewell.types.documents import IndexedDocument, Passage
from citewell.types.questions import EVERYONE, Audience, Query

ALL = Audience.of(EVERYONE)


async def search(
    retriever: Retriever, text: str, *, limit: int = 10, language: str | None = None
) -> Sequence[Passage]:
    """Return what a reader of everything that is for everyone finds."""
    query = Query(text=text, language=language)
    return await retriever.retrieve(query, limit=limit, readable_by=ALL)


def texts_of(passages: Iterable[Passage]) -> list[str]:
    """Return the texts of passages, in order."""
    return [passage.text for passage in passages]


def ids_of(passages: Iterable[Passage]) -> list[str]:
    """Return the ids of passages, in order."""
    return [passage.id for passage in passages]


async def index(retriever: Retriever, documents: Sequence[IndexedDocument]) -> None:
    """Index documents, and wait for what makes them found otherwise than by their words."""
    await retriever.index(documents)
    if isinstance(retriever, CatchingUpRetriever):
        await retriever.catch_up(lambda _done, _total: None)


async def index_one_by_one(retriever: Retriever, documents: Iterable[IndexedDocument]) -> None:
    """Index each document by a call of its own."""
    for document in documents:
        await retriever.index([document])
