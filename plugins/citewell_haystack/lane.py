"""One thread for all calls of one store."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeAlias, TypeVar

from citewell import StoreError, blocking

T = TypeVar("T")
_Job: TypeAlias = tuple[Callable[[], Any], "Future[Any]"]

_ENDING_S = 30.0


class Lane:
    """Runs blocking calls one after another, in a thread that stays the same.

    Stores of Haystack are not made for several threads: that of pgvector has one cursor, so two
    questions at once could get each other's rows, and Qdrant's local files belong to a thread.

    Args:
        name: of the thread.
        log: of the component.
    """

    def __init__(self, name: str, log: logging.Logger) -> None:
        self._log = log
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._last: list[Callable[[], None]] = []
        # A store that never answers must not keep the process from ending.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, function: Callable[[], T]) -> T:
        """Return what `function` returns; once begun it runs to its end, whoever still waits."""
        future: Future[T] = Future()
        self._jobs.put((function, future))
        return await asyncio.wrap_future(future)

    def at_end(self, function: Callable[[], None]) -> None:
        """Have a function run when everything is done."""
        self._last.append(function)

    async def close(self) -> None:
        """Wait until everything is done, but not for ever; also when cancelled."""
        self._jobs.put((self._end, Future()))
        self._jobs.put(None)
        await blocking.call_to_end(partial(self._thread.join, _ENDING_S))
        if self._thread.is_alive():
            self._log.warning("the store does not answer; it is not waited for any longer")

    def _end(self) -> None:
        for function in self._last:
            function()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            function, future = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(function())
            except Exception as error:  # noqa: BLE001 - whoever waits gets it
                future.set_exception(error)
            except BaseException as error:  # noqa: BLE001 - it would end the process of whoever waits
                future.set_exception(StoreError(f"it wants to end the process: {error!r}"))
