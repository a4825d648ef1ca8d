"""The parent's side of a worker process: starts it, talks to it, and outlives it."""

from __future__ import annotations

import asyncio
import logging
import math
import signal
from array import array
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, suppress
from itertools import count
from time import monotonic

import msgspec
from msgspec.structs import replace

from citewell import ModelError
from citewell_llamacpp.spawning import spawned
from citewell_llamacpp.wire import (
    LENGTH,
    MAX_FRAME_BYTES,
    Adapt,
    Cancel,
    Done,
    Embed,
    Embedded,
    Failed,
    File,
    FromChild,
    Generate,
    Load,
    Loaded,
    Piece,
    ToChild,
    TooLong,
    frame,
    from_child,
)

_CANCEL_TIMEOUT_S = 5.0
# Of a text in the queue of an embedder, or of a process that has closed its output.
_SILENCE_S = 60.0
_ENDING_S = 2.0
_LONGEST_REASON = 400
_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 60.0

Item = Piece | Done


class PromptTooLong(Exception):
    """The prompt does not fit.

    Attributes:
        tokens: of the prompt.
        limit: that would fit.
    """

    def __init__(self, tokens: int, limit: int) -> None:
        super().__init__(f"{tokens:,} tokens; {limit:,} fit")
        self.tokens = tokens
        self.limit = limit


