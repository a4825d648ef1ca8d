"""The retriever `postgres` with an embedder: what words find and what vectors find, as one list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from citewell import (
    Audience,
    CitewellError,
    Context,
    Fusion,
    IndexedDocument,
    ModelError,
    Passage,
    Query,
    StoreError,
    fused,
)
from citewell.asking import SOME_BY_WORDS_ALONE, WORDS_ALONE
from citewell.following import Following, Told
from citewell_postgres import vector_sets
from citewell_postgres.database import Database
from citewell_postgres.embedding import Embedding
from citewell_postgres.reindexing import Reindexing, lack
from citewell_postgres.retriever import PostgresRetriever, either, ordered, with_scores
from citewell_postgres.vectors import Asked

DEPTH = 100
"""How many passages each half finds at least, before the two become one list."""


class HybridPostgresRetriever(PostgresRetriever):
    """Finds passages by words and by vectors; these follow once the words are stored."""

    _embeds = True

    def __init__(
        self,
        database: Database,
        context: Context,
        *,
        embedding: Embedding,
        fusion: Fusion,
        stemming: bool = True,
    ) -> None:
        """Prepare; nothing is connected or embedded before it is needed.

        Args:
            database: holds the index; closed with the retriever.
            context: for messages.
            embedding: makes vectors.
            fusion: how the two halves become one list.
            stemming: whether a word matches its other forms.
        """
        super().__init__(database, context, stemming=stemming)
        self._embedding = embedding
        self._fusion = fusion
        self._reindexing = Reindexing(database, embedding, name=context.name, log=context.log)
        self._following = Following(self._follow, name=context.name, log=context.log)

    @property
    def fusion(self) -> Fusion:
        """How words and vectors are weighed."""
        return self._fusion

    async def index(self, documents: Sequence[IndexedDocument]) -> None:
        """Add or replace whole documents. On return they are durable and can be found.

        They are found by words at once, and by vectors as soon as the embedder has made them, in
        this process or another one that has the same.

        Raises:
            IndexLocked: another process is writing.
            StoreError: the database cannot be written; nothing has changed.
        """
        await super().index(documents)
        self._following.begin()

    async def catch_up(self, told: Callable[[int, int], None]) -> None:
        """Wait until everything that was indexed has its vector, or is not to have one.

        Args:
            told: given how many passages are embedded, of how many that had no vector.

        Raises:
            ModelError: the embedder fails; what is embedded stays, the rest is found by words.
            StoreError: the index cannot be written, or has to be reindexed.
        """
        await self._following.finish(told)

    async def identity(self) -> str:
        """Return a short name of the content, and of the embedder while its vectors are used."""
        state = await self._reader.state()
        own = f"{state.name}-{state.generation}"
        try:
            embedder = await self._embedding.opened_soon()
        except (ModelError, TimeoutError):
            return own
        return f"{own}+{embedder.identity}" if state.set_of(embedder.identity) else own

    async def close(self) -> None:
        """Finish what is being written and close all connections; the next one embeds the rest."""
        await self._following.stop()
        await self._embedding.close()
        await super().close()

    async def retrieve(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Return at most `limit` passages, best first; the score is that of `fused`.

        Where there are no vectors to compare with, words have to do, and whoever asks is told.
        """
        if limit < 1 or not query.text.strip():
            return []
        asked, shortfall = await self._asked_or_not(query)
        if asked is None:
            passages = await self._by_words(query, limit=limit, readable_by=readable_by)
        else:
            passages = await self._by_both(query, asked, limit=limit, readable_by=readable_by)
        if shortfall and (passages or not await self._reader.is_empty()):
            self._context.notice(SOME_BY_WORDS_ALONE if asked else WORDS_ALONE, detail=shortfall)
        return passages

    async def _by_both(
        self, query: Query, asked: Asked, *, limit: int, readable_by: Audience
    ) -> Sequence[Passage]:
        def best(by_words: Mapping[int, float], by_vectors: Mapping[int, float]) -> list[int]:
            scores = fused(by_words, by_vectors, self._fusion)
            return ordered(scores, by_words)[:limit]

        depth = max(limit, DEPTH)
        found = await self._reader.find(
            query, limit=depth, readable_by=readable_by, asked=asked, wanted=best
        )
        self._tell_other_words(found.state)
        if asked.vector_set not in {one.id for one in found.state.sets}:
            missing = lack(found.state, self._context.name)
            self._context.notice(WORDS_ALONE, detail=f"{missing}; found by words alone")
        return with_scores(found, fused(found.by_words, found.by_vectors, self._fusion))

    async def halves(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> tuple[Sequence[Passage], Sequence[Passage]]:
        """Return what words find and what vectors find, at most `limit` each.

        Raises:
            ModelError: the question cannot be embedded.
            StoreError: there are no vectors, or those of another embedder.
        """
        if limit < 1:
            return [], []
        asked, _ = await self._asked(query)
        found = await self._reader.find(
            query, limit=limit, readable_by=readable_by, asked=asked, wanted=either
        )
        return with_scores(found, found.by_words), with_scores(found, found.by_vectors)

    async def reindex(self, told: Callable[[int, int], None]) -> None:
        """Embed what has no vector of the present embedder yet, beside vectors that are in use.

        Raises:
            ModelError: the embedder fails; what is embedded stays.
            StoreError: the database cannot be written; `IndexLocked` when another process does it.
        """
        with self._database.explained():
            async with self._following.paused():
                await self._reindexing.run(told)

    async def _follow(self, told: Told) -> None:
        with self._database.explained():
            await self._reindexing.follow(told)

    async def _asked_or_not(self, query: Query) -> tuple[Asked | None, str]:
        """Return the question as a vector, and what is to be said about that."""
        try:
            asked, is_complete = await self._asked(query)
        except StoreError as error:
            return None, f"{error}; found by words alone"
        except CitewellError as error:
            return None, f"the question could not be embedded; found by words alone: {error}"
        if not is_complete:
            return asked, (
                "some passages have no vector yet, and are found by words alone; "
                f"run: citewell reindex {self._context.name}"
            )
        return asked, ""

    async def _asked(self, query: Query) -> tuple[Asked, bool]:
        """Return the question as a vector, and whether every passage has one to compare with.

        Raises:
            ModelError: the embedder fails, or does not answer soon.
            StoreError: there is nothing to compare a vector of it with.
        """
        state = await self._reader.state()
        try:
            embedder = await self._embedding.opened_soon()
            own = state.set_of(embedder.identity)
            if not own.is_complete if own else state.embeds:
                self._following.resume()
            if own is None:
                raise StoreError(lack(state, self._context.name))
            vector = await self._embedding.of_question(embedder, query.text)
        except TimeoutError as error:
            why = str(error) or "no answer"
            raise ModelError(f"embedder {self._embedding.name}: {why}") from error
        if len(vector) != own.dimension:
            raise StoreError(vector_sets.changed(own, len(vector)))
        return Asked(own.id, vector), own.is_complete
