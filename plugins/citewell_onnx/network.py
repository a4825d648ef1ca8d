"""The model at work; only its own process imports this module."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from citewell_onnx.files import stamp_of
from citewell_onnx.wire import Load

# Tokens that a part may have more than its share.
_ROOM = 8
_KNOWN_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_WHOLE = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_FATAL_ONLY = 4


class NetworkError(Exception):
    """The model cannot be used, or not for this text; says why in one line."""


class Network:
    """A loaded model.

    Texts are computed one by one: nothing pads, so what else is asked for changes no vector, and
    no memory is taken for more than `max_tokens` at a time. On processors this is no slower.

    Args:
        load: which model, and how.

    Attributes:
        width: numbers that it gives for a text: of a vector, or 1 for a score.

    Raises:
        NetworkError: the model cannot be loaded, or gives something else.
    """

    def __init__(self, load: Load) -> None:
        self._load = load
        self._tokenizer = _tokenizer(load)
        self._session = _session(load)
        self._inputs = self._checked_inputs()
        self._output = self._checked_output()
        self._special = len(self._encoded("").ids)
        self.width = 0
        self.width = self._row("a", None if load.pooling else "a").size
        if load.pooling is None and self.width != 1:
            raise NetworkError(f"gives {self.width} numbers for a pair; expected one score")

    def rows(self, texts: Sequence[str], question: str | None) -> bytes:
        """Return float32[texts, width]: vectors of length 1, or the scores of pairs.

        Raises:
            NetworkError: the model fails, or gives no numbers.
        """
        return b"".join(self._row(text, question).tobytes() for text in texts)

    def _row(self, text: str, question: str | None) -> NDArray[np.float32]:
        if question is None:
            parts = [self._normal(self._pooled(tokens)) for tokens in self._parts(text)]
            row = parts[0] if len(parts) == 1 else self._normal(np.sum(parts, axis=0))
        else:
            row = self._computed(self._pair(question, text)).reshape(-1)
            if not np.isfinite(row).all():
                raise NetworkError("gives a score that is no number")
        if self.width and row.size != self.width:
            raise NetworkError(f"gives {row.size} numbers for a text; expected {self.width}")
        return row.astype(np.float32)

    def _normal(self, vector: NDArray[np.float64]) -> NDArray[np.float64]:
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or not length:
            raise NetworkError("gives a vector without a direction")
        return np.asarray(vector / length)

    def _pooled(self, tokens: Encoding) -> NDArray[np.float64]:
        found = self._computed(tokens)[0]
        if found.ndim == 1:
            # The model has made one of them itself.
            return np.asarray(found)
        if found.ndim != 2 or len(found) != len(tokens.ids):
            shape = " x ".join(map(str, found.shape))
            raise NetworkError(f"gives {shape} numbers for a text; expected a vector a token")
        return np.asarray(found[0] if self._load.pooling == "cls" else found.mean(axis=0))

    def _computed(self, tokens: Encoding) -> NDArray[np.float64]:
        given = {
            "input_ids": tokens.ids,
            "attention_mask": tokens.attention_mask,
            "token_type_ids": tokens.type_ids,
        }
        fed = {name: np.array([given[name]], kind) for name, kind in self._inputs.items()}
        try:
            (found,) = self._session.run([self._output], fed)
        # onnxruntime raises exceptions of its own, and plain ones.
        except Exception as error:
            raise NetworkError(f"fails: {error}") from error
        values = np.asarray(found)
        if not np.issubdtype(values.dtype, np.floating) or not values.ndim or len(values) != 1:
            raise NetworkError(f"gives {values.dtype} of shape {values.shape}; expected numbers")
        return values.astype(np.float64)

    def _parts(self, text: str) -> Iterator[Encoding]:
        """Yield the tokens of a text, in parts of which each fits."""
        tokens = self._encoded(text)
        if not tokens.ids:
            # Nothing at all has to have a vector too.
            yield self._encoded(".")
        elif len(tokens.ids) <= self._load.max_tokens:
            yield tokens
        elif len(text) == 1:
            tokens.truncate(self._load.max_tokens)
            yield tokens
        else:
            share = max(self._load.max_tokens - self._special - _ROOM, 1)
            count = max(-(-(len(tokens.ids) - self._special) // share), 2)
            size = -(-len(text) // count)
            for at in range(0, len(text), size):
                yield from self._parts(text[at : at + size])

    def _pair(self, question: str, text: str) -> Encoding:
        """Return the tokens of both; of the question at most half of what fits."""
        half = self._load.max_tokens // 2
        asked = self._encoded(question)
        if len(asked.ids) > half:
            question = question[: asked.offsets[half - self._special][0]]
        both = self._encoded(question, text)
        beyond = len(both.ids) - self._load.max_tokens
        if beyond <= 0:
            return both
        of_text = [span for span, part in zip(both.offsets, both.sequence_ids, strict=True) if part]
        kept = max(len(of_text) - beyond - _ROOM, 0)
        both = self._encoded(question, text[: of_text[kept][0]] if of_text else text)
        # Cut texts may have more tokens than their share of the whole ones.
        both.truncate(self._load.max_tokens)
        return both

    def _encoded(self, text: str, other: str | None = None) -> Encoding:
        try:
            return self._tokenizer.encode(text, other)
        except Exception as error:
            raise NetworkError(f"its tokenizer fails: {error}") from error

    def _checked_inputs(self) -> dict[str, Any]:
        wanted = {one.name: one.type for one in self._session.get_inputs()}
        for name, kind in wanted.items():
            if name not in _KNOWN_INPUTS or kind not in _WHOLE:
                raise NetworkError(
                    f"wants the input {name}, {kind}; expected whole numbers as "
                    f"{', '.join(_KNOWN_INPUTS)}: export it as a text encoder"
                )
        if "input_ids" not in wanted:
            raise NetworkError("does not want input_ids; export it as a text encoder")
        return {name: _WHOLE[kind] for name, kind in wanted.items()}

    def _checked_output(self) -> str:
        names = [one.name for one in self._session.get_outputs()]
        chosen = self._load.output or names[0]
        if chosen not in names:
            raise NetworkError(f'has no output "{chosen}"; there are: {", ".join(names)}')
        return str(chosen)


def _tokenizer(load: Load) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(load.tokenizer)
    except Exception as error:
        raise NetworkError(f"its tokenizer cannot be read: {error}") from error
    # Whatever whoever trained it wanted: texts are cut here.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _session(load: Load) -> onnxruntime.InferenceSession:
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = load.threads or os.cpu_count() or 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL_ONLY
    # A thread that waits gives the processor to others.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            load.model, options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise NetworkError(f"cannot be loaded: {error}") from error
    if stamp_of(Path(load.model)) != load.stamp:
        raise NetworkError("was replaced while it was loaded; open it again")
    return session
