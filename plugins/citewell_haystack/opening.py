"""Opens what the settings name: a store that Citewell fills, or what somebody else does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from citewell import Context, PluginError, Retriever
from citewell_haystack.asking import Asking
from citewell_haystack.borrowed import BorrowedRetriever, Search
from citewell_haystack.code import named_object, trusted_bytes
from citewell_haystack.finding import Finder, Found
from citewell_haystack.importing import import_haystack, named_class, silence_clients
from citewell_haystack.kept import Kept
from citewell_haystack.known import KNOWN, known_store
from citewell_haystack.lane import Lane
from citewell_haystack.pipelines import QueryPipeline
from citewell_haystack.plugin import HaystackConfig
from citewell_haystack.retriever import KeptRetriever
from citewell_haystack.store import Filters, Store
from citewell_haystack.telling import told

_STORE_METHODS = ("count_documents", "delete_documents", "filter_documents", "write_documents")


class StoreSearch(Struct, frozen=True):
    """Searches a store that somebody else fills."""

    finder: Finder
    takes_filters: bool = True

    def search(
        self, text: str, vector: Sequence[float] | None, *, filters: Filters | None, limit: int
    ) -> list[Found]:
        """Return at most `limit` documents, best first."""
        return self.finder.find(text, vector, filters=filters, vector_filters=filters, limit=limit)


class _Opened(Struct, frozen=True):
    """What the settings name: a pipeline, a store that it reads, or a store alone."""

    pipeline: QueryPipeline | None
    stores: list[Store]


@asynccontextmanager
async def opened(config: HaystackConfig, context: Context) -> AsyncIterator[Retriever]:
    """Open the retriever; on leaving, its thread closes its stores when all else is done.

    Raises:
        MissingExtra: Haystack, or an integration of it, is not installed.
        PluginError: what is named cannot be had.
        UntrustedPlugin: it is code that nobody has trusted.
        StoreError: it cannot be opened.
    """
    lane = Lane(f"haystack-{context.name}", context.log)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(lane.close)
        found = await lane.run(partial(_open_in, lane, config, context))
        finder = await lane.run(lambda: _finder(found, config, context))
        asking = None
        name, embedders = config.embedder, context.embedders
        if finder is not None and name is not None and embedders is not None:
            asking = Asking(name, embedders, context, is_alone=finder.words is None)
            stack.push_async_callback(asking.close)
        yield _retriever(found, finder, lane, context, config=config, asking=asking)


def _open_in(lane: Lane, config: HaystackConfig, context: Context) -> _Opened:
    """Open it; the lane closes it, also where whoever wants it no longer waits."""
    found = _open(config, context)
    lane.at_end(partial(_close, found))
    return found


def _open(config: HaystackConfig, context: Context) -> _Opened:
    import_haystack(f'retriever "{context.name}"')
    named = None
    if config.pipeline is not None:
        named = _pipeline(context.resolve(config.pipeline), context)
    elif config.python is not None:
        named = named_object(config.python, context)
    if named is None or _is_store(named):
        documents = _store(config, context) if named is None else named
        silence_clients()
        return _Opened(None, [Store(documents, name=context.name)])
    pipeline = QueryPipeline(named, name=context.name)
    stores = pipeline.stores() if config.store is None else [_store(config, context)]
    silence_clients()
    if not stores:
        raise PluginError(
            f'pipeline of retriever "{context.name}" has no component with a document store; name '
            "the store as well, so that citations can be checked against it"
        )
    return _Opened(pipeline, [Store(one, name=context.name) for one in stores])


def _is_store(found: Any) -> bool:
    return all(hasattr(found, method) for method in _STORE_METHODS)


def _pipeline(path: Path, context: Context) -> Any:
    """Return the pipeline of a YAML file, which can name whatever Haystack lets it make."""
    from haystack import Pipeline

    content = trusted_bytes(path, context)
    try:
        return Pipeline.loads(content)
    except Exception as error:
        raise PluginError(
            f'retriever "{context.name}": {path} is no pipeline that can be loaded: {told(error)}'
        ) from error


def _store(config: HaystackConfig, context: Context) -> Any:
    """Return the store of `store`, opened with its parameters."""
    known = KNOWN.get(config.store or "")
    path = (config.store or "") if known is None else known.store
    component = f'retriever "{context.name}"'
    made = named_class(path, within="document_stores", has=_STORE_METHODS, component=component)
    parameters = dict(config.parameters)
    if isinstance(parameters.get("path"), str):
        parameters["path"] = str(context.resolve(Path(parameters["path"])))
    parameters |= _secrets(config)
    if known is KNOWN["qdrant"]:
        parameters.setdefault("progress_bar", False)
        # What the embedder must not be given, or does not answer for, is found by words.
        parameters.setdefault("use_sparse_embeddings", not config.is_filled)
    try:
        return made(**parameters)
    except Exception as error:
        raise PluginError(
            f"{component}: {config.store} cannot be opened with these parameters: {told(error)}"
        ) from error


def _secrets(config: HaystackConfig) -> dict[str, Any]:
    from haystack.utils import Secret

    return {
        name: Secret.from_token(secret.get_secret_value())
        for name, secret in config.secrets.items()
    }


def _retriever(
    found: _Opened,
    finder: Finder | None,
    lane: Lane,
    context: Context,
    *,
    config: HaystackConfig,
    asking: Asking | None,
) -> Retriever:
    if finder is not None and not config.is_filled:
        if known_store(found.stores[0].documents) is KNOWN["in-memory"]:
            context.log.warning(
                "this store forgets everything when the process ends; only citewell run, which "
                "fills it when it starts, can answer from it"
            )
        kept = Kept(found.stores[0], finder, lock=context.data_dir / "writer.lock")
        return KeptRetriever(kept, lane, asking=asking)
    search: Search
    if finder is not None:
        search = StoreSearch(finder, takes_filters=config.label_filter != "none")
    else:
        search = _checked_pipeline(found, config, context)
    return BorrowedRetriever(search, found.stores, lane, context, config=config, asking=asking)


def _checked_pipeline(found: _Opened, config: HaystackConfig, context: Context) -> QueryPipeline:
    pipeline = found.pipeline
    assert pipeline is not None  # noqa: S101 - what has no finder is one
    if not config.is_filled:
        raise PluginError(
            f'retriever "{context.name}": {config.python} is a pipeline, which only finds; '
            'set filled_by = "others"'
        )
    if config.meta.labels is not None and pipeline.unfiltered:
        context.log.warning(
            "%s of the pipeline take no filters: what may be read is chosen after it is ranked",
            ", ".join(pipeline.unfiltered),
        )
    return pipeline


def _finder(found: _Opened, config: HaystackConfig, context: Context) -> Finder | None:
    """Return what searches a store: known classes, or those that the settings name.

    A pipeline searches by itself.
    """
    if found.pipeline is not None:
        return None
    store = found.stores[0]
    known = known_store(store.documents)
    sparse = known is not None and known.sparse and config.words is None
    by_words = config.words or ("" if known is None else known.words)
    by_vectors = config.vectors or ("" if known is None else known.vectors)
    if sparse and (config.is_filled or not getattr(store.documents, "use_sparse_embeddings", 0)):
        # Sparse vectors of somebody else come from a model that is theirs.
        by_words = ""
    if config.embedder is None:
        by_vectors = ""
    if not by_words and not by_vectors:
        kind = type(store.documents).__name__
        raise PluginError(
            f'retriever "{context.name}": nothing finds passages in {kind}; name an '
            "embedder, a retriever of Haystack in words, or a whole pipeline"
        )
    return Finder(
        store=store,
        words=_component(by_words, store, context),
        vectors=_component(by_vectors, store, context),
        by_word=known is not None and known.by_word and config.words is None,
        sparse=sparse and bool(by_words),
        fusion=config.fusion,
    )


def _component(path: str, store: Store, context: Context) -> Any:
    if not path:
        return None
    component = f'retriever "{context.name}"'
    made = named_class(path, within="components.retrievers", has=("run",), component=component)
    try:
        return made(document_store=store.documents)
    except Exception as error:
        raise PluginError(f"{component}: {path} cannot search this store: {told(error)}") from error


def _close(found: _Opened) -> None:
    for store in found.stores:
        store.close()
    if found.pipeline is not None:
        found.pipeline.close()
