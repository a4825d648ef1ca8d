"""The parent's side of a reading process: started when needed, killed when it must be."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import deque
from contextlib import suppress

from citewell.library.reading_crew import Job
from citewell.library.reading_wire import (
    DEADLINES,
    LENGTH,
    MAX_REPLY_BYTES,
    PATIENCE,
    REPLY,
    RETIRES,
    Reply,
    Request,
)

_START_TIMEOUT_S = 60.0
_GRACE_S = 0.5
_KEPT_VARIABLES = ("LANG", "LC_", "LD_LIBRARY_PATH", "PATH", "PYTHON", "SYSTEMROOT", "TMPDIR", "TZ")


class _Lost(Exception):
    """The process is gone or must go; says why."""


class _Retired(Exception):
    """The process ended after its last answer."""


class ProcessHand:
    """Reads in a process of this machine, and in another one where that ends or needs more."""

    def __init__(self) -> None:
        self._process: _Process | None = None

    async def read(self, batch: deque[Job]) -> None:
        """Read the files of `batch`; one that ends the process costs itself alone."""
        while batch:
            needed_mb = max(job.request.memory_mb for job in batch)
            if self._process is not None and self._process.memory_mb < needed_mb:
                await self.close()
            try:
                self._process = self._process or await _Process.start(needed_mb)
                await self._process.read(batch)
            except (_Retired, _Lost, OSError) as ending:
                if not isinstance(ending, _Retired):
                    batch.popleft().refuse(str(ending))
                await self.close()

    async def close(self) -> None:
        """Kill the process."""
        if self._process is not None:
            await self._process.stop()
            self._process = None


class _Process:
    """One child: takes requests, answers them in order.

    Attributes:
        memory_mb: that it may allocate.
    """

    def __init__(self, child: asyncio.subprocess.Process, memory_mb: int) -> None:
        if child.stdin is None or child.stdout is None:
            raise ValueError("the child must be started with pipes")
        self.memory_mb = memory_mb
        self._child = child
        self._requests = child.stdin
        self._replies = child.stdout

    @classmethod
    async def start(cls, memory_mb: int) -> _Process:
        """Start a child and wait until it listens."""
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "citewell.library.reading_child"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={k: v for k, v in os.environ.items() if k.startswith(_KEPT_VARIABLES)},
            start_new_session=True,
        )
        process = cls(child, memory_mb)
        greeting = json.dumps({"path": sys.path, "memory_mb": memory_mb}).encode()
        process._requests.write(LENGTH.pack(len(greeting)) + greeting)
        try:
            async with asyncio.timeout(_START_TIMEOUT_S):
                await process._replies.readexactly(LENGTH.size)
        except BaseException as error:
            await process.stop()
            if isinstance(error, TimeoutError | asyncio.IncompleteReadError):
                raise _Lost("was not read: no process to read it in could be started") from error
            raise
        return process

    async def read(self, batch: deque[Job]) -> None:
        """Read the files of `batch`, taking each from it as its answer comes.

        Raises:
            _Lost: the first that is left ended the process.
            _Retired: the process ended of its own accord, between two files.
        """
        self._requests.write(b"".join(job.request.frame() for job in batch))
        while batch:
            reply = await self._reply(batch[0].request)
            batch.popleft().finish(reply)
            if reply.status & RETIRES:
                raise _Retired

    async def _reply(self, request: Request) -> Reply:
        try:
            # The child ends itself in time, unless the file has taken it over.
            async with asyncio.timeout(PATIENCE * request.max_seconds + _GRACE_S):
                head = await self._replies.readexactly(REPLY.size)
                status, head_bytes, text_bytes = REPLY.unpack(head)
                if head_bytes + text_bytes > MAX_REPLY_BYTES:
                    raise _Lost("unpacks to more text than can be kept")
                body = await self._replies.readexactly(head_bytes + text_bytes)
        except TimeoutError:
            raise _Lost(_too_long(request)) from None
        except asyncio.IncompleteReadError:
            raise _Lost(_epitaph(await self._child.wait(), request)) from None
        return Reply(status, body[:head_bytes], body[head_bytes:])

    async def stop(self) -> None:
        """Kill the child and wait until it is gone."""
        with suppress(ProcessLookupError):
            self._child.kill()
        self._requests.close()
        await self._child.wait()


def _epitaph(code: int, request: Request) -> str:
    """Say what ended a process."""
    if -code in DEADLINES:
        return _too_long(request)
    cause = signal.Signals(-code).name if code < 0 else f"exit status {code}"
    return f"is damaged or needs too much memory: it ended the process that read it ({cause})"


def _too_long(request: Request) -> str:
    return (
        f"takes more than {request.max_seconds:g} s to read; "
        "raise max_seconds of its library to read it"
    )
