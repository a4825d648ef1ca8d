"""Sources brought into indexes: only what changed, whole documents only.

What is indexed is known by its version: the source's own, a dot, and a hash of everything else that
shaped the passages. The index keeps it, and nothing else does, so a sync that is killed at any
point is completed by the next one.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from citewell.library.batching import Batches
from citewell.library.failures import Failures
from citewell.library.intake import Desk, Intake, Run, together
from citewell.library.plans import Index, Progress, ProgressListener, SyncReport
from citewell.library.reading import Reader


async def sync(
    indexes: Sequence[Index],
    *,
    data_dir: Path,
    base_dir: Path,
    progress: ProgressListener | None = None,
) -> SyncReport:
    """Bring every index up to date once.

    Args:
        indexes: what shall be where.
        data_dir: keeps what failed, so that it is not read again at once.
        base_dir: what relative paths of the settings are relative to.
        progress: called on the event loop after each step.

    Raises:
        StoreError: an index cannot be written; `IndexLocked` when another process does.
    """
    async with Synchronizer(indexes, data_dir=data_dir, base_dir=base_dir) as synchronizer:
        return await synchronizer.run(progress=progress)


class Synchronizer(AbstractAsyncContextManager["Synchronizer"]):
    """Syncs again and again, with reading processes that stay; one run at a time."""

    def __init__(self, indexes: Sequence[Index], *, data_dir: Path, base_dir: Path) -> None:
        self._indexes = tuple(indexes)
        self._data_dir = data_dir
        self._reader = Reader(data_dir=data_dir, base_dir=base_dir)

    async def __aenter__(self) -> Self:
        await self._reader.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._reader.__aexit__(kind, error, traceback)

    async def run(
        self, *, only: Collection[str] | None = None, progress: ProgressListener | None = None
    ) -> SyncReport:
        """Sync all libraries, or those in `only`.

        Raises:
            StoreError: an index cannot be written.
        """
        begin = time.perf_counter()
        run = Run(self._reader, SyncReport(), Progress(), progress or _ignore)
        for index in self._indexes:
            await self._bring_up(index, run, only)
        run.progress.is_listing = False
        run.step()
        run.report.failed.sort(key=lambda failure: (failure.library, failure.id))
        run.report.seconds = time.perf_counter() - begin
        return run.report

    async def _bring_up(self, index: Index, run: Run, only: Collection[str] | None) -> None:
        versions = await index.retriever.versions()
        by_library: dict[str, dict[str, str]] = {library.name: {} for library in index.libraries}
        batches = Batches(index.retriever, run.finished)
        failures = Failures(self._data_dir / f"failures-{index.name}.json")
        async with together() as group:
            group.create_task(batches.run())
            for document_id, version in versions.items():
                name, _, id_ = document_id.partition(":")
                if name in by_library:
                    by_library[name][id_] = version
                else:
                    batches.delete(document_id)
                    run.report.removed += 1
            for library in index.libraries:
                if only is None or library.name in only:
                    desk = Desk(library, by_library[library.name], batches, failures)
                    await Intake(desk, run).run()
            batches.end()
        failures.save()


def _ignore(progress: Progress) -> None:
    """Listen to nothing."""
