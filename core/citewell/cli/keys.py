"""What somebody chooses: one key of a terminal, or one line of anything else."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import click

Typed: TypeAlias = Callable[[], str | None]
"""Waits for what is typed next; None where nothing more comes."""

_END, _ESCAPE = "\x04", "\x1b"
_MOST_AT_ONCE = 1024


@contextmanager
def typed_choices() -> Iterator[Typed]:
    """Yield what reads keys, or lines where nobody sits at a terminal."""
    if not sys.stdin.isatty():
        yield lambda: sys.stdin.readline() or None
        return
    try:
        import termios
        import tty
    except ImportError:
        # Windows has no modes of a terminal.
        yield _got
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    # From here to the end, so that no key is lost or echoed that is pressed before it is asked for.
    tty.setcbreak(descriptor, termios.TCSADRAIN)
    try:
        yield _Keys(descriptor).next
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _got() -> str | None:
    try:
        return click.getchar()
    except EOFError:
        return None


class _Keys:
    """The keys that are pressed at a terminal which hands over each."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._pressed: deque[str] = deque()

    def next(self) -> str | None:
        while not self._pressed:
            read = os.read(self._descriptor, _MOST_AT_ONCE)
            if not read:
                return None
            # An arrow is more than one character, and the last one reads like a letter.
            keys, escape, _ = read.decode(errors="replace").partition(_ESCAPE)
            self._pressed += keys + escape
        key = self._pressed.popleft()
        return None if key == _END else key
