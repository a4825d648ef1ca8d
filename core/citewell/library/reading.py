"""Files read in processes that may be killed, so that a bad file costs only itself."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections import deque
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from msgspec import Struct, field
from msgspec.structs import replace
from pydantic import BaseModel

from citewell.errors import DocumentError
from citewell.library.plans import Loading
from citewell.library.reading_wire import (
    DEADLINES,
    LENGTH,
    MAX_REPLY_BYTES,
    PATIENCE,
    READ,
    REPLY,
    RETIRES,
    BrokenReply,
    Request,
    decode_document,
)
from citewell.library.screening import check_size
from citewell.library.splitting import Cut
from citewell.specs import LoaderSpec
from citewell.types.documents import Document, RawDocument

_log = logging.getLogger(__name__)

_INTERRUPTED = "was not read: the reading stopped before"
_START_TIMEOUT_S = 60.0
_GRACE_S = 0.5
_BATCH_FILES = 32
_BATCH_BYTES = 512 * 1024
_KEPT_VARIABLES = ("LANG", "LC_", "LD_LIBRARY_PATH", "PATH", "PYTHON", "SYSTEMROOT", "TMPDIR", "TZ")


class _Job(Struct, kw_only=True, eq=False):
    """A file that somebody waits for."""

    raw: RawDocument
    request: Request
    size: int
    result: asyncio.Future[tuple[Document, tuple[Cut, ...]]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def finish(self, reply: _Reply) -> None:
        """Hand over what the process said."""
        if not reply.status & READ:
            self.fail(reply.head.decode("utf-8", "replace"))
            return
        try:
            found = decode_document(
                reply.head, reply.text, self.raw, language=self.request.language
            )
        except BrokenReply as error:
            _log.warning("loader %s: %s", self.request.loader, error)
            self.fail(f"cannot be read: the {self.request.loader} loader misplaced its text")
            return
        if not self.result.done():
            self.result.set_result(found)

    def fail(self, reason: str) -> None:
        """Say that there will be no document."""
        if not self.result.done():
            self.result.set_exception(DocumentError(reason))


class _Reply(Struct, frozen=True):
    status: int
    head: bytes
    text: bytes


class _Lost(Exception):
    """The process is gone or must go; says why."""


class _Retired(Exception):
    """The process ended after its last answer."""


class Reader(AbstractAsyncContextManager["Reader"]):
    """A pool of processes that turn files into documents.

    Processes start with the first file and end with the context.

    Args:
        processes: how many files are read at once.
        memory_mb: that one process may allocate.
        data_dir: handed to loaders as `Context.data_dir`.
        base_dir: handed to loaders as `Context.base_dir`.
    """

    def __init__(
        self,
        *,
        processes: int = 2,
        memory_mb: int = 384,
        data_dir: Path | None = None,
        base_dir: Path | None = None,
    ) -> None:
        self._processes = processes
        self._memory_mb = memory_mb
        self._data_dir = data_dir or Path.cwd()
        self._base_dir = base_dir or Path.cwd()
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._processes)]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        while not self._jobs.empty():
            self._jobs.get_nowait().fail(_INTERRUPTED)

    async def read(
        self,
        raw: RawDocument,
        loader: LoaderSpec[Any],
        config: BaseModel,
        *,
        language: str = "en",
        max_mb: float = 50,
        max_seconds: float = 9,
    ) -> Document:
        """Return the document that `loader` makes of a file. Calls may overlap; let them.

        Takes what `cut` takes, and raises the same errors.
        """
        request = self._request(raw, loader, config, language=language, max_seconds=max_seconds)
        document, _ = await self._answer(raw, request, max_mb=max_mb)
        return document

    async def cut(
        self,
        raw: RawDocument,
        loading: Loading,
        *,
        passage_chars: int,
        language: str = "en",
        max_mb: float = 50,
        max_seconds: float = 9,
    ) -> tuple[Document, tuple[Cut, ...]]:
        """Return the document, without its parts, and where its passages are.

        Args:
            raw: the file.
            loading: the loader that reads it, with its settings.
            passage_chars: that a passage aims at, at most.
            language: of the library.
            max_mb: a larger file is refused.
            max_seconds: of computing, however long a busy machine takes for it; then the process
                is killed.

        Raises:
            DocumentError: the file cannot be read; one line, without its path.
        """
        request = self._request(
            raw, loading.spec, loading.config, language=language, max_seconds=max_seconds
        )
        return await self._answer(raw, replace(request, passage_chars=passage_chars), max_mb=max_mb)

    async def _answer(
        self, raw: RawDocument, request: Request, *, max_mb: float
    ) -> tuple[Document, tuple[Cut, ...]]:
        try:
            size = raw.path.stat().st_size
        except OSError as error:
            raise DocumentError(f"cannot be opened: {error.strerror}") from error
        check_size(size, max_mb=max_mb)
        job = _Job(raw=raw, request=request, size=size)
        self._jobs.put_nowait(job)
        return await job.result

    def _request(
        self,
        raw: RawDocument,
        loader: LoaderSpec[Any],
        config: BaseModel,
        *,
        language: str,
        max_seconds: float,
    ) -> Request:
        module = sys.modules.get(loader.build.__module__)
        return Request(
            id=raw.id,
            path=os.fspath(raw.path),
            uri=raw.uri,
            loader=loader.name,
            module=loader.build.__module__,
            build=loader.build.__qualname__,
            origin=getattr(module, "__file__", None),
            config_module=type(config).__module__,
            config_class=type(config).__qualname__,
            config=config.model_dump_json(),
            data_dir=os.fspath(self._data_dir),
            base_dir=os.fspath(self._base_dir),
            max_seconds=max_seconds,
            language=language,
            passage_chars=None,
        )

    async def _work(self) -> None:
        """Read batches, one process after another, until cancelled."""
        process: _Process | None = None
        batch: deque[_Job] = deque()
        try:
            while True:
                batch = batch or await self._batch()
                try:
                    process = process or await _Process.start(self._memory_mb)
                    await process.read(batch)
                except (_Retired, _Lost, OSError) as ending:
                    if not isinstance(ending, _Retired):
                        batch.popleft().fail(str(ending))
                    await _stopped(process)
                    process = None
        finally:
            for job in batch:
                job.fail(_INTERRUPTED)
            await _stopped(process)

    async def _batch(self) -> deque[_Job]:
        """Take the next file, and small ones that wait behind it."""
        batch = deque([await self._jobs.get()])
        size = batch[0].size
        share = min(self._jobs.qsize() // self._processes, _BATCH_FILES)
        while share and size <= _BATCH_BYTES:
            batch.append(self._jobs.get_nowait())
            size += batch[-1].size
            share -= 1
        return batch


class _Process:
    """One child: takes requests, answers them in order."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        if child.stdin is None or child.stdout is None:
            raise ValueError("the child must be started with pipes")
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
        process = cls(child)
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

    async def read(self, batch: deque[_Job]) -> None:
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

    async def _reply(self, request: Request) -> _Reply:
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
        return _Reply(status, body[:head_bytes], body[head_bytes:])

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


async def _stopped(process: _Process | None) -> None:
    if process is not None:
        await process.stop()
