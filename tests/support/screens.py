"""A terminal for a command under test: what a user would type, and what the user would see."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

_STYLING = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b\]8;[^\x1b\x07]*(?:\x1b\\|\x07)")

# Ctrl-C reaches only a process whose own terminal this is.
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A process at a terminal of 80 columns."""

    def __init__(self, arguments: list[str], *, cwd: Path, environment: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *arguments],
            cwd=cwd,
            env={**environment, "TERM": "xterm-256color"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._written = b""

    @property
    def raw(self) -> str:
        """Everything that was written."""
        return self._written.decode(errors="replace")

    @property
    def text(self) -> str:
        """What was written, without styling."""
        return _STYLING.sub("", self.raw).replace("\r\n", "\n")

    def type(self, keys: str) -> None:
        """Press `keys`; `\\x03` is Ctrl-C, `\\x04` is Ctrl-D."""
        os.write(self._master, keys.encode())

    def wait_for(self, text: str, *, after: int = 0) -> int:
        """Wait until `text` is written at position `after` or later; return where it ends."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            found = self.text.find(text, after)
            if found >= 0:
                return found + len(text)
            if not self._read(0.2) and self._process.poll() is not None:
                break
        raise AssertionError(f"{text!r} is not in {self.text[after:]!r}")

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        end = time.monotonic() + 30
        while self._process.poll() is None and time.monotonic() < end:
            self._read(0.1)
        while self._read(0.1):
            pass
        return self._process.wait(timeout=1)

    def close(self) -> None:
        """End the process, if it has not ended."""
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], seconds)
        # Linux reports the end of the other side as an error.
        with contextlib.suppress(OSError):
            piece = os.read(self._master, 65536) if ready else b""
            self._written += piece
            return bool(piece)
        return False


@contextlib.contextmanager
def terminal(
    arguments: list[str], *, cwd: Path, environment: Mapping[str, str]
) -> Iterator[Terminal]:
    """Run `arguments` at a terminal; end them at the latest on leaving."""
    opened = Terminal(arguments, cwd=cwd, environment=environment)
    try:
        yield opened
    finally:
        opened.close()
