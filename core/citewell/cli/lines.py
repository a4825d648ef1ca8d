"""Lines that come in while other things go on."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from codecs import getincrementaldecoder
from collections.abc import AsyncIterator, Iterator

import click

from citewell.cli.wording import safe_line

_MOST_AT_ONCE = 2**16


async def typed(prompt: str) -> AsyncIterator[str]:
    """Yield what is typed line by line, each asked for with a prompt."""
    click.echo(prompt, nl=False)
    async for line in _lines():
        yield line
        click.echo(prompt, nl=False)
    click.echo()


async def piped(prompt: str) -> AsyncIterator[str]:
    """Yield the lines of standard input, and show each as if it had been typed."""
    async for line in _lines():
        if line:
            click.echo(f"{prompt}{safe_line(line)}")
        yield line


async def _lines() -> AsyncIterator[str]:
    """Yield the lines of standard input.

    They are read in a thread that nobody waits for, and past Python's buffers: a read that never
    returns would keep the process from ending, or have it die of a lock that nobody gives back.
    """
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        try:
            for line in _read():
                loop.call_soon_threadsafe(waiting.put_nowait, line)
            loop.call_soon_threadsafe(waiting.put_nowait, None)
        except RuntimeError:
            # The loop is closed: nobody wants to know any more.
            return

    threading.Thread(target=read, name="lines", daemon=True).start()
    while (line := await waiting.get()) is not None:
        yield line.strip()


def _read() -> Iterator[str]:
    decoder = getincrementaldecoder(sys.stdin.encoding)(errors="replace")
    descriptor, rest = sys.stdin.fileno(), ""
    while content := os.read(descriptor, _MOST_AT_ONCE):
        *lines, rest = (rest + decoder.decode(content)).split("\n")
        yield from lines
    rest += decoder.decode(b"", final=True)
    if rest:
        yield rest
