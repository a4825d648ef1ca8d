"""The parent's side of a judge's process: starts it, gives it cases, and outlives it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from citewell_judges.wire import (
    LONGEST_LINE,
    Asks,
    Begin,
    Case,
    Failed,
    FromChild,
    Ready,
    Refused,
    Said,
    Scored,
    ToChild,
    from_child,
    line,
)

_CHILD = Path(__file__).with_name("child.py")
_STARTING_S = 180.0
_GRACE_S = 10.0
"""For what the package does itself, once its model is no longer asked."""

_ENDING_S = 5.0
_DEATHS = 3
"""After so many in a row it is not started again."""

_KEPT_VARIABLES = frozenset(("LANG", "LANGUAGE", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT", "TZ"))
_OPTED_OUT = {
    "RAGAS_DO_NOT_TRACK": "true",
    "DEEPEVAL_TELEMETRY_OPT_OUT": "1",
    "DEEPEVAL_UPDATE_WARNING_OPT_IN": "0",
    "DEEPEVAL_DISABLE_DOTENV": "1",
    "DEEPEVAL_FILE_SYSTEM": "READ_ONLY",
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "LANGSMITH_TRACING": "false",
    "OTEL_SDK_DISABLED": "true",
    "DO_NOT_TRACK": "1",
}
"""Of the packages, and of those that come with them; read from their sources."""

Asked = Callable[[Asks], Awaitable[str]]


class JudgeError(Exception):
    """There is no number; says why in one line."""


class NotInstalled(JudgeError):
    """The package is not there."""


class JudgeProcess:
    """A process that judges one case after another; started again when it dies.

    Args:
        python: runs it.
        begin: what judges.
        log: of the component.

    Attributes:
        refused: how often something in it tried to reach the network or to start a program.
        is_walled: whether the last one that started has no network at all.
    """

    def __init__(self, python: Path, begin: Begin, *, log: logging.Logger) -> None:
        self._python = python
        self._begin = begin
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._home: TemporaryDirectory[str] | None = None
        self._turn = asyncio.Lock()
        self._deaths = 0
        self.refused = 0
        self.is_walled = False

    @property
    def process_id(self) -> int | None:
        """The process that runs now, if one does."""
        return None if self._process is None else self._process.pid

    async def start(self) -> str:
        """Start it; return the version of the package.

        Raises:
            JudgeError: it cannot be.
        """
        async with self._turn:
            return (await self._start()).version

    async def score(self, case: Case, asked: Asked, *, timeout_s: float) -> float:
        """Return the number that a case gets; calls wait for each other.

        Args:
            case: that is judged.
            asked: gives what the model says; raises `JudgeError` where it says nothing.
            timeout_s: for this case.

        Raises:
            JudgeError: there is no number.
        """
        async with self._turn:
            if self._process is None or self._process.returncode is not None:
                await self._end()
                await self._start()
            deadline = asyncio.get_running_loop().time() + timeout_s
            try:
                async with asyncio.timeout_at(deadline + _GRACE_S):
                    outcome = await self._judged(case, asked, deadline)
            except TimeoutError:
                await self._end()
                raise JudgeError(f"gave nothing within {timeout_s:g} s") from None
            except _Gone as gone:
                await self._end()
                self._deaths += 1
                raise JudgeError(str(gone)) from None
            except BaseException:
                # Whoever no longer waits leaves it in the middle of a case.
                await self._end()
                raise
        self._deaths = 0
        if isinstance(outcome, Failed):
            raise JudgeError(plain(outcome.reason))
        return outcome.score

    async def close(self) -> None:
        """Let it end, and end it if it does not."""
        async with self._turn:
            await self._dismiss()
        if self.refused:
            self._log.warning(
                "%s tried to reach the network or to start a program %d times; it was refused",
                self._begin.library,
                self.refused,
            )

    async def _start(self) -> Ready:
        if self._deaths >= _DEATHS:
            raise JudgeError(f"its process died {self._deaths} times in a row and stays away")
        self._home = TemporaryDirectory(prefix="citewell-", ignore_cleanup_errors=True)
        try:
            async with asyncio.timeout(_STARTING_S):
                self._process = await _spawned(self._python, self._home.name)
                self._send(self._begin)
                message = await self._receive()
        except TimeoutError:
            await self._end()
            raise JudgeError(f"was not ready within {_STARTING_S:g} s") from None
        except _Gone as gone:
            await self._end()
            self._deaths += 1
            raise JudgeError(str(gone)) from None
        except OSError as error:
            await self._end()
            raise JudgeError(f"{self._python} cannot be started: {error.strerror}") from error
        except BaseException:
            await self._end()
            raise
        if isinstance(message, Ready):
            self.is_walled = message.is_walled
            return message
        await self._end()
        if isinstance(message, Failed):
            raise (NotInstalled if message.is_missing else JudgeError)(plain(message.reason))
        raise JudgeError(_OUT_OF_TURN)

    async def _judged(self, case: Case, asked: Asked, deadline: float) -> Scored | Failed:
        self._send(case)
        while True:
            message = await self._receive()
            if isinstance(message, Asks):
                self._send(await _said(asked, message, deadline))
            elif isinstance(message, Scored | Failed):
                return message
            else:
                raise _Gone(_OUT_OF_TURN)

    async def _receive(self) -> FromChild:
        """Return the next message but for what was refused, which is counted.

        Raises:
            _Gone: there is none.
        """
        process = self._process
        assert process is not None  # noqa: S101 - whoever waits has started it
        assert process.stdout is not None  # noqa: S101 - it was started with a pipe
        while True:
            try:
                read = await process.stdout.readline()
                message = from_child(read) if read else None
            except (ValueError, msgspec.DecodeError):
                raise _Gone("its process sends what is no message") from None
            if message is None:
                raise _Gone(await _end_of(process))
            if not isinstance(message, Refused):
                return message
            self.refused += 1
            self._log.info("refused: %s", plain(message.what))

    def _send(self, message: ToChild) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            raise _Gone("its process ended")
        process.stdin.write(line(message))

    async def _dismiss(self) -> None:
        """Close what it reads, and count what it still tries while it ends."""
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
            with suppress(TimeoutError, _Gone):
                async with asyncio.timeout(_ENDING_S):
                    while True:
                        await self._receive()
        await self._end()

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._home is not None:
            self._home.cleanup()
            self._home = None


_OUT_OF_TURN = "its process answers out of turn"


class _Gone(Exception):
    """The process ended, or has to; says why."""


async def _said(asked: Asked, asks: Asks, deadline: float) -> Said:
    try:
        async with asyncio.timeout_at(deadline):
            return Said(text=await asked(asks))
    except TimeoutError:
        return Said(failed="its model took too long")
    except JudgeError as error:
        return Said(failed=str(error))


async def _spawned(python: Path, home: str) -> asyncio.subprocess.Process:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT_VARIABLES or name.startswith("LC_")
    }
    folders = dict.fromkeys(("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP"), home)
    return await asyncio.create_subprocess_exec(
        *(python, "-I", _CHILD),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=home,
        env={**kept, **folders, **_OPTED_OUT},
        limit=LONGEST_LINE,
        # What is typed to stop this process is not for that one, which answers to the end.
        start_new_session=True,
    )


def plain(text: str) -> str:
    """Return a text of the process as one line without signs that steer a terminal."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


async def _end_of(process: asyncio.subprocess.Process) -> str:
    """Tell how a process ended that says nothing more."""
    try:
        async with asyncio.timeout(_ENDING_S):
            code = await process.wait()
    except TimeoutError:
        return "its process fell silent"
    return (
        f"its process was ended by {signal.Signals(-code).name}"
        if code < 0
        else (f"its process ended with exit status {code}")
    )
