"""The library llama.cpp as far as it is needed here: one model, one context, its sequences.

Only the worker process imports this module. Nothing in it may be called from two threads.
"""

from __future__ import annotations

import codecs
import ctypes
import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import llama_cpp.llama_cpp as c
import numpy as np
from numpy.typing import NDArray

from citewell_llamacpp.wire import File

ABORTED = 2
"""What `llama_decode` gives for a step that was stopped."""

_KEPT_LINES = 8
_CONTINUATIONS = bytes(range(0x80, 0xC0))
_PIECE_BYTES = 256
_LEVEL_ERROR = 4
# Flags of `llama_token_attr`: unknown and control, user-defined.
_STEERS = 1 << 0 | 1 << 3
_USER_DEFINED = 1 << 4


class NativeError(Exception):
    """The library refuses or fails; says why in one line."""


class Aborted(Exception):
    """A step was stopped by the flag; what it left in the cache has to be cut away."""


class Journal:
    """The last lines that the library complained with."""

    # The library keeps a pointer to the last one, also when nobody else does.
    _listening: Journal | None = None

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)
        self._callback = c.llama_log_callback(self._note)
        c.llama_log_set(self._callback, ctypes.c_void_p(0))
        Journal._listening = self

    def _note(self, level: int, text: bytes, _data: object) -> None:
        if level == _LEVEL_ERROR and text.strip():
            self._lines.append(" ".join(text.decode("utf-8", "replace").split()))

    def last(self) -> str:
        """Return the first of the last complaints, which names the cause, and forget them."""
        line = self._lines[0] if self._lines else "llama.cpp gives no reason"
        self._lines.clear()
        return line


def load_model(file: File, gpu_layers: int, journal: Journal, *, plain: bool = False) -> Any:
    """Return the library's handle of the model in `file`.

    Args:
        file: that was checked.
        gpu_layers: that are moved to a GPU; -1 for all.
        journal: of its complaints.
        plain: compute with the weights as they are, and not as the fastest kernels want them.

    Raises:
        NativeError: it cannot be loaded, or is not the file that was checked.
    """
    c.llama_backend_init()
    settings = c.llama_model_default_params()
    settings.n_gpu_layers = gpu_layers
    settings.use_extra_bufts = not plain
    with _unchanged(file):
        model = c.llama_model_load_from_file(file.path.encode(), settings)
    if not model:
        raise NativeError(journal.last())
    return model


@contextmanager
def _unchanged(file: File) -> Iterator[None]:
    """Refuse a file that is written or replaced before or while it is read."""
    problem = f"{file.path}: was changed after it was checked; try again"
    if not file.is_unchanged:
        raise NativeError(problem)
    yield
    if not file.is_unchanged:
        raise NativeError(problem)


class AbortFlag:
    """Stops the step that a context computes, once it is raised; from any thread.

    Args:
        context: the library's handle; this object has to live as long.
    """

    def __init__(self, context: Any) -> None:
        self._byte = ctypes.create_string_buffer(2)
        # The library calls it between any two operations. A Python function there would take the
        # interpreter's lock thousands of times a second; the length of a C string is the same.
        strlen = ctypes.cast(ctypes.CDLL(None).strlen, ctypes.c_void_p).value
        self._callback = c.ggml_abort_callback(strlen or 0)
        c.llama_set_abort_callback(context, self._callback, ctypes.addressof(self._byte))

    @property
    def raised(self) -> bool:
        """Whether steps stop."""
        return bool(self._byte.value)

    @raised.setter
    def raised(self, value: bool) -> None:
        self._byte[0] = b"\1" if value else b"\0"


def tokens_of(vocabulary: Any, text: str, *, begins: bool, special: bool) -> list[int]:
    """Return the tokens of a text.

    Args:
        vocabulary: the library's handle.
        text: what is to become tokens.
        begins: add what the model expects at the beginning and end of a text.
        special: let the names of special tokens stand for these.

    Raises:
        NativeError: there are too many.
    """
    data = text.encode("utf-8", "replace")
    room = len(data) + 16
    tokens = (c.llama_token * room)()
    count = c.llama_tokenize(vocabulary, data, len(data), tokens, room, begins, special)
    if count < 0:
        raise NativeError(f"the text has too many tokens: {-count:,}")
    return list(tokens[:count])