class Worker:
    """A process that holds a model; started again, ever later, when it dies.

    Args:
        load: what it loads.
        load_timeout_s: that loading may take.
        log: of the component.

    Attributes:
        context: tokens of one conversation; 0 until it was started.
    """

    def __init__(self, load: Load, *, load_timeout_s: float, log: logging.Logger) -> None:
        self._load = load
        self._load_timeout_s = load_timeout_s
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._answers: dict[int, asyncio.Queue[FromChild]] = {}
        self._ids = count(1)
        self._starting: asyncio.Task[None] | None = None
        self._closed = False
        self._pause_s = 0.0
        self._rests_until = 0.0
        self.context = 0

    @property
    def process_id(self) -> int | None:
        """The process that runs now, if one does."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Have the model loaded. Whoever no longer waits does not stop the loading for the others.

        Raises:
            ModelError: it cannot be, or the process died and rests before it is started again.
        """
        if self._starting is None:
            if self._process is not None:
                return
            self._check_may_start()
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(self._started)
        await asyncio.shield(self._starting)

    async def adapt(self, request: Adapt) -> None:
        """Have a LoRA adapter loaded, and asked what it is proven by; its id is given here.

        Raises:
            ModelError: it does not fit the model, or the process ended.
        """
        await self.start()
        try:
            async with asyncio.timeout(self._load_timeout_s):
                await self._reply(lambda answer_id: replace(request, id=answer_id))
        except TimeoutError:
            raise ModelError(self._too_slow(request.adapter)) from None

    async def embed(self, texts: Sequence[str]) -> list[Sequence[float]]:
        """Return the vectors of texts, in order.

        Raises:
            ModelError: the model failed, or its process ended.
        """
        replies = self._replies(lambda answer_id: Embed(answer_id, tuple(texts)))
        async with aclosing(replies):
            while True:
                try:
                    async with asyncio.timeout(_SILENCE_S):
                        message = await anext(replies)
                except TimeoutError:
                    raise ModelError(f"embedded no text within {_SILENCE_S:g} s") from None
                if isinstance(message, Embedded):
                    return _vectors(message, len(texts))
                if not isinstance(message, Piece):
                    raise ModelError("its process answers out of turn")

    async def generate(self, request: Generate) -> AsyncGenerator[Item, None]:
        """Yield pieces, then what became of the answer. Closing early stops the model.

        Raises:
            PromptTooLong: nothing was written.
            ModelError: the model failed, or its process ended.
        """
        replies = self._replies(lambda answer_id: replace(request, id=answer_id))
        async with aclosing(replies):
            async for message in replies:
                if isinstance(message, Piece | Done):
                    yield message
                elif isinstance(message, TooLong):
                    raise PromptTooLong(message.tokens, message.limit)

    async def close(self) -> None:
        """End the process, for good."""
        self._closed = True
        starting = self._starting
        await self._stop("was closed")
        if starting is not None:
            await asyncio.gather(starting, return_exceptions=True)

    # --- asking ---------------------------------------------------------------------------

    async def _reply(self, question: Callable[[int], ToChild]) -> FromChild:
        """Return the one reply to a question.

        Raises:
            ModelError: the process cannot give it, or ended.
        """
        replies = self._replies(question)
        async with aclosing(replies):
            return await anext(replies)

    async def _replies(self, question: Callable[[int], ToChild]) -> AsyncGenerator[FromChild, None]:
        """Yield pieces, then one last reply. Closing early stops the process from working on it.

        Raises:
            ModelError: the process failed, or ended.
        """
        await self.start()
        answer_id, answer = next(self._ids), asyncio.Queue[FromChild]()
        self._answers[answer_id] = answer
        ended = False
        try:
            self._send(question(answer_id))
            while not ended:
                message = await answer.get()
                ended = not isinstance(message, Piece)
                if isinstance(message, Failed):
                    raise ModelError(_plain(message.reason))
                yield message
        finally:
            if ended:
                del self._answers[answer_id]
            else:
                # Whoever closes this twice does not wait for the reply that still has to come.
                await asyncio.shield(asyncio.ensure_future(self._cancel(answer_id, answer)))

    # --- the process ----------------------------------------------------------------------

    def _check_may_start(self) -> None:
        rest = self._rests_until - monotonic()
        if self._closed:
            raise ModelError("its process was closed")
        if rest > 0:
            raise ModelError(f"its process ended; it is started again in {rest:.1f} s")

    def _started(self, starting: asyncio.Task[None]) -> None:
        self._starting = None
        # All who waited may have gone.
        if starting.cancelled() or starting.exception() is not None:
            self._rest()

    def _too_slow(self, file: File) -> str:
        limit = self._load_timeout_s
        return f"{file.path}: was not loaded within {limit:g} s; raise load_timeout_s"

    async def _start(self) -> None:
        process = await spawned(self._load)
        self._process = process
        try:
            self._check_may_start()
            async with asyncio.timeout(self._load_timeout_s):
                self._send(self._load)
                message = await self._receive(process)
        except TimeoutError:
            await self._stop("took too long to load")
            raise ModelError(self._too_slow(self._load.file)) from None
        except _Gone as gone:
            await self._stop(str(gone))
            if gone.is_illegal and not self._load.plain:
                self._log.warning(
                    "this machine says that it has instructions which end a process (AMX, in some "
                    "virtual machines); the model is loaded without them, and is slower"
                )
                self._load = replace(self._load, plain=True)
                await self._start()
                return
            raise ModelError(f"{self._load.file.path}: loading it {gone}") from None
        except BaseException:
            await self._stop("was interrupted")
            raise
        if not isinstance(message, Loaded):
            told = message.reason if isinstance(message, Failed) else "it answers out of turn"
            reason = _plain(told)
            await self._stop(reason)
            raise ModelError(f"{self._load.file.path}: {reason}")
        self.context = message.context
        self._listening = asyncio.create_task(self._listen(process))

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        """Hand each message to the answer that it belongs to, until the process ends."""
        while True:
            try:
                message = await self._receive(process)
            except _Gone as gone:
                reason = str(gone)
                break
            answer = None if isinstance(message, Loaded) else self._answers.get(message.id)
            if answer is not None:
                answer.put_nowait(message)
            if isinstance(message, Done | Embedded):
                self._pause_s = 0.0
        self._lose(process, reason)

    def _lose(self, process: asyncio.subprocess.Process, reason: str) -> None:
        """Part from a process that ended, or that has to."""
        if self._process is not process:
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
            gone = _Gone(await _end_of(process))
            gone.is_illegal = process.returncode == -signal.SIGILL
            raise gone from None
        except msgspec.DecodeError:
            _kill(process)
            raise _Gone("sent what is no message") from None

    def _send(self, message: ToChild) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdin.is_closing():
            raise ModelError("its process ended")
        process.stdin.write(frame(message))

    async def _cancel(self, answer_id: int, answer: asyncio.Queue[FromChild]) -> None:
        """Stop an answer, and the process if it does not obey."""
        process = self._process
        with suppress(ModelError):
            self._send(Cancel(answer_id))
            try:
                async with asyncio.timeout(_CANCEL_TIMEOUT_S):
                    while isinstance(await answer.get(), Piece):
                        pass
            except TimeoutError:
                if process is not None:
                    self._lose(process, "hung and was ended")
        del self._answers[answer_id]

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
        for answer in self._answers.values():
            answer.put_nowait(Failed(reason=f"its process {reason}"))

    def _rest(self) -> None:
        """Put the next start off, longer each time."""
        self._rests_until = monotonic() + self._pause_s
        self._pause_s = min(max(2 * self._pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)


class _Gone(Exception):
    """The process ended; says how.

    Attributes:
        is_illegal: it was given an instruction that this machine does not have.
    """

    is_illegal = False


def _plain(reason: str) -> str:
    """Return one short line: what the process says may come out of a hostile file."""
    shown = "".join(one if one.isprintable() else " " for one in reason[: 4 * _LONGEST_REASON])
    line = " ".join(shown.split())
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}..."


def _vectors(message: Embedded, count: int) -> list[Sequence[float]]:
    """Return `count` vectors.

    Raises:
        ModelError: there are others; a hostile file may have taken over the process.
    """
    values, size = array("f"), message.dimension
    if size < 1 or len(message.vectors) != count * size * values.itemsize:
        raise ModelError("its process answers out of turn")
    values.frombytes(message.vectors)
    if not all(map(math.isfinite, values)):
        raise ModelError("its process gives what is no number")
    return [values[at : at + size] for at in range(0, len(values), size)]


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
    if code == -signal.SIGPROF:
        return "was ended: its chat template computes without end"
    if code < 0:
        return f"ended with {signal.Signals(-code).name}; the model file may be damaged"
    return f"ended with exit status {code}"
