"""The parent's side of the process of a model: starts it, asks it, and outlives it."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import signal
import sys
from array import array
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from time import monotonic

import msgspec

from citewell import ModelError
from citewell_onnx.wire import (
    LENGTH,
    MAX_FRAME_BYTES,
    Compute,
    Computed,
    Failed,
    FromChild,
    Load,
    Loaded,
    ToChild,
    frame,
    from_child,
)

# For a few texts; those of others may come first.
_SILENCE_S = 120.0
_ENDING_S = 2.0
_LONGEST_REASON = 400
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 60.0
_KEPT_VARIABLES = frozenset(
    ("LANG", "LANGUAGE", "LD_LIBRARY_PATH", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONHOME",
     "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "TZ")
)  # fmt: skip
# The path of this process, so that the child finds the same packages.
_BOOT = "from citewell_onnx.child import main; main()"


class ModelProcess:
    """A process that holds a model; started again, ever later, when it dies.

    Args:
        load: what it loads.
        load_timeout_s: that loading may take.
        log: of the component.

    Attributes:
        width: of the rows that the model gives; 0 until it was started.
    """

    def __init__(self, load: Load, *, load_timeout_s: float, log: logging.Logger) -> None:
        self._load = load
        self._load_timeout_s = load_timeout_s
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._waiting: dict[int, asyncio.Future[FromChild]] = {}
        self._ids = count(1)
        self._closed = False
        self._pause_s = 0.0
        self._rests_until = 0.0
        self.width = 0

    @property
    def process_id(self) -> int | None:
        """The process that runs now, if one does."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Have the model loaded, unless it is.

        Raises:
            ModelError: it cannot be, or the process died and rests before it is started again.
        """
        async with self._starting:
            if self._process is None:
                self._check_may_start()
                await self._start()

    async def rows(
        self, texts: Sequence[str], question: str | None = None
    ) -> list[Sequence[float]]:
        """Return what the model gives for each text, or for each with the question.

        Who no longer waits leaves it at work; what it then gives is dropped.

        Raises:
            ModelError: the model failed, or its process ended.
        """
        await self.start()
        request = Compute(id=next(self._ids), texts=tuple(texts), question=question)
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = waiting
        process = self._process
        try:
            self._send(request)
            async with asyncio.timeout(_SILENCE_S):
                message = await waiting
        except TimeoutError:
            self._lose(process, "hung and was ended")
            raise ModelError(f"computed nothing within {_SILENCE_S:g} s") from None
        finally:
            self._waiting.pop(request.id, None)
        if isinstance(message, Failed):
            raise ModelError(f"{self._load.model}: {_plain(message.reason)}")
        return self._checked(message, len(texts))

    async def close(self) -> None:
        """End the process, for good."""
        self._closed = True
        async with self._starting:
            await self._stop("was closed")

    def _checked(self, message: FromChild, count: int) -> list[Sequence[float]]:
        values = array("f")
        size = count * self.width * values.itemsize
        if not isinstance(message, Computed) or len(message.rows) != size:
            raise ModelError(f"{self._load.model}: its process answers out of turn")
        values.frombytes(message.rows)
        if not all(map(math.isfinite, values)):
            raise ModelError(f"{self._load.model}: its process gives what is no number")
        self._pause_s = 0.0
        return [values[at : at + self.width] for at in range(0, len(values), self.width)]

    def _check_may_start(self) -> None:
        rest = self._rests_until - monotonic()
        if self._closed:
            raise ModelError("its process was closed")
        if rest > 0:
            raise ModelError(f"its process ended; it is started again in {rest:.1f} s")

    async def _start(self) -> None:
        process = self._process = await _spawned()
        try:
            async with asyncio.timeout(self._load_timeout_s):
                self._send(self._load)
                message = await self._receive(process)
        except TimeoutError:
            await self._stop("took too long to load")
            self._rest()
            raise ModelError(
                f"{self._load.model}: was not loaded within {self._load_timeout_s:g} s; "
                "raise load_timeout_s"
            ) from None
        except _Gone as gone:
            await self._stop(str(gone))
            self._rest()
            raise ModelError(f"{self._load.model}: loading it {gone}") from None
        except BaseException:
            await self._stop("was interrupted")
            raise
        if not isinstance(message, Loaded) or message.width < 1:
            told = message.reason if isinstance(message, Failed) else "it answers out of turn"
            await self._stop(_plain(told))
            self._rest()
            raise ModelError(f"{self._load.model}: {_plain(told)}")
        self.width = message.width
        self._listening = asyncio.create_task(self._listen(process))

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Hand each message to whoever waits for it, until the process ends."""
        try:
            while True:
                message = await self._receive(process)
                if isinstance(message, Loaded):
                    continue
                waiting = self._waiting.get(message.id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
        except _Gone as gone:
            self._lose(process, str(gone))

    def _lose(self, process: asyncio.subprocess.Process | None, reason: str) -> None:
        """Part from a process that ended, or that has to."""
        if process is None or self._process is not process:
            return
        _kill(process)
        self._log.warning("its process %s", reason)
        self._process = None
        self._rest()
        self._abandon(reason)

    async def _receive(self, process: asyncio.subprocess.Process) -> FromChild:
        """Return the next message of the process.

        Raises:
            _Gone: it ended, or sends what is no message; then it is killed.
        """
        assert process.stdout is not None  # noqa: S101 - it was started with a pipe
        try:
            length = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))[0]
            if length > MAX_FRAME_BYTES:
                _kill(process)
                raise _Gone("sent a message that is too long")
            return from_child(await process.stdout.readexactly(length))
        except asyncio.IncompleteReadError:
            raise _Gone(await _end_of(process)) from None
        except msgspec.DecodeError:
            _kill(process)
            raise _Gone("sent what is no message") from None

    def _send(self, message: ToChild) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            raise ModelError("its process ended")
        process.stdin.write(frame(message))

    async def _stop(self, reason: str) -> None:
        process, self._process = self._process, None
        if process is not None:
            _kill(process)
            await process.wait()
        if self._listening is not None:
            await asyncio.gather(self._listening, return_exceptions=True)
            self._listening = None
        self._abandon(reason)

    def _abandon(self, reason: str) -> None:
        """Tell everyone who waits that there will be nothing."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(Failed(reason=f"its process {reason}"))

    def _rest(self) -> None:
        """Put the next start off, longer each time."""
        self._rests_until = monotonic() + self._pause_s
        self._pause_s = min(max(2 * self._pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)


class _Gone(Exception):
    """The process ended; says how."""


async def _spawned() -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            # Without the working folder on its path: a folder must not run code by being there.
            "-P",
            "-c",
            _BOOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=_environment(),
            # What is typed to stop this process is not for that one, which answers to the end.
            start_new_session=True,
        )
    except OSError as error:
        raise ModelError(f"its process cannot be started: {error.strerror}") from error


def _environment() -> dict[str, str]:
    """Return what the process needs to know, and no secret."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT_VARIABLES or name.startswith("LC_")
    }
    package = str(Path(__file__).resolve().parent.parent)
    inherited = [path for path in sys.path if path and Path(path).is_dir()]
    return {**kept, "PYTHONPATH": os.pathsep.join([*inherited, package])}


def _plain(reason: str) -> str:
    """Return one short line: what the process says may come out of a hostile file."""
    shown = "".join(one if one.isprintable() else " " for one in reason[: 4 * _LONGEST_REASON])
    line = " ".join(shown.split())
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}..."


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()


async def _end_of(process: asyncio.subprocess.Process) -> str:
    """Tell how a process ended that says nothing more."""
    try:
        async with asyncio.timeout(_ENDING_S):
            code = await process.wait()
    except TimeoutError:
        _kill(process)
        await process.wait()
        return "fell silent and was ended"
    if code < 0:
        return f"ended with {signal.Signals(-code).name}; the model file may be damaged"
    return f"ended with exit status {code}"
