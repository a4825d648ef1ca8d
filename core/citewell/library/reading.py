"""Files read in processes that may be killed, so that a bad file costs only itself."""

from __future__ import annotations

import logging
import os
import sys
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from msgspec.structs import replace
from pydantic import BaseModel

from citewell.errors import DocumentError
from citewell.library.plans import Loading
from citewell.library.reading_crew import Crew
from citewell.library.reading_engine import EngineHand
from citewell.library.reading_process import ProcessHand
from citewell.library.reading_wire import READ, BrokenReply, Request, decode_document
from citewell.library.screening import check_size
from citewell.library.splitting import Cut
from citewell.protocols import Engine
from citewell.specs import LoaderSpec
from citewell.types.documents import Document, RawDocument

_log = logging.getLogger(__name__)

_PROCESSES = 2
_CALLS_A_WORKER = 2
"""Tasks under way for each worker of an engine: it finds the next one there when it is done."""

_UNDER_WAY = 96
_UNDER_WAY_A_HAND = 48


class Reader(AbstractAsyncContextManager["Reader"]):
    """Turns files into documents, several at once.

    Processes start with the first file and end with the context.

    Attributes:
        workers: how many files are read at once.

    Args:
        processes: how many that shall be; default: two, or what the engine can.
        memory_mb: that one process may allocate, where its loader needs no more.
        data_dir: handed to loaders as `Context.data_dir`.
        base_dir: handed to loaders as `Context.base_dir`.
        engine: reads on its workers instead of here; open as long as the reader is.
    """

    def __init__(
        self,
        *,
        processes: int | None = None,
        memory_mb: int = 384,
        data_dir: Path | None = None,
        base_dir: Path | None = None,
        engine: Engine | None = None,
    ) -> None:
        self._data_dir = data_dir or Path.cwd()
        self._base_dir = base_dir or Path.cwd()
        self._stack = AsyncExitStack()
        self._memory_mb = memory_mb
        self.workers = processes or (_PROCESSES if engine is None else engine.workers)
        if engine is None:
            self._crews: tuple[Crew, ...] = (Crew(self.workers, ProcessHand),)
        else:
            home = Crew(1, ProcessHand)
            away = partial(EngineHand, engine, home=home)
            self._crews = (Crew(_CALLS_A_WORKER * self.workers, away), home)

    @property
    def under_way(self) -> int:
        """How many files should be waiting for it to be busy."""
        return max(_UNDER_WAY, _UNDER_WAY_A_HAND * self._crews[0].hands)

    async def __aenter__(self) -> Self:
        for crew in reversed(self._crews):
            await self._stack.enter_async_context(crew)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

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
            EngineError: the workers of the engine cannot be had, or are not fit to read anything.
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
        reply = await self._crews[0].answer(request, size=size)
        if not reply.status & READ:
            raise DocumentError(reply.head.decode("utf-8", "replace"))
        try:
            return decode_document(reply.head, reply.text, raw, language=request.language)
        except BrokenReply as error:
            _log.warning("loader %s: %s", request.loader, error)
            raise DocumentError(
                f"cannot be read: the {request.loader} loader misplaced its text"
            ) from error

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
            memory_mb=max(self._memory_mb, loader.memory_mb(config) if loader.memory_mb else 0),
        )
