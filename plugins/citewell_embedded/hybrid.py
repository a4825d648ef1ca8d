"""The retriever `hybrid`: what words find and what vectors find, made one list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from citewell import (
    Audience,
    CitewellError,
    Context,
    Fusion,
    IndexedDocument,
    ModelError,
    Passage,
    PluginError,
    Query,
    StoreError,
    blocking,
    fused,
)
from citewell.asking import SOME_BY_WORDS_ALONE, WORDS_ALONE, PatientEmbedder
from citewell.following import Following
from citewell_embedded.catching_up import CatchingUp, lack
from citewell_embedded.filling import PassageEmbedder, changed
from citewell_embedded.hybrid_reader import Halves, HybridReader
from citewell_embedded.index import IndexDamaged
from citewell_embedded.matrix import Floats, checked
from citewell_embedded.reindexing import Reindexing
from citewell_embedded.retriever import LexicalRetriever
from citewell_embedded.vector_reader import Settings
from citewell_embedded.vectors import set_identity

if TYPE_CHECKING:
    from citewell_embedded.plugin import HybridConfig

CANDIDATES = 50
"""At least so many passages of each half are weighed against each other."""

HEALED = 1000
"""So many passages without a vector are embedded where somebody only asks, and nobody syncs."""

_VECTORS_ALONE = "search by words is off at the moment; only the meaning was looked for"

_MORE = 4
_GRAPH_POLL_S = 0.2


class _Question(NamedTuple):
    """How a question is asked of the vectors; why not, where it cannot be.

    Attributes:
        error: why it cannot.
        told: the same, or what the vectors cannot find, for whoever runs the assistant.
    """

    vector: Floats | None
    identity: str = ""
    error: CitewellError | None = None
    told: str = ""


class HybridRetriever(LexicalRetriever):
    """Keeps passages in SQLite, with a vector of each, and finds them by words and by vectors.

    What changes is found by its words at once, and what is deleted is gone at once. Vectors follow:
    they are made in the background by whoever indexes, and are in use while more than half of the
    passages have theirs; the others are found by words meanwhile, and that is said.
    """

    has_vectors = True

    def __init__(self, folder: Path, context: Context, config: HybridConfig) -> None:
        """Prepare; files and the embedder are opened when they are first needed.

        Args:
            folder: holds store and index; made by the first write.
            context: opens the embedder.
            config: says how.
        """
        self._hybrid_reader = HybridReader(
            folder,
            stemming=config.stemming,
            settings=Settings.of(exact_up_to=config.exact_up_to, ann=config.ann),
            log=context.log,
        )
        super().__init__(folder, context, stemming=config.stemming, reader=self._hybrid_reader)
        if context.embedders is None:
            raise PluginError(f'retriever "{context.name}" needs embedders, and was given none')
        self._embedders = context.embedders
        self._config = config
        self._embedder = PatientEmbedder(context.embedders, config.embedder)
        catching_up = CatchingUp(
            folder,
            name=context.name,
            embedder=self._embedder,
            section=config.embedder,
            withholds=self._withholds,
        )
        self._behind = Following(catching_up.fill, name=context.name, log=context.log)
        self._mending: asyncio.Task[None] | None = None
        self._is_mended = False
        self._building: asyncio.Task[None] | None = None

    @property
    def fusion(self) -> Fusion:
        """How it weighs what each half finds."""
        return self._config.fusion

    async def index(self, documents: Sequence[IndexedDocument]) -> None:
        """Add or replace whole documents. On return they are durable and can be found by words.

        Vectors follow in the background, those that a crash or another process left out too: also
        a call without documents begins with them. Passages with the text of before keep theirs.
        Where the passages that are there have no vectors of the present embedder, the new ones get
        none either, until `reindex` embeds all.

        Raises:
            IndexLocked: another process is writing.
            StoreError: they cannot be stored; nothing has changed.
        """
        if documents:
            await self._write(
                lambda writer: writer.write(documents, deleted_ids=(), withholds=self._withholds)
            )
        self._behind.begin()

    async def catch_up(self, told: Callable[[int, int], None]) -> None:
        """Wait until everything that was indexed has its vector, whoever makes it.

        Args:
            told: given how many passages are embedded, of how many that had no vector.

        Raises:
            ModelError: the embedder fails; what has no vector is found by words.
            StoreError: the index cannot be written, or `reindex` is needed; says so.
        """
        await self._behind.finish(told)

    async def retrieve(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> Sequence[Passage]:
        """Return at most `limit` passages, best first; the score is that of `fused`.

        While one half cannot answer, the other one does, with its own scores, and that is said.
        """
        if limit < 1 or not query.text.strip():
            return []
        question = await self._asked(query)
        if question.told:
            text = WORDS_ALONE if question.vector is None else SOME_BY_WORDS_ALONE
            self._context.notice(text, detail=question.told)
        found = await self._halves(
            query, question, limit=max(CANDIDATES, _MORE * limit), readable_by=readable_by
        )
        if found.damaged:
            if found.vectors is None:
                return await super().retrieve(query, limit=limit, readable_by=readable_by)
            self._mend(found.damaged)
            self._context.notice(
                _VECTORS_ALONE,
                detail=f'the words of "{self._context.name}" are being indexed again; '
                "found by vectors alone",
            )
            return found.vectors[:limit]
        self._is_mended = False
        if found.is_waiting:
            self._context.notice(
                WORDS_ALONE,
                detail=f'an index of the vectors of "{self._context.name}" is being made; found by '
                f"words alone; to wait for it, run: citewell reindex {self._context.name}",
            )
        if found.vectors is None or found.words is None:
            return (found.words or [])[:limit]
        return _joined(found.words, found.vectors, self.fusion)[:limit]

    async def halves(
        self, query: Query, *, limit: int, readable_by: Audience
    ) -> tuple[Sequence[Passage], Sequence[Passage]]:
        """Return what words find and what vectors find, at most `limit` each, best first.

        Raises:
            ModelError: the question cannot be embedded.
            StoreError: there are no vectors, or those of another embedder.
        """
        if limit < 1:
            return (), ()
        question = await self._asked(query)
        if question.error:
            raise question.error
        found = await self._halves(query, question, limit=limit, readable_by=readable_by)
        if found.is_waiting:
            raise StoreError(
                f'an index of the vectors of "{self._context.name}" is being made; to wait for '
                f"it, run: citewell reindex {self._context.name}"
            )
        if found.damaged:
            words = await super().retrieve(query, limit=limit, readable_by=readable_by)
            return words, found.vectors or ()
        return found.words or (), found.vectors or ()

    async def reindex(self, told: Callable[[int, int], None]) -> None:
        """Embed what has no vector of the present embedder yet, beside vectors that are in use.

        It goes on where it was interrupted. A set of vectors is used from the moment when every
        passage has its entry. Then those are forgotten that neither this set nor the one before
        it has.

        Args:
            told: given how many passages are embedded, of how many, now and then.

        Raises:
            ModelError: the embedder fails; what is embedded stays.
            StoreError: the index cannot be written, or is being embedded by another process.
        """
        embedder = await self._embedders.open(self._config.embedder)
        given = PassageEmbedder(embedder, self._config.embedder, self._withholds)
        async with self._behind.paused():
            await Reindexing(self._folder, name=self._context.name, embedder=given).run(told)
        identity = set_identity(embedder.identity)
        while not await blocking.call(self._hybrid_reader.load_vectors, identity):
            self._begin_graph()
            await self._built()
            # Another process may be at it.
            await asyncio.sleep(_GRAPH_POLL_S)
        if self._hybrid_reader.wants_graph:
            self._begin_graph()
            await self._built()

    async def identity(self) -> str:
        """Return a short name of the content, and of the embedder while its vectors are used."""
        own = await super().identity()
        try:
            # Whoever asked has waited for it already.
            patience_s = 0 if self._embedder.is_opening else None
            embedder = await self._embedder.opened_soon(patience_s=patience_s)
        except (CitewellError, TimeoutError):
            return own
        state = await blocking.call(
            self._hybrid_reader.vector_state, set_identity(embedder.identity)
        )
        if not own or not state.usable:
            return own
        lacking = state.usable.lacking
        return f"{own}+{embedder.identity}" + (f"-{lacking}" if lacking else "")

    async def close(self) -> None:
        """Finish what is being written and close all files."""
        self._hybrid_reader.stop_building()
        await self._behind.stop()
        running = [task for task in (self._mending, self._building) if task]
        if running:
            await asyncio.wait(running)
        await self._embedder.close()
        await super().close()

    def _withholds(self, passage: Passage) -> bool:
        return self._embedders.withholds(self._config.embedder, passage.labels)

    # --- a question ----------------------------------------------------------------------------

    async def _asked(self, query: Query) -> _Question:
        """Return the vector of a question, or why there is none or it would be of no use."""
        name, setting = self._context.name, self._config.embedder
        try:
            embedder = await self._embedder.opened_soon()
            identity = set_identity(embedder.identity)
            state = await blocking.call(self._hybrid_reader.vector_state, identity)
            if state.is_empty or (state.usable and not state.usable.dimension):
                return _Question(None, identity)
            if state.known and 0 < state.known.lacking <= HEALED and not self._behind.is_running:
                self._behind.begin()
            if not state.usable:
                why = lack(name, embedder.identity, state.others, is_begun=bool(state.known))
                return _Question(None, identity, StoreError(why), f"found by words alone: {why}")
            given = await self._embedder.answered(embedder, query.text)
            vector = checked(given, count=1)[0]
            if len(vector) != state.usable.dimension:
                told = changed(setting, len(vector), state.usable.dimension)
                return _Question(None, identity, StoreError(told), f"found by words alone: {told}")
        except (ModelError, TimeoutError, ValueError) as error:
            failed = error if isinstance(error, ModelError) else ModelError(f"{setting}: {error}")
            why = "no answer in time" if isinstance(error, TimeoutError) else str(error)
            told = f'found by words alone: embedder "{setting}" does not answer: {why}'
            return _Question(None, "", failed, told)
        return _Question(vector, identity, told=_said(name, state.usable.lacking))

    async def _halves(
        self, query: Query, question: _Question, *, limit: int, readable_by: Audience
    ) -> Halves:
        search = partial(
            self._hybrid_reader.halves,
            query,
            question.vector,
            question.identity,
            limit=limit,
            readable_by=readable_by,
        )
        found = await blocking.call(search)
        if self._hybrid_reader.wants_graph:
            self._begin_graph()
        return found

    def _begin_graph(self) -> None:
        if self._building is None or self._building.done():
            self._building = asyncio.ensure_future(
                blocking.call_to_end(self._hybrid_reader.build_graph)
            )

    async def _built(self) -> None:
        if self._building:
            await asyncio.shield(self._building)

    def _mend(self, damaged: IndexDamaged) -> None:
        """Begin to make the index of the words again, unless it was made again in vain."""
        if self._is_mended:
            self._hopeless = damaged.index
        is_running = self._mending is not None and not self._mending.done()
        if not is_running and self._hopeless != damaged.index:
            self._mending = asyncio.ensure_future(self._mended(damaged))

    async def _mended(self, damaged: IndexDamaged) -> None:
        try:
            self._is_mended = await self._repair(damaged)
        except StoreError as error:
            self._context.log.warning("%s", error)


def _said(name: str, lacking: int) -> str:
    if not lacking:
        return ""
    have = "passage has" if lacking == 1 else "passages have"
    return f'{lacking:,} {have} no vector in "{name}" yet, found by words alone'


def _joined(words: Sequence[Passage], vectors: Sequence[Passage], fusion: Fusion) -> list[Passage]:
    """Return the passages of both lists, best first."""
    passages: Mapping[str, Passage] = {one.id: one for one in (*words, *vectors)}
    scores = fused(
        {one.id: one.score for one in words}, {one.id: one.score for one in vectors}, fusion
    )
    found = [replace(passages[name], score=score) for name, score in scores.items()]
    return sorted(found, key=lambda one: (-one.score, one.document_id, one.start))
