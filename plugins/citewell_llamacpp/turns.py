"""Writes several answers over one model: they take turns, or are decoded together."""

from __future__ import annotations

import codecs
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct, field

from citewell_llamacpp.holding import Spans, Stops
from citewell_llamacpp.native import Aborted, Native, NativeError
from citewell_llamacpp.sampling import Sampler
from citewell_llamacpp.slots import Lease, Slot, Slots
from citewell_llamacpp.wire import Done, Failed, FromChild, Generate, Piece

Send = Callable[[FromChild], None]


class Answer(Struct, eq=False, kw_only=True):
    """An answer that waits or is being written.

    Attributes:
        tokens: of the prompt.
        position: tokens of prompt and answer that are computed.
        upcoming: the token that was drawn last and is not computed yet; None while the prompt is.
        written: tokens that were drawn.
    """

    request: Generate
    tokens: list[int]
    grammar: str | None
    slot: Slot | None = None
    sampler: Sampler | None = None
    stops: Stops = field(default_factory=lambda: Stops(()))
    spans: Spans = field(default_factory=Spans)
    decoder: codecs.IncrementalDecoder = field(
        default_factory=lambda: codecs.getincrementaldecoder("utf-8")("replace")
    )
    position: int = 0
    reused: int = 0
    upcoming: int | None = None
    written: int = 0

    @property
    def is_reading(self) -> bool:
        """Whether the prompt is not computed to its end."""
        return self.position < len(self.tokens)


