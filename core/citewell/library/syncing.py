"""Sources brought into indexes: only what changed, whole documents only.

What is indexed is known by its version: the source's own, a dot, and a hash of everything else that
shaped the passages. The index keeps it, and nothing else does, so a sync that is killed at any
point is completed by the next one.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from citewell.errors import StoreError
from citewell.library.batching import Batches, Room
from citewell.library.catching_up import catch_up
from citewell.library.failures import Failures
from citewell.library.intake import Desk, Intake, Run, together
from citewell.library.plans import Index, Progress, ProgressListener, Readers, SyncReport
from citewell.library.reading import Reader

AT_ONCE = 8
"""So many libraries are brought up at once."""


async def sync(
    indexes: Sequence[Index],
    *,
    data_dir: Path,
    base_dir: Path,
    readers: Readers | None = None,
    progress: ProgressListener | None = None,
) -> SyncReport:
    """Bring every index up to date once, and wait for the vectors of what is new.

    Args:
        indexes: what shall be where.
        data_dir: keeps what failed, so that it is not read again at once.
        base_dir: what relative paths of the settings are relative to.
        readers: what reads documents; default: a few processes of this machine.
        progress: called on the event loop after each step.

    Raises:
        StoreError: an index cannot be written; `IndexLocked` when another process does.
        EngineError: the workers of an engine cannot be had, or are not fit to read anything.
    """
    begin = time.perf_counter()
    async with Synchronizer(
        indexes, data_dir=data_dir, base_dir=base_dir, readers=readers
    ) as synchronizer:
        report = await synchronizer.run(progress=progress)
    report.lacking = await catch_up(indexes, progress or _ignore)
    report.seconds = time.perf_counter() - begin
    return report


class _Writing:
    """What runs that write to the same index share.

    Attributes:
        listing: held by who reads what the index has, which may be much.
        lock: held by who writes to the index.
        failures: documents of it that could not be read.
        leaving: documents of other libraries, which somebody is about to delete.
    """

    def __init__(self, failures: Failures) -> None:
        self.listing = asyncio.Lock()
        self.lock = asyncio.Lock()
        self.failures = failures
        self.leaving: set[str] = set()


class Synchronizer(AbstractAsyncContextManager["Synchronizer"]):
    """Syncs again and again, with reading processes that stay.

    Libraries are brought up beside each other, a few at a time: one that takes long, like the
    history of a channel, holds up no other. Runs may overlap where they are of different libraries.
    """

    def __init__(
        self,
        indexes: Sequence[Index],
        *,
        data_dir: Path,
        base_dir: Path,
        readers: Readers | None = None,
    ) -> None:
        self._indexes = tuple(indexes)
        self._data_dir = data_dir
        chosen = readers or Readers()
        self._reader = Reader(
            processes=chosen.number, engine=chosen.engine, data_dir=data_dir, base_dir=base_dir
        )
        self._room = Room(self._reader.workers)
        self._places = asyncio.Semaphore(AT_ONCE)
        self._writings: dict[str, _Writing] = {}
        # Read for one index after the other: what a source hands over ends with its next list.
        self._sources: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

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
            StoreError: an index cannot be written; the others are up to date.
            EngineError: the workers of an engine cannot be had, or are not fit to read anything.
        """
        begin = time.perf_counter()
        report = SyncReport(libraries=self._wanted(only))
        run = Run(self._reader, report, Progress(), progress or _ignore)
        async with together() as group:
            tasks = [
                group.create_task(self._brought_up(index, run))
                for index in self._indexes
                # One without libraries is to lose what it has.
                if not index.libraries
                or any(one.name in report.libraries for one in index.libraries)
            ]
        run.progress.is_listing = False
        run.step()
        for error in filter(None, (task.result() for task in tasks)):
            raise error
        report.put_in_order()
        report.seconds = time.perf_counter() - begin
        return report

    def _wanted(self, only: Collection[str] | None) -> list[str]:
        names = dict.fromkeys(one.name for index in self._indexes for one in index.libraries)
        return [name for name in names if only is None or name in only]

    async def _brought_up(self, index: Index, run: Run) -> StoreError | None:
        """Bring one index up to date; return why it cannot be written.

        What others may no longer read or cite must go from theirs, whatever ails this one.
        """
        if index.name not in self._writings:
            failures = Failures(self._data_dir / f"failures-{index.name}.json")
            self._writings[index.name] = _Writing(failures)
        writing = self._writings[index.name]
        batches = Batches(index.retriever, run.finished, room=self._room, writing=writing.lock)
        try:
            await self._bring_up(index, run, writing, batches)
        except StoreError as error:
            return error
        finally:
            batches.close()
        writing.failures.save()
        return None

    async def _bring_up(self, index: Index, run: Run, writing: _Writing, batches: Batches) -> None:
        async with _known(index, run.report.libraries, writing) as (known, others):
            run.report.removed += len(others)
            for id_ in others:
                batches.delete(id_)
            async with together() as group:
                group.create_task(batches.run())
                async with together() as listing:
                    for library in index.libraries:
                        if library.name in known:
                            desk = Desk(library, known[library.name], batches, writing.failures)
                            listing.create_task(self._take_in(desk, run))
                batches.end()

    async def _take_in(self, desk: Desk, run: Run) -> None:
        async with self._sources[desk.library.name], self._places:
            await Intake(desk, run).run()


@asynccontextmanager
async def _known(
    index: Index, names: Collection[str], writing: _Writing
) -> AsyncIterator[tuple[Mapping[str, Mapping[str, str]], Collection[str]]]:
    """Yield what an index has of each of its libraries in `names`, and what it has of none.

    What it has of none is given to nobody else until the end.
    """
    configured = {library.name for library in index.libraries}
    known: dict[str, dict[str, str]] = {name: {} for name in configured.intersection(names)}
    others: set[str] = set()
    async with writing.listing:
        for document_id, version in (await index.retriever.versions()).items():
            name, _, id_ = document_id.partition(":")
            if name in known:
                known[name][id_] = version
            elif name not in configured and document_id not in writing.leaving:
                others.add(document_id)
    writing.leaving |= others
    try:
        yield known, others
    finally:
        writing.leaving -= others


def _concerns(index: Index, names: Collection[str]) -> bool:
    # One without libraries is to lose what it has.
    return not index.libraries or any(library.name in names for library in index.libraries)


def _ignore(progress: Progress) -> None:
    """Listen to nothing."""
