"""What the worker process does for an embedder; only that process imports this module."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import llama_cpp.llama_cpp as c
import numpy as np
from numpy.typing import NDArray

from citewell_llamacpp.native import (
    ABORTED,
    Aborted,
    AbortFlag,
    Journal,
    NativeError,
    load_model,
    tokens_of,
)
from citewell_llamacpp.service import Refused
from citewell_llamacpp.wire import Adapt, Embed, Embedded, Failed, FromChild, Generate, Load, Piece

Send = Callable[[FromChild], None]

# Tokens that a part may have more than its share.
_ROOM = 16
_POOLING = {
    "file": c.LLAMA_POOLING_TYPE_UNSPECIFIED,
    "mean": c.LLAMA_POOLING_TYPE_MEAN,
    "cls": c.LLAMA_POOLING_TYPE_CLS,
    "last": c.LLAMA_POOLING_TYPE_LAST,
}


class EmbeddingService:
    """A loaded model and the texts that it embeds, one in each step.

    Args:
        load: which model, and how.
        send: takes what the parent shall know.

    Attributes:
        context: tokens that are computed together; a longer text is embedded in parts.

    Raises:
        Refused: the model cannot be used.
    """

    def __init__(self, load: Load, send: Send) -> None:
        self._send = send
        self._waiting: deque[_Texts] = deque()
        self._lock = threading.Lock()
        self._cancelled: set[int] = set()
        self._running = 0
        try:
            self._embedding = Embedding(load)
        except NativeError as error:
            raise Refused(str(error)) from error
        self.context = self._embedding.context

    @property
    def has_work(self) -> bool:
        """Whether a text waits."""
        return bool(self._waiting)

    def take(self, request: Generate | Adapt | Embed) -> None:
        """Embed texts after those that wait already."""
        if isinstance(request, Embed):
            self._waiting.append(_Texts(request))
        else:
            self._send(Failed(id=request.id, reason="was loaded to embed, not to write"))

    def cancel(self, request_id: int) -> None:
        """Forget texts, at once if they are being computed; may be called from another thread."""
        with self._lock:
            self._cancelled.add(request_id)
            if request_id == self._running:
                self._embedding.flag.raised = True

    def step(self) -> None:
        """Embed the next text of the request whose turn it is."""
        self._drop_cancelled()
        if not self._waiting:
            return
        texts = self._waiting.popleft()
        try:
            with self._stoppable(texts.id):
                if texts.upcoming:
                    texts.vectors.append(self._embedding.embed(texts.upcoming.popleft()))
        except Aborted:
            self._send(Failed(id=texts.id, reason="cancelled"))
        except NativeError as error:
            self._send(Failed(id=texts.id, reason=str(error)))
        else:
            if texts.upcoming:
                # Who waits can so tell work from a process that hangs.
                self._send(Piece(texts.id, ""))
                self._waiting.append(texts)
            else:
                self._finish(texts)

    def _drop_cancelled(self) -> None:
        with self._lock:
            cancelled = set(self._cancelled)
        for texts in [one for one in self._waiting if one.id in cancelled]:
            self._waiting.remove(texts)
            self._send(Failed(id=texts.id, reason="cancelled"))
        with self._lock:
            self._cancelled -= cancelled

    @contextmanager
    def _stoppable(self, request_id: int) -> Iterator[None]:
        """Let `cancel` stop what is computed inside."""
        with self._lock:
            self._running = request_id
            self._embedding.flag.raised = request_id in self._cancelled
        try:
            yield
        finally:
            with self._lock:
                self._running = 0
                self._embedding.flag.raised = False

    def _finish(self, texts: _Texts) -> None:
        data = b"".join(vector.tobytes() for vector in texts.vectors)
        self._send(Embedded(id=texts.id, dimension=self._embedding.dimension, vectors=data))


class _Texts:
    """The texts of one request, and how far they are."""

    def __init__(self, request: Embed) -> None:
        self.id = request.id
        self.upcoming = deque(request.texts)
        self.vectors: list[NDArray[np.float32]] = []


class Embedding:
    """A model that gives vectors.

    Args:
        load: which model, and how.

    Attributes:
        context: tokens that are computed together.
        dimension: of the vectors.
        flag: stops what is computed.

    Raises:
        NativeError: the model cannot be loaded, or gives no vectors.
    """

    def __init__(self, load: Load) -> None:
        self._journal = Journal()
        self._model = load_model(load.file, load.gpu_layers, self._journal, plain=load.plain)
        self._vocabulary = c.llama_model_get_vocab(self._model)
        self.context: int = min(load.context, c.llama_model_n_ctx_train(self._model))
        self.dimension = int(c.llama_model_n_embd(self._model))
        self._context = self._opened(load, _POOLING[load.pooling or "file"])
        if c.llama_pooling_type(self._context) == c.LLAMA_POOLING_TYPE_NONE:
            # The file says nothing, as one of a chat model does.
            c.llama_free(self._context)
            self._context = self._opened(load, c.LLAMA_POOLING_TYPE_MEAN)
        self._batch = c.llama_batch_init(self.context, 0, 1)
        self.flag = AbortFlag(self._context)

    def _opened(self, load: Load, pooling: int) -> Any:
        settings = c.llama_context_default_params()
        # A model that looks both ways needs the whole text in one step.
        settings.n_ctx = settings.n_batch = settings.n_ubatch = self.context
        settings.n_threads = settings.n_threads_batch = load.threads or os.cpu_count() or 1
        settings.embeddings = True
        settings.pooling_type = pooling
        settings.no_perf = True
        context = c.llama_init_from_model(self._model, settings)
        if not context:
            raise NativeError(self._journal.last())
        return context

    def embed(self, text: str) -> NDArray[np.float32]:
        """Return the vector float32[dimension] of a text, of length 1.

        That of a text longer than the context is the mean of those of its parts.

        Raises:
            Aborted: the flag was raised.
            NativeError: the library fails, or gives no direction.
        """
        total = np.sum([self._vector(tokens) for tokens in self._parts(text)], axis=0)
        length = float(np.linalg.norm(total))
        if not np.isfinite(length) or not length:
            raise NativeError("the model gives a vector without a direction")
        return np.asarray(total / length, np.float32)

    def _parts(self, text: str) -> list[list[int]]:
        tokens = tokens_of(self._vocabulary, text, begins=True, special=False)
        if not tokens:
            # Nothing at all has to have a vector too.
            return [tokens_of(self._vocabulary, " ", begins=True, special=False)]
        if len(tokens) <= self.context:
            return [tokens]
        count = -(-len(tokens) // (self.context - _ROOM))
        size = -(-len(text) // count)
        parts = [text[at : at + size] for at in range(0, len(text), size)]
        return [tokens for part in parts for tokens in self._parts(part)]

    def _vector(self, tokens: list[int]) -> NDArray[np.float64]:
        memory = c.llama_get_memory(self._context)
        if memory:
            c.llama_memory_clear(memory, True)
        batch = self._batch
        for at, token in enumerate(tokens):
            batch.token[at] = token
            batch.pos[at] = at
            batch.n_seq_id[at] = 1
            batch.seq_id[at][0] = 0
            batch.logits[at] = True
        batch.n_tokens = len(tokens)
        status = c.llama_decode(self._context, batch)
        if status == ABORTED:
            raise Aborted
        if status:
            raise NativeError(f"llama_decode gave {status}: {self._journal.last()}")
        pointer = c.llama_get_embeddings_seq(self._context, 0)
        if not pointer:
            raise NativeError("the model gives no vectors")
        values = np.ctypeslib.as_array(pointer, shape=(self.dimension,))
        return values.astype(np.float64)
