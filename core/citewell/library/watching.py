"""Sources watched, so that what is saved can be asked about a moment later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

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

Told: TypeAlias = Callable[[SyncReport | StoreError], None]


async def watch(
    synchronizer: Synchronizer,
    folders: Mapping[str, Iterable[Path]],
    *,
    ignored: Path,
    told: Told,
) -> None:
    """Sync everything, then each library whose folders change, until cancelled.

    Args:
        synchronizer: entered; used by nobody else meanwhile.
        folders: of each library, what to watch; need not exist yet.
        ignored: changes below it are our own.
        told: the first report, each that brings something new, and why an index cannot be written,
            once for each reason.
    """
    due = _Due(folders)
    watched = {folder for names in folders.values() for folder in names}
    async with together() as group:
        for folder in watched:
            group.create_task(_watch_folder(folder, due, own=_beginnings(ignored)))
        group.create_task(_all_now_and_then(due))
        await _sync_what_is_due(synchronizer, due, told)


class _Due:
    """The libraries that are to be synced."""

    def __init__(self, folders: Mapping[str, Iterable[Path]]) -> None:
        self._names = set(folders)
        self._by_folder: dict[Path, set[str]] = {}
        for name, paths in folders.items():
            for path in paths:
                self._by_folder.setdefault(path, set()).add(name)
        self._waiting: set[str] = set()
        self._some = asyncio.Event()

    def add(self, names: Iterable[str] | None = None) -> None:
        """Let these libraries, or all, be synced."""
        self._waiting |= self._names if names is None else set(names)
        self._some.set()

    def changed(self, folder: Path) -> None:
        """Let the libraries of `folder` be synced."""
        self.add(self._by_folder[folder])

    async def next(self) -> frozenset[str]:
        """Wait until something is due, and take it."""
        await self._some.wait()
        taken, self._waiting = frozenset(self._waiting), set()
        self._some.clear()
        return taken


async def _sync_what_is_due(synchronizer: Synchronizer, due: _Due, told: Told) -> None:
    said: object = None
    while True:
        names = await due.next()
        try:
            report = await synchronizer.run(only=names)
        except StoreError as error:
            if str(error) != said:
                told(error)
                said = str(error)
            await asyncio.sleep(_RETRY_S)
            due.add(names)
            continue
        state = (report.failed, report.errors, report.unlabelled)
        if said != state or report.added or report.updated or report.removed:
            told(report)
            said = state


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