class Turns:
    """The answers of a worker, from the first to the last token.

    Args:
        native: the model.
        send: takes what the parent shall know.
        slots: caches of conversations.
        chunk: tokens of a prompt that are computed together.
        batches: decode all answers that share an adapter in one step.
    """

    def __init__(
        self, native: Native, send: Send, slots: Slots, *, chunk: int, batches: bool
    ) -> None:
        self._native = native
        self._send = send
        self._slots = slots
        self._chunk = chunk
        self._batches = batches
        self._waiting: deque[Answer] = deque()
        self._active: deque[Answer] = deque()
        self._lock = threading.Lock()
        self._cancelled: set[int] = set()
        self._running: frozenset[int] = frozenset()

    def add(self, answer: Answer) -> None:
        """Let `answer` be written after those that wait already."""
        self._waiting.append(answer)

    def cancel(self, answer_id: int) -> None:
        """Stop an answer at once; may be called from another thread.

        The step of another one is computed again, where the model can forget a part of it.
        """
        with self._lock:
            self._cancelled.add(answer_id)
            if answer_id in self._running or (self._running and self._native.forgets):
                self._native.abort()

    @property
    def has_work(self) -> bool:
        """Whether an answer waits or is being written."""
        return bool(self._waiting or self._active)

    def step(self) -> None:
        """Bring one answer, or several together, one step on."""
        self._drop_cancelled()
        while self._waiting and not self._slots.are_busy:
            self._begin(self._waiting.popleft())
        if not self._active:
            return
        together = self._next()
        try:
            with self._stoppable(together):
                self._advance(together)
        except Aborted:
            for answer in together:
                self._cut(answer)
        except NativeError as error:
            for answer in together:
                self._end(answer, Failed(id=answer.request.id, reason=str(error)))

    @contextmanager
    def _stoppable(self, together: Sequence[Answer]) -> Iterator[None]:
        """Let `cancel` stop the step that is computed inside."""
        with self._lock:
            self._running = frozenset(answer.request.id for answer in together)
            if self._running & self._cancelled:
                self._native.abort()
        try:
            yield
        finally:
            with self._lock:
                self._running = frozenset()
                self._native.resume()

    def _next(self) -> list[Answer]:
        """Return the answer whose turn it is, and those that can be decoded with it."""
        first = self._active[0]
        self._active.rotate(-1)
        if not self._batches or first.is_reading:
            return [first]
        adapter = first.request.adapter
        others = [one for one in self._active if one is not first and not one.is_reading]
        return [first, *(one for one in others if one.request.adapter == adapter)]

    def _advance(self, together: Sequence[Answer]) -> None:
        first = together[0]
        self._native.use_adapter(first.request.adapter)
        if first.is_reading:
            chunk = first.tokens[first.position : first.position + self._chunk]
            is_last = first.position + len(chunk) == len(first.tokens)
            row = self._native.read(_slot(first).index, first.position, chunk, wanted=is_last)
            first.position += len(chunk)
            _slot(first).tokens.extend(chunk)
            if is_last:
                self._draw(first, row)
            return
        work = [(_slot(one).index, one.position, _upcoming(one)) for one in together]
        self._native.extend(work)
        for row, answer in enumerate(together):
            answer.position += 1
            self._draw(answer, row)

    def _draw(self, answer: Answer, row: int) -> None:
        """Draw the next token of an answer and send what it adds."""
        assert answer.sampler is not None  # noqa: S101 - set when the answer began
        try:
            token = answer.sampler.next(row)
        except NativeError as error:
            self._end(answer, Failed(id=answer.request.id, reason=str(error)))
            return
        if self._native.ends(token):
            self._finish(answer, "stop")
            return
        answer.written += 1
        answer.upcoming = token
        self._write(answer, answer.decoder.decode(self._native.piece(token)))
        if answer.stops.reached:
            self._finish(answer, "stop")
        elif (
            answer.written >= answer.request.max_output_tokens
            or answer.position + 1 >= self._native.context
        ):
            self._finish(answer, "length")

    def _write(self, answer: Answer, text: str) -> None:
        self._show(answer, answer.stops.take(text))

    def _show(self, answer: Answer, text: str) -> None:
        ready = text if answer.request.highest is None else answer.spans.take(text)
        if ready:
            self._send(Piece(answer.request.id, ready))

    def _finish(self, answer: Answer, finish: str) -> None:
        self._write(answer, answer.decoder.decode(b"", final=True))
        self._show(answer, answer.stops.rest())
        self._end(answer, self._done(answer, finish))

    @staticmethod
    def _done(answer: Answer, finish: str) -> Done:
        return Done(
            id=answer.request.id,
            finish=finish,
            input_tokens=len(answer.tokens),
            reused_tokens=answer.reused,
            output_tokens=answer.written,
        )

    # --- beginning and ending -------------------------------------------------------------

    def _begin(self, answer: Answer) -> None:
        request = answer.request
        try:
            answer.sampler = Sampler(
                self._native,
                temperature=request.temperature,
                top_p=request.top_p,
                seed=request.seed,
                grammar=answer.grammar,
            )
        except NativeError as error:
            self._send(Failed(id=request.id, reason=str(error)))
            return
        answer.stops = Stops(request.stop)
        lease = self._slots.take(answer.tokens, request.adapter)
        answer.slot = lease.slot
        answer.position = answer.reused = self._prepare(lease, answer)
        self._active.append(answer)

    def _prepare(self, lease: Lease, answer: Answer) -> int:
        """Bring the cache to the tokens that are reused, and return how many these are."""
        slot, reused = lease.slot, lease.reused
        if lease.source is not None:
            self._native.copy(lease.source.index, slot.index)
        if not reused or not self._native.keep(slot.index, reused):
            # Some families of models cannot forget a part.
            self._native.clear(slot.index)
            reused = 0
        slot.tokens = answer.tokens[:reused]
        slot.adapter = answer.request.adapter
        return reused

    def _drop_cancelled(self) -> None:
        with self._lock:
            cancelled = set(self._cancelled)
        for answer in [one for one in self._waiting if one.request.id in cancelled]:
            self._waiting.remove(answer)
            self._send(self._done(answer, "cancelled"))
        for answer in [one for one in self._active if one.request.id in cancelled]:
            self._end(answer, self._done(answer, "cancelled"))
        with self._lock:
            self._cancelled -= cancelled

    def _end(self, answer: Answer, last: FromChild) -> None:
        """Let go of what the answer holds; of its cache the prompt stays."""
        self._active.remove(answer)
        slot = _slot(answer)
        slot.tokens = slot.tokens[: answer.position]
        if not self._native.keep(slot.index, len(slot.tokens)):
            self._native.clear(slot.index)
            slot.tokens = []
        slot.busy = False
        if answer.sampler is not None:
            answer.sampler.close()
        self._send(last)

    def _cut(self, answer: Answer) -> None:
        """Forget what a stopped step may have left behind."""
        if not self._native.keep(_slot(answer).index, answer.position):
            self._end(answer, Failed(id=answer.request.id, reason="stopped with another answer"))


def _slot(answer: Answer) -> Slot:
    assert answer.slot is not None  # noqa: S101 - set when the answer began
    return answer.slot


def _upcoming(answer: Answer) -> int:
    assert answer.upcoming is not None  # noqa: S101 - drawn when the prompt was read
    return answer.upcoming
