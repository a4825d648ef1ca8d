"""What every engine must do, as tests."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from citewell.errors import EngineError, WorkerLost
from citewell.protocols import Engine
from citewell.testing.opening import opened, run_async

_GIVE_UP_S = 60.0


def reversed_bytes(task: bytes) -> bytes:
    """Return the task backwards."""
    return task[::-1]


def worker_id(task: bytes) -> bytes:
    """Return the number of the process, after as many seconds as the task says."""
    time.sleep(float(task))
    return str(os.getpid()).encode()


def complain(task: bytes) -> bytes:
    """Fail, with the task as the reason."""
    raise ValueError(task.decode())


def end(_task: bytes) -> bytes:
    """End the worker."""
    os.kill(os.getpid(), signal.SIGKILL)
    return b""


def end_once(task: bytes) -> bytes:
    """End the worker, unless the file that the task names is there; make it first."""
    mark = Path(task.decode())
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return b"done"


class EngineContract:
    """Subclass it, set `name`, and pytest tests your engine. It has two workers here at least.

    Attributes:
        name: under which a plugin that is installed offers the engine.
        config: its settings, as they would stand in `citewell.toml`.
    """

    name: ClassVar[str]
    config: ClassVar[Mapping[str, object]] = {}

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[Engine]:
        """Open the engine; override to build it otherwise."""
        async with opened("engine", self.name, self.config, folder) as engine:
            yield engine

    @run_async
    async def test_calls_return_what_the_function_returns(self, tmp_path: Path) -> None:
        tasks = [b"", b"abc", bytes(range(256)) * 20_000]

        async with self.open(tmp_path) as engine:
            results = await asyncio.gather(*(engine.call(reversed_bytes, task) for task in tasks))

        assert results == [task[::-1] for task in tasks], "results belong to their tasks"

    @run_async
    async def test_calls_run_on_several_workers_and_not_here(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as engine:
            ids = await asyncio.gather(*(engine.call(worker_id, b"0.5") for _ in range(8)))

            assert engine.workers >= 2, "test it with two workers at least"
        assert len(set(ids)) >= 2, "calls that overlap run on several workers"
        assert str(os.getpid()).encode() not in ids, "functions run in processes of their own"

    @run_async
    async def test_a_function_that_fails_says_why(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as engine:
            with pytest.raises(EngineError, match="no such cupboard") as refused:
                await engine.call(complain, b"no such cupboard")
            after = await engine.call(reversed_bytes, b"ab")

        assert not isinstance(refused.value, WorkerLost), "the worker is still there"
        assert "\n" not in str(refused.value), "a reason is one line"
        assert after == b"ba", "a function that failed disturbs no other call"

    @run_async
    async def test_a_worker_that_ends_costs_no_call(self, tmp_path: Path) -> None:
        mark = tmp_path / "ended"

        async with self.open(tmp_path) as engine:
            done, others = await asyncio.gather(
                engine.call(end_once, os.fsencode(mark)),
                asyncio.gather(*(engine.call(worker_id, b"0.2") for _ in range(6))),
            )

        assert mark.exists(), "workers of this test share the files of this machine"
        assert done == b"done", "the call is run again on another worker"
        assert len(others) == 6, "other calls come to their end"

    @run_async
    async def test_what_ends_every_worker_is_given_up(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as engine:
            async with asyncio.timeout(_GIVE_UP_S):
                with pytest.raises(WorkerLost):
                    await engine.call(end, b"")
            after = await engine.call(reversed_bytes, b"ab")

        assert after == b"ba", "the engine goes on"

    @run_async
    async def test_a_call_that_is_given_up_holds_up_nobody(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as engine:
            number = 2 * engine.workers
            calls = [asyncio.create_task(engine.call(worker_id, b"30")) for _ in range(number)]
            await asyncio.sleep(0.5)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            begin = time.monotonic()
            after = await engine.call(reversed_bytes, b"ab")
            took_s = time.monotonic() - begin

        assert after == b"ba"
        assert took_s < 25, "a call that was cancelled keeps its worker"
