"""An engine whose workers are processes of this machine, a new one for each call."""

from __future__ import annotations

import asyncio
import importlib
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable

from citewell import EngineError, WorkerLost

_PROGRAM = "import engines; engines.work()"
_FAILED = 9
_TRIES = 3


class ProcessEngine:
    """Runs each call in a process of its own, three times where it is ended.

    Args:
        before: called before each try with its number, counted from 0 over all calls.
    """

    workers = 2

    def __init__(
        self, *, shares_files: bool = False, before: Callable[[int], None] = lambda _: None
    ) -> None:
        self.shares_files = shares_files
        self.calls = 0
        self._before = before

    async def call(self, function: Callable[[bytes], bytes], task: bytes) -> bytes:
        """Return `function(task)`."""
        for _ in range(_TRIES):
            code, out, complaints = await self._tried(function, task)
            if code == 0:
                return out
            if code == _FAILED:
                raise EngineError(complaints.decode().strip())
        raise WorkerLost(f"ended {_TRIES} workers")

    async def _tried(
        self, function: Callable[[bytes], bytes], task: bytes
    ) -> tuple[int | None, bytes, bytes]:
        self._before(self.calls)
        self.calls += 1
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", f"import sys; sys.path[:] = {sys.path!r}; {_PROGRAM}"),
            *(function.__module__, function.__qualname__),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        try:
            out, complaints = await process.communicate(task)
        except asyncio.CancelledError:
            process.kill()
            await process.communicate()
            raise
        return process.returncode, out, complaints


def work() -> None:
    """Run the function that the command line names."""
    module, name = sys.argv[1:]
    function = getattr(importlib.import_module(module), name)
    try:
        result = function(sys.stdin.buffer.read())
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller is told
        sys.stderr.write(" ".join(str(error).split()))
        sys.exit(_FAILED)
    sys.stdout.buffer.write(result)
