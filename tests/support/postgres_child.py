"""Another process at an index in PostgreSQL: `python postgres_child.py WHAT URL SCHEMA [NUMBER]`.

WHAT is `write` (changes it and says how far it came, and is killed at the NUMBER-th statement that
reaches the server), `hold` (writes once and stays) or `read` (until its input ends).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from psycopg import AsyncConnection, AsyncCursor

from lexical import document, whole
from postgres_index import FIRST, opened_at

STATES: tuple[dict[str, str], ...] = (
    {},
    {"a": "1", "b": "1"},
    {"a": "2", "b": "1"},
    {"a": "3", "b": "1", "c": "1"},
    {"a": "3", "c": "1"},
)
"""What is there after so many changes."""


def _die_at(number: int) -> None:
    """Let the `number`-th call that the server sees be the last thing that this process does."""
    calls = 0

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*args, **kwargs)

        return call

    AsyncConnection.execute = counted(AsyncConnection.execute)  # type: ignore[method-assign]  # on purpose
    AsyncCursor.copy = counted(AsyncCursor.copy)  # type: ignore[method-assign]  # on purpose


async def _write(place: dict[str, str]) -> None:
    async with opened_at(**place, embedders=FIRST) as retriever:
        await retriever.index([document("a", 1), document("b", 1)])
        print(1, flush=True)
        await retriever.index([document("a", 2)])
        print(2, flush=True)
        await retriever.index([document("a", 3), document("c", 1)])
        print(3, flush=True)
        await retriever.delete(["library:b"])
        print(4, flush=True)


async def _hold(place: dict[str, str]) -> None:
    async with opened_at(**place) as retriever:
        await retriever.index([document("held", 1)])
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def _read(place: dict[str, str]) -> None:
    """Fail when a document is not whole; say how many rounds were read and how many states seen."""
    rounds, seen = 0, set()
    async with opened_at(**place) as retriever:
        print("ready", flush=True)
        ended = asyncio.ensure_future(asyncio.to_thread(sys.stdin.read))
        while not ended.done():
            before = await retriever.identity()
            try:
                seen.add(str(await whole(retriever)))
            except AssertionError:
                # It asks more than once: only what did not change meanwhile has to fit together.
                if before == await retriever.identity():
                    raise
            rounds += 1
    print(rounds, len(seen), flush=True)


if __name__ == "__main__":
    what, url, schema, *statement = sys.argv[1:]
    if statement:
        _die_at(int(statement[0]))
    asyncio.run(
        {"write": _write, "hold": _hold, "read": _read}[what]({"url": url, "schema": schema})
    )