def _is_utf8(piece: bytes) -> bool:
    """Tell whether a piece can be a part of a text: it may begin and end inside a character."""
    inner = piece.lstrip(_CONTINUATIONS) if len(piece) > 1 else piece
    if len(piece) - len(inner) > 3 or b"\0" in piece:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(inner)
    except UnicodeDecodeError:
        return len(piece) == 1 and piece in _CONTINUATIONS
    return True


class Native:
    """A loaded model with room for `slots` conversations of `context` tokens each.

    Args:
        file: the GGUF file.
        context: tokens of one conversation; no more than the model was trained for.
        slots: conversations, called sequences in llama.cpp; numbered from 0.
        chunk: tokens that a prompt is read in.
        threads: that compute; None for half of the processors, and all of them for prompts.
        gpu_layers: layers that are moved to a GPU; -1 for all.

    Attributes:
        context: tokens of one conversation.
        forgets: whether a part of a conversation can be forgotten.
        unwritten: tokens that are never drawn.

    Raises:
        NativeError: the model cannot be loaded, or has no memory for conversations.
    """

    _cache_type: int | None = None
    _plain = False

    def __init__(
        self,
        file: File,
        *,
        context: int,
        slots: int,
        chunk: int,
        threads: int | None,
        gpu_layers: int,
    ) -> None:
        self._journal = Journal()
        self._model = load_model(file, gpu_layers, self._journal, plain=self._plain)
        self._vocabulary = c.llama_model_get_vocab(self._model)
        self.context: int = min(context, c.llama_model_n_ctx_train(self._model))
        settings = c.llama_context_default_params()
        settings.n_ctx = self.context * slots
        settings.n_batch = max(chunk, slots)
        settings.n_ubatch = settings.n_batch
        settings.n_seq_max = slots
        processors = os.cpu_count() or 1
        settings.n_threads = threads or max(processors // 2, 1)
        settings.n_threads_batch = threads or processors
        # Each conversation in cells of its own: what one computes cannot depend on its neighbours.
        settings.kv_unified = False
        settings.no_perf = True
        if self._cache_type is not None:
            settings.type_k = settings.type_v = self._cache_type
        if not gpu_layers:
            # Measured: on processors it makes every token of an answer take half as long again.
            settings.flash_attn_type = c.LLAMA_FLASH_ATTN_TYPE_DISABLED
        self._context = c.llama_init_from_model(self._model, settings)
        if not self._context:
            raise NativeError(self._journal.last())
        self._memory = c.llama_get_memory(self._context)
        if not self._memory:
            raise NativeError("the model keeps no conversation; expected one that generates text")
        self._batch = c.llama_batch_init(settings.n_batch, 0, 1)
        self._chunk = chunk
        self.forgets = not (
            c.llama_model_is_recurrent(self._model) or c.llama_model_is_hybrid(self._model)
        )
        self._adapters: dict[File, Any] = {}
        self._adapter: File | None = None
        self._flag = AbortFlag(self._context)
        self.unwritten = self._unwritten()

    # --- text -----------------------------------------------------------------------------

    @property
    def vocabulary_size(self) -> int:
        """How many tokens there are."""
        return int(c.llama_vocab_n_tokens(self._vocabulary))

    @property
    def template(self) -> str | None:
        """The chat template that the file carries."""
        found = c.llama_model_chat_template(self._model, None)
        return found.decode("utf-8", "replace") if found else None

    def value(self, key: str) -> str:
        """Return what the file has under a key, as text; empty for nothing."""
        size = _PIECE_BYTES
        while True:
            room = ctypes.create_string_buffer(size)
            count = c.llama_model_meta_val_str(self._model, key.encode(), room, size)
            if count < size:
                return "" if count < 0 else room.value.decode("utf-8", "replace")
            size = count + 1

    def steering_texts(self) -> list[str]:
        """Return the texts of the tokens that steer the model, like `<|im_end|>`."""
        return self._texts(_STEERS)

    def added_texts(self) -> list[str]:
        """Return the texts that were made tokens by hand; some steer, some are only frequent."""
        return self._texts(_USER_DEFINED)

    def _texts(self, kinds: int) -> list[str]:
        found = map(self.token_text, np.flatnonzero(self._kinds & kinds).tolist())
        return [text for text in found if len(text.strip()) > 1]

    def _unwritten(self) -> frozenset[int]:
        """Return the tokens that a grammar cannot judge, and that do not end the output.

        Some add nothing to it, whatever their text is; others are no part of a text in UTF-8, so
        llama.cpp reads other characters in them.
        """
        steering = np.flatnonzero(self._kinds & _STEERS).tolist()
        broken = (token for token in range(self.vocabulary_size) if not _is_utf8(self.piece(token)))
        return frozenset(token for token in (*steering, *broken) if not self.ends(token))

    @cached_property
    def _kinds(self) -> NDArray[np.int32]:
        """What each token is, int32[vocabulary] of flags."""
        size = self.vocabulary_size
        kinds = (c.llama_vocab_get_attr(self._vocabulary, token) for token in range(size))
        return np.fromiter(kinds, np.int32, size)

    def token_text(self, token: int) -> str:
        """Return the text of any token, also of one that steers; empty for none (-1)."""
        return "" if token < 0 else self._piece(token, special=True).decode("utf-8", "replace")

    def bos_text(self) -> str:
        """Return the text of the token that begins a text."""
        return self.token_text(c.llama_vocab_bos(self._vocabulary))

    def eos_text(self) -> str:
        """Return the text of the token that ends a text."""
        return self.token_text(c.llama_vocab_eos(self._vocabulary))

    def tokenize(self, text: str) -> list[int]:
        """Return the tokens of a conversation, in which the template's special tokens count."""
        begins = not text.startswith(self.bos_text() or "\0")
        return tokens_of(self._vocabulary, text, begins=begins, special=True)

    def special_tokens(self, text: str) -> list[int]:
        """Return the tokens of a piece of a conversation, in which special tokens count."""
        return tokens_of(self._vocabulary, text, begins=False, special=True)

    def plain_tokens(self, text: str) -> list[int]:
        """Return the tokens of a text in which nothing is special."""
        return tokens_of(self._vocabulary, text, begins=False, special=False)

    def piece(self, token: int) -> bytes:
        """Return the bytes that a token adds to the output; none for one that steers."""
        return self._piece(token, special=False)

    def _piece(self, token: int, *, special: bool) -> bytes:
        size = _PIECE_BYTES
        while True:
            room = ctypes.create_string_buffer(size)
            count = c.llama_token_to_piece(self._vocabulary, token, room, size, 0, special)
            if count >= 0:
                return room.raw[:count]
            size = -count

    def steers(self, token: int) -> bool:
        """Tell whether a token is no text."""
        return bool(self._kinds[token] & _STEERS)

    @property
    def end_token(self) -> int:
        """The token with which the model says that it has finished."""
        return int(c.llama_vocab_eos(self._vocabulary))

    def ends(self, token: int) -> bool:
        """Tell whether the model says with `token` that it has finished."""
        return bool(c.llama_vocab_is_eog(self._vocabulary, token))

    # --- adapters -------------------------------------------------------------------------

    def load_adapter(self, file: File) -> None:
        """Load a LoRA adapter, unless it is loaded.

        Raises:
            NativeError: it does not fit the model.
        """
        if file in self._adapters:
            return
        with _unchanged(file):
            adapter = c.llama_adapter_lora_init(self._model, file.path.encode())
        if not adapter:
            raise NativeError(f"{file.path}: {self._journal.last()}")
        self._adapters[file] = adapter

    def use_adapter(self, file: File | None) -> None:
        """Compute with this loaded adapter alone from now on; None for the bare model."""
        if file == self._adapter:
            return
        chosen = [] if file is None else [self._adapters[file]]
        count = len(chosen)
        adapters = (c.llama_adapter_lora_p_ctypes * max(count, 1))(*chosen)
        scales = (ctypes.c_float * max(count, 1))(*[1.0] * count)
        if c.llama_set_adapters_lora(self._context, adapters, count, scales):
            raise NativeError(f"an adapter cannot be used: {self._journal.last()}")
        self._adapter = file

    # --- computing ------------------------------------------------------------------------

    def read(self, slot: int, position: int, tokens: Sequence[int], *, wanted: bool) -> int:
        """Compute the next tokens of a prompt, `chunk` at most.

        A shorter rest is filled up to a whole chunk with tokens that are forgotten at once: the
        fast kernels want whole chunks, and the same kernel gives the same numbers.

        Args:
            slot: whose conversation.
            position: of the first token.
            tokens: of the prompt.
            wanted: whether the logits after the last token are needed.

        Returns:
            The row of these logits.

        Raises:
            Aborted: `abort` was called meanwhile.
            NativeError: the library failed.
        """
        fits = position + self._chunk <= self.context
        missing = self._chunk - len(tokens) if self.forgets and fits else 0
        last = len(tokens) - 1
        for offset, token in enumerate([*tokens, *[0] * missing]):
            self._put(offset, slot, position + offset, token, wanted=wanted and offset == last)
        self._decode(len(tokens) + missing)
        if missing:
            self.keep(slot, position + len(tokens))
        return last

    def read_all(self, tokens: Sequence[int], *, slot: int = 0) -> NDArray[np.float32]:
        """Begin a conversation anew, with `chunk` tokens at most.

        Returns:
            The logits after each of them, float32[tokens, vocabulary].

        Raises:
            Aborted: `abort` was called meanwhile.
            NativeError: the library failed.
        """
        if len(tokens) > self._chunk:
            raise NativeError(f"{len(tokens)} tokens are more than fit into one step")
        self.clear(slot)
        for at, token in enumerate(tokens):
            self._put(at, slot, at, token, wanted=True)
        self._decode(len(tokens))
        return np.stack([self.logits(row) for row in range(len(tokens))])

    def extend(self, work: Sequence[tuple[int, int, int]]) -> None:
        """Compute one further token of each of some conversations, in one step.

        Args:
            work: slot, position and token, of each slot once at most; the logits of the n-th are
                in row n.

        Raises:
            Aborted: `abort` was called meanwhile.
            NativeError: the library failed.
        """
        for at, (slot, position, token) in enumerate(work):
            self._put(at, slot, position, token, wanted=True)
        self._decode(len(work))

    def _put(self, at: int, slot: int, position: int, token: int, *, wanted: bool) -> None:
        batch = self._batch
        batch.token[at] = token
        batch.pos[at] = position
        batch.n_seq_id[at] = 1
        batch.seq_id[at][0] = slot
        batch.logits[at] = wanted

    def _decode(self, count: int) -> None:
        self._batch.n_tokens = count
        status = c.llama_decode(self._context, self._batch)
        if status == ABORTED:
            raise Aborted
        if status:
            raise NativeError(f"llama_decode gave {status}: {self._journal.last()}")

    def logits(self, row: int) -> NDArray[np.float32]:
        """Return the logits float32[vocabulary] of a row; valid until the next step."""
        pointer = c.llama_get_logits_ith(self._context, row)
        return np.ctypeslib.as_array(pointer, shape=(self.vocabulary_size,))

    def keep(self, slot: int, length: int) -> bool:
        """Forget what stands behind the first `length` tokens; False if that cannot be done."""
        return bool(c.llama_memory_seq_rm(self._memory, slot, length, -1))

    def clear(self, slot: int) -> None:
        """Forget a whole conversation."""
        c.llama_memory_seq_rm(self._memory, slot, -1, -1)

    def copy(self, source: int, target: int) -> None:
        """Let one conversation become equal to another."""
        self.clear(target)
        c.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def abort(self) -> None:
        """Stop the step that is computed now; may be called from another thread."""
        self._flag.raised = True

    def resume(self) -> None:
        """Let steps be computed again."""
        self._flag.raised = False

    def close(self) -> None:
        """Free the memory."""
        c.llama_batch_free(self._batch)
        c.llama_free(self._context)
        c.llama_model_free(self._model)

    # --- what samplers need ---------------------------------------------------------------

    @property
    def handles(self) -> tuple[Any, Any]:
        """The library's context and vocabulary."""
        return self._context, self._vocabulary


class PlainNative(Native):
    """A loaded model that is computed without the fastest kernels.

    Some virtual machines say that they have instructions (AMX) which end the process.
    """

    _plain = True


class ExactNative(PlainNative):
    """A loaded model that keeps keys and values in F32, as training does."""

    _cache_type = c.GGML_TYPE_F32
