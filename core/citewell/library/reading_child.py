"""The process that loaders run in: it may be killed, and its parent believes nothing it says.

Started as `python -m citewell.library.reading_child`. It reads requests from standard input and
answers them in order on standard output until either is closed.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from msgspec.structs import replace

from citewell.engine.plugin_files import is_plugin_file, rerun_plugin_file
from citewell.errors import CitewellError
from citewell.library.reading_wire import (
    LENGTH,
    PATIENCE,
    READ,
    REFUSED,
    RETIRES,
    Request,
    encode_document,
    encode_refusal,
)
from citewell.library.screening import screen
from citewell.library.splitting import cut
from citewell.protocols import Loader
from citewell.specs import Context
from citewell.types.documents import RawDocument

_MEBIBYTE = 1024 * 1024


def main() -> None:
    """Answer requests until the parent goes."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    _silence()
    greeting = json.loads(_frame(requests) or b"{}")
    sys.path[:] = [*sys.path, *(path for path in greeting["path"] if path not in sys.path)]
    memory_mb = int(greeting["memory_mb"])
    _limit_memory(memory_mb)
    replies.write(LENGTH.pack(os.getpid()))
    replies.flush()
    loaders = _Loaders()
    with suppress(BrokenPipeError):
        while payload := _frame(requests):
            if not _answer(payload, loaders, replies, memory_mb=memory_mb):
                return


def _silence() -> None:
    """Keep what libraries print away from the replies."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    logging.disable()


def _limit_memory(memory_mb: int) -> None:
    try:
        import resource
    except ImportError:
        return
    # On Linux RLIMIT_DATA counts what is really allocated; RLIMIT_AS also what is only mapped.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (memory_mb * _MEBIBYTE, memory_mb * _MEBIBYTE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _frame(stream: BinaryIO) -> bytes:
    length = stream.read(LENGTH.size)
    if len(length) < LENGTH.size:
        return b""
    return stream.read(LENGTH.unpack(length)[0])


def _answer(payload: bytes, loaders: _Loaders, replies: BinaryIO, *, memory_mb: int) -> bool:
    """Answer one request; return whether the process can take another."""
    request = Request.parse(payload)
    text = b""
    retires = 0
    _alarm(request.max_seconds)
    try:
        raw = RawDocument(id=request.id, path=Path(request.path), uri=request.uri)
        screen(raw.path)
        document = replace(loaders.open(request).load(raw), language=request.language)
        chars = request.passage_chars
        cuts = None if chars is None else cut(document, max_chars=chars)
        retires = RETIRES if _peak_mb() > memory_mb / 2 else 0
        head, text = encode_document(document, cuts, status=READ | retires)
    except MemoryError:
        retires = RETIRES
        head = encode_refusal(
            f"needs more than {memory_mb} MB of memory to read", status=REFUSED | retires
        )
    except Exception as error:  # noqa: BLE001 - whatever a library raises costs one document
        head = encode_refusal(_reason(error, request), status=REFUSED)
    _alarm(0)
    replies.write(head)
    replies.write(text)
    replies.flush()
    return not retires


def _alarm(seconds: float) -> None:
    """Have the kernel end this process after `seconds`, even inside a library or an orphan."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.setitimer(signal.ITIMER_REAL, seconds * PATIENCE)


def _peak_mb() -> float:
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (_MEBIBYTE if sys.platform == "darwin" else 1024)


def _reason(error: Exception, request: Request) -> str:
    """Return one line that says what went wrong, without the file's path."""
    if isinstance(error, RecursionError):
        return "is nested too deeply to read"
    said = " ".join(str(error).split()).replace(request.path, "the file")
    if isinstance(error, CitewellError):
        return said
    return f"cannot be read by the {request.loader} loader: {type(error).__name__}: {said:.200}"


class _Loaders:
    """Loaders, each opened once per settings and kept until the process ends."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._open: dict[tuple[str, ...], Loader] = {}

    def open(self, request: Request) -> Loader:
        """Return the loader that `request` names."""
        key = (request.module, request.build, request.loader, request.config)
        if key not in self._open:
            self._open[key] = self._loop.run_until_complete(_open(request))
        return self._open[key]


async def _open(request: Request) -> Loader:
    build = _found(_module(request.module, request.origin), request.build)
    config = _found(_module(request.config_module, request.origin), request.config_class)
    context = Context(
        name=request.loader,
        log=logging.getLogger(f"citewell.loader.{request.loader}"),
        data_dir=Path(request.data_dir),
        base_dir=Path(request.base_dir),
    )
    opened: Loader = await build(config.model_validate_json(request.config), context).__aenter__()
    return opened


def _module(name: str, origin: str | None) -> ModuleType:
    if name in sys.modules:
        return sys.modules[name]
    if is_plugin_file(name) and origin is not None:
        return rerun_plugin_file(name, Path(origin))
    return importlib.import_module(name)


def _found(module: ModuleType, path: str) -> Any:
    found: Any = module
    for name in path.split("."):
        found = getattr(found, name)
    return found


if __name__ == "__main__":
    main()
