"""The databases that a journal can be kept in, each for real."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from citewell.journal.database import open_engine

_names = count(1)


class Sqlite:
    """A file of its own for each journal."""

    name = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def new_url(self) -> str:
        """Return the address of an empty database."""
        return f"sqlite:///{self._folder / f'journal-{next(_names)}.sqlite'}"


class Postgres:
    """A database of its own for each journal, in one server."""

    name = "postgresql"

    def __init__(self, server: Any) -> None:
        self._server = server

    def new_url(self) -> str:
        """Return the address of an empty database."""
        name = f"journal_{next(_names)}"
        self._server.psql(f"CREATE DATABASE {name};")
        return str(self._server.get_uri(name)).replace("postgresql://", "postgresql+psycopg://")

    def restart(self) -> None:
        """End the server as if the machine had lost its power, and start it again."""
        ended = psutil.Process(self._server.get_pid())
        ended.send_signal(signal.SIGQUIT)
        ended.wait(timeout=30)
        # It looks at everything that it has before it answers again.
        for _ in range(6):
            with suppress(subprocess.TimeoutExpired):
                self._server.ensure_postgres_running()
                return
        raise TimeoutError("the server does not start again")


@contextmanager
def opened(url: str) -> Iterator[sa.Engine]:
    """Yield the engine of a journal, and close its connections."""
    engine = open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


Database = Sqlite | Postgres
MakeUrl = Callable[[], str]
