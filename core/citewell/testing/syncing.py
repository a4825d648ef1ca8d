"""Brings the indexes of a test up to date, as `citewell sync` does."""

from __future__ import annotations

from functools import partial

from citewell.engine.runtime import Runtime
from citewell.library.labelling import Labelling
from citewell.library.plans import Index, Library, loadings
from citewell.library.syncing import sync


async def sync_libraries(runtime: Runtime) -> None:
    """Let every retriever hold what its libraries hold now; each document must be readable."""
    settings = runtime.settings
    indexes = [
        Index(
            name=name,
            retriever=await runtime.retriever(name),
            libraries=tuple(_library(runtime, library) for library in one.libraries),
        )
        for name, one in settings.retrievers.items()
        if not one.is_filled
    ]
    report = await sync(indexes, data_dir=settings.data_dir, base_dir=settings.base_dir)
    assert not report.failed, f"documents of the test cannot be read: {report.failed}"
    assert not report.errors, f"libraries of the test cannot be listed: {report.errors}"


def _library(runtime: Runtime, name: str) -> Library:
    library = runtime.settings.libraries[name]
    return Library(
        name=name,
        open=partial(runtime.source, name),
        settings=name,
        loadings=loadings(runtime.settings.loaders),
        labelling=Labelling(library.labels),
        off=(),
        language=library.language,
        max_mb=library.max_mb,
        max_seconds=library.max_seconds,
        passage_chars=library.passage_chars,
    )
