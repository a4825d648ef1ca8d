"""What every filling of a set of vectors does: embed some passages, and store what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from citewell import Embedder, IndexLocked, ModelError, Passage, blocking
from citewell_embedded.matrix import encoded
from citewell_embedded.rows import Row
from citewell_embedded.store import FILE
from citewell_embedded.vector_store import VectorStore
from citewell_embedded.vectors import VectorSet, embedded_text


async def embedded(embedder: Embedder, texts: Sequence[str]) -> tuple[int, list[bytes]]:
    """Return the dimension of the vectors of `texts`, and each as it is stored.

    Raises:
        ModelError: the embedder fails, or returns something else than vectors.
    """
    if not texts:
        return 0, []
    given = await embedder.embed(texts, kind="passage")
    try:
        return await blocking.call(partial(encoded, given, count=len(texts)))
    except (ValueError, TypeError) as error:
        raise ModelError(f"embedder {embedder.identity} returned {error}") from error


class PassageEmbedder(NamedTuple):
    """An embedder, and what it must not be given.

    Attributes:
        name: of its section.
        withholds: tells which passages that are.
    """

    embedder: Embedder
    name: str
    withholds: Callable[[Passage], bool]


def changed(embedder: str, given: int, expected: int) -> str:
    """Say what may be wrong when vectors are of another dimension than they were."""
    return (
        f'embedder "{embedder}" gives vectors of {given} numbers, where those before have '
        f"{expected}; another model may stand behind its name: set `identity` to a name of the "
        "new one, then run citewell reindex"
    )


async def store_embedded(
    store: VectorStore, known: VectorSet, rows: Sequence[Row], *, embedder: PassageEmbedder
) -> VectorSet:
    """Embed passages and store it; return the set, whose dimension may be known only now.

    Raises:
        ModelError: the embedder fails, or gives vectors of another dimension.
        StoreError: the store cannot be written, or the set was dropped meanwhile.
    """
    texts = {
        row.row: embedded_text(row.passage) for row in rows if not embedder.withholds(row.passage)
    }
    # The same text stands in many a document.
    distinct = list(dict.fromkeys(texts.values()))
    dimension, stored = await embedded(embedder.embedder, distinct)
    if dimension and known.dimension and dimension != known.dimension:
        raise ModelError(changed(embedder.name, dimension, known.dimension))
    by_text = dict(zip(distinct, stored, strict=True))
    made = [
        (row.passage, row.row, by_text[texts[row.row]] if row.row in texts else None)
        for row in rows
    ]
    await blocking.call_to_end(partial(store.add, known, made, dimension=dimension))
    return known._replace(dimension=dimension or known.dimension)


@contextmanager
def alone(folder: Path, known: VectorSet, *, name: str) -> Iterator[None]:
    """Be the only one that fills a set.

    Raises:
        IndexLocked: another process is at it, or another generation of the settings in this one.
    """
    lock = FileLock(folder / f"vectors-{known.key}.lock", thread_local=False)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise IndexLocked(
            f'passages of retriever "{name}" are being embedded by another process; '
            "wait until it ends, or stop it"
        ) from error
    try:
        yield
    finally:
        lock.release()


def opened_store(folder: Path) -> AbstractAsyncContextManager[VectorStore]:
    """Yield the store of vectors in `folder`, which is there.

    Each call of it has to run to its end, also when cancelled: what is in use must not be closed.
    """
    return blocking.opened(partial(VectorStore, folder / FILE), VectorStore.close)
