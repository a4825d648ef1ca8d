"""Sources watched, so that what is saved can be asked about a moment later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct
from watchfiles import awatch

from citewell.errors import StoreError
from citewell.library.intake import together
from citewell.library.plans import SyncReport
from citewell.library.syncing import Synchronizer

_log = logging.getLogger(__name__)

_QUIET_MS = 40
"""A save is often several steps; so long after the last one it is taken as done."""

_BURST_MS = 400
"""A burst of changes is not waited out for longer."""

_LOOK_S = 1.0
"""How often a folder is looked for that was moved, deleted or not there yet."""

_RETRY_S = 2.0
"""How long to wait when the index cannot be written."""

_ALL_S = 300.0
"""How often everything is synced: some network drives tell nothing of what changes."""

_ELSEWHERE = 4
"""So many libraries that nobody can watch are synced at once: watched folders have the rest."""

Told: TypeAlias = Callable[[SyncReport | StoreError], None]


async def watch(
    synchronizer: Synchronizer,
    folders: Mapping[str, Iterable[Path]],
    *,
    ignored: Path,
    told: Told,
) -> None:
    """Sync every library, and each again when its folders change, until cancelled.

    None waits for another to be done: what is saved is found while a channel is still being read.

    Args:
        synchronizer: entered; used by nobody else meanwhile.
        folders: of each library, what to watch; need not exist yet.
        ignored: changes below it are our own.
        told: the first report of each library, each that brings something new, and why an index
            cannot be written, once for each reason.
    """
    watched_by = {name: set(paths) for name, paths in folders.items()}
    due = _Due(watched_by)
    telling = _Telling(told)
    elsewhere = asyncio.Semaphore(_ELSEWHERE)
    async with together() as group:
        for folder in set().union(*watched_by.values()):
            group.create_task(_watch_folder(folder, due, own=_beginnings(ignored)))
        group.create_task(_all_now_and_then(due))
        for name, watched in watched_by.items():
            syncing = _Syncing(name, synchronizer, telling, nullcontext() if watched else elsewhere)
            group.create_task(syncing.keep_up(due))


class _Due:
    """The libraries that are to be synced."""

    def __init__(self, folders: Mapping[str, Iterable[Path]]) -> None:
        self._due = {name: asyncio.Event() for name in folders}
        self._by_folder: dict[Path, set[str]] = {}
        for name, paths in folders.items():
            for path in paths:
                self._by_folder.setdefault(path, set()).add(name)

    def add(self, names: Iterable[str] | None = None) -> None:
        """Let these libraries, or all, be synced."""
        for name in self._due if names is None else names:
            self._due[name].set()

    def changed(self, folder: Path) -> None:
        """Let the libraries of `folder` be synced."""
        self.add(self._by_folder[folder])

    async def until(self, name: str) -> None:
        """Wait until the library `name` is due; then it is not any more."""
        await self._due[name].wait()
        self._due[name].clear()


class _Telling:
    """Tells what is new."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._said: dict[str, object] = {}

    def report(self, name: str, report: SyncReport) -> None:
        """Tell what a sync of one library did, unless nothing changed by it."""
        state = (report.failed, report.errors, report.unlabelled)
        is_new = self._said.get(name) != state
        self._said[name] = state
        if is_new or report.added or report.updated or report.removed:
            self._told(report)

    def error(self, name: str, error: StoreError) -> None:
        """Tell why an index cannot be written, unless that is known of another library."""
        is_new = str(error) not in self._said.values()
        self._said[name] = str(error)
        if is_new:
            self._told(error)


class _Syncing(Struct, frozen=True):
    """One library that is kept up to date.

    Attributes:
        place: held while it is synced.
    """

    name: str
    synchronizer: Synchronizer
    telling: _Telling
    place: AbstractAsyncContextManager[None]

    async def keep_up(self, due: _Due) -> None:
        """Sync it whenever it is due, until cancelled."""
        while True:
            await due.until(self.name)
            try:
                async with self.place:
                    report = await self.synchronizer.run(only={self.name})
            except StoreError as error:
                self.telling.error(self.name, error)
                await asyncio.sleep(_RETRY_S)
                due.add({self.name})
            else:
                self.telling.report(self.name, report)


async def _all_now_and_then(due: _Due) -> None:
    while True:
        due.add()
        await asyncio.sleep(_ALL_S)


async def _watch_folder(folder: Path, due: _Due, *, own: tuple[str, ...]) -> None:
    """Mark `folder` as changed at each change, also when another comes in its place."""
    is_polled = False
    while True:
        if _identity(folder) is None:
            await asyncio.sleep(_LOOK_S)
            continue
        due.changed(folder)
        try:
            await _watch_while(folder, due, own=own, is_polled=is_polled)
        except OSError as error:
            # Linux gives each user a number of watches; looking again and again needs none.
            if not is_polled:
                _log.warning("%s is looked through instead of watched: %s", folder, error)
            is_polled = True
            await asyncio.sleep(_LOOK_S)
        due.changed(folder)


async def _watch_while(folder: Path, due: _Due, *, own: tuple[str, ...], is_polled: bool) -> None:
    """Watch until another folder is in the place of this one."""
    identity = _identity(folder)
    is_first = True
    async for changes in awatch(
        folder,
        watch_filter=lambda _, path: not path.startswith(own),
        debounce=_BURST_MS,
        step=_QUIET_MS,
        rust_timeout=int(_LOOK_S * 1000),
        yield_on_timeout=True,
        force_polling=is_polled,
        ignore_permission_denied=True,
    ):
        if identity is None or _identity(folder) != identity:
            return
        # What was saved while the watching began is seen now.
        if changes or is_first:
            due.changed(folder)
        is_first = False


def _beginnings(folder: Path) -> tuple[str, ...]:
    """Return how paths below `folder` may begin."""
    return tuple({f"{folder.absolute()}/", f"{folder.resolve()}/"})


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
