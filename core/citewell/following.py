"""Vectors that follow what was indexed, so that no change and no question waits for an embedder."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

from citewell.errors import CitewellError, IndexLocked, StoreError

RETRY_S = 30.0
"""After so long what failed is tried again; each time in vain doubles it."""

POLL_S = 1.0
"""So often it is looked whether another process, which embeds, has come to its end."""

_MOST_RETRY_S = 600.0

Told: TypeAlias = Callable[[int, int], None]
"""Is given how many passages are embedded, of how many that had no vector."""

Fill: TypeAlias = Callable[[Told], Awaitable[None]]
"""Embeds what lacks a vector. Raises `IndexLocked` where another process does."""


class NeedsReindex(StoreError):
    """What lacks a vector gets none before somebody asks for it: says how."""


class Following:
    """Embeds what lacks a vector, in the background or while somebody waits for it.

    Args:
        fill: does it, once; what it has embedded when it fails stays.
        name: of the retriever, for messages.
        log: of it; told what fails in the background.
    """

    def __init__(self, fill: Fill, *, name: str, log: logging.Logger) -> None:
        self._fill = fill
        self._name = name
        self._log = log
        self._called = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._alone = asyncio.Lock()
        self._listeners: list[Told] = []
        self._said = ""

    @property
    def is_running(self) -> bool:
        """Whether something is embedded in the background, or will be tried again."""
        return self._running is not None and not self._running.done()

    def begin(self) -> None:
        """Embed in the background what lacks a vector now, and what comes meanwhile."""
        self._called.set()
        if not self.is_running:
            self._running = asyncio.ensure_future(self._run())

    def resume(self) -> None:
        """Begin with what another process has left, unless that is under way or has just failed."""
        if not self.is_running:
            self.begin()

    async def finish(self, told: Told) -> None:
        """Wait until nothing lacks a vector, whoever makes it.

        Raises:
            ModelError: the embedder fails; what is embedded stays, the rest is found by words.
            StoreError: the index cannot be written, or has to be reindexed.
        """
        self._listeners.append(told)
        try:
            while not await self._is_done():  # noqa: ASYNC110 - another process does it
                await asyncio.sleep(POLL_S)
        finally:
            self._listeners.remove(told)

    async def stop(self) -> None:
        """Leave the rest for whoever begins again."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait({self._running})

    @asynccontextmanager
    async def paused(self) -> AsyncIterator[None]:
        """Embed nothing meanwhile, neither in the background nor for who waits; then go on."""
        was_running = self.is_running
        await self.stop()
        try:
            async with self._alone:
                yield
        finally:
            if was_running:
                self.begin()

    async def _run(self) -> None:
        pause = RETRY_S
        while self._called.is_set():
            self._called.clear()
            wait = POLL_S
            try:
                if await self._is_done():
                    self._said = ""
                    continue
            except NeedsReindex as error:
                self._say(str(error))
                continue
            except CitewellError as error:
                self._say(str(error))
                wait, pause = pause, min(2 * pause, _MOST_RETRY_S)
            except Exception:  # noqa: BLE001 - a broken plugin costs vectors and nothing else
                self._log.exception('retriever "%s": passages are not embedded', self._name)
                wait, pause = pause, min(2 * pause, _MOST_RETRY_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._called.wait()
            self._called.set()

    async def _is_done(self) -> bool:
        """Embed; False where another process does."""
        async with self._alone:
            try:
                await self._fill(self._tell)
            except IndexLocked:
                return False
            return True

    def _tell(self, done: int, total: int) -> None:
        for told in self._listeners:
            told(done, total)

    def _say(self, what: str) -> None:
        if what != self._said:
            self._log.warning(
                'retriever "%s": passages are found by words alone for now: %s', self._name, what
            )
            self._said = what
