"""Compares a file with what was trained: tokens, chat template, ends, logits, continuations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, cycle, islice
from pathlib import Path

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from citewell.children import ChildFailed
from citewell_llamacpp.export.reference import Reference
from citewell_llamacpp.export.samples import TEXTS, Conversation
from citewell_llamacpp.native import ExactNative, NativeError
from citewell_llamacpp.normalizing import KEY, normalized
from citewell_llamacpp.probing import continued, last_row
from citewell_llamacpp.proof import DAY
from citewell_llamacpp.templates import BadTemplate, Template
from citewell_llamacpp.wire import CHUNK, File

PROBES = 8
"""Prompts of which all logits are compared, at their ends."""

CONTINUED = 24
"""Tokens that are written on behind each prompt."""

LONGEST = 2_048
"""Tokens of the longest text that is computed, where the model reads as many."""

DEVIATION = 1.3
"""Of the logits of the random models that tolerances were measured with."""

_TIE = 0.05
_LONGEST_PROMPT = 512
_WORST = 3
# With what is written behind them they are computed in one step.
PROBED = CHUNK - 16
"""Tokens of a probe, at most."""


class Expected(Struct, kw_only=True):
    """What the trained model computes.

    Attributes:
        texts: with the tokens of each.
        prompts: each conversation as the chat template lays it out.
        tokens: of each prompt.
        end: token that ends a text.
        ends: tokens that the chat template ends an answer with, and that end a text.
        stops: tokens that end an answer.
        probes: tokens of which all logits are compared.
        long: tokens of which the last logits are.
        logits: of each probe, float32[tokens, vocabulary], and of the last of `long`.
        continuations: of each prompt.
        margins: by how much the logit of each of their tokens is above that of the next best.
        behind: the likeliest tokens behind each probe that a file carries.
    """

    texts: list[tuple[str, list[int]]]
    prompts: list[str]
    tokens: list[list[int]]
    end: int
    ends: frozenset[int]
    stops: frozenset[int]
    probes: list[list[int]]
    long: list[int]
    logits: list[NDArray[np.float32]] = field(default_factory=list)
    continuations: list[list[int]] = field(default_factory=list)
    margins: list[list[float]] = field(default_factory=list)
    behind: list[list[int]] = field(default_factory=list)


def expected(
    reference: Reference, conversations: Sequence[Conversation], *, longest: int
) -> Expected:
    """Return what a file must do; without what costs computing.

    Args:
        reference: the trained model.
        conversations: that wait for an answer.
        longest: tokens of the longest text that is computed.
    """
    prompts = [reference.lay_out(one) for one in conversations]
    tokens = [reference.tokenize(text)[:_LONGEST_PROMPT] for text in prompts]
    texts = [(text, reference.tokenize(text)) for text in (*TEXTS, *reference.odd_texts())]
    # The ends: what prompts begin with is alike.
    probes = [list(one) for one in dict.fromkeys(tuple(one[-PROBED:]) for one in tokens)]
    return Expected(
        texts=texts,
        prompts=prompts,
        tokens=tokens,
        probes=probes[:PROBES],
        long=list(islice(cycle(chain.from_iterable(one for _, one in texts)), longest)),
        ends=reference.ends,
        end=reference.specials.eos,
        stops=reference.stops,
    )


class Trial:
    """A file that is loaded to be tried.

    Args:
        model: the file.
        adapter: an adapter that is used with it.
        threads: that compute.
        longest: tokens of the longest text that is computed.
        form: Unicode form that text is brought into; by default the one that the file names.

    Raises:
        ChildFailed: llama.cpp cannot load it.
    """

    def __init__(
        self,
        model: Path,
        adapter: Path | None,
        *,
        threads: int | None,
        longest: int = 0,
        form: str = "",
    ) -> None:
        try:
            self.native = ExactNative(
                File.at(model),
                context=max(_LONGEST_PROMPT, longest) + CHUNK,
                slots=1,
                chunk=CHUNK,
                threads=threads,
                gpu_layers=0,
            )
            if adapter is not None:
                file = File.at(adapter)
                self.native.load_adapter(file)
                self.native.use_adapter(file)
        except NativeError as error:
            raise ChildFailed(f"llama.cpp cannot load what was made: {error}") from error

        self._form = form or self.native.value(KEY)

    def close(self) -> None:
        """Free the memory."""
        self.native.close()

    def text_differences(
        self, wanted: Expected, conversations: Sequence[Conversation]
    ) -> list[str]:
        """Compare what becomes of text: tokens, the chat template, the ends of answers."""
        return [
            *islice(self._token_differences(wanted), _WORST),
            *islice(self._template_differences(wanted, conversations), _WORST),
            *islice(self._stop_differences(wanted), _WORST),
        ]

    def _token_differences(self, wanted: Expected) -> Iterator[str]:
        for text, tokens in wanted.texts:
            found = self.native.special_tokens(normalized(text, self._form))
            if found != tokens:
                yield _token_difference(f"text {text!r:.60}", tokens, found)

    def _template_differences(
        self, wanted: Expected, conversations: Sequence[Conversation]
    ) -> Iterator[str]:
        native = self.native
        try:
            template = Template(native.template or "", bos=native.bos_text(), eos=native.eos_text())
            for conversation, text, tokens in zip(
                conversations, wanted.prompts, wanted.tokens, strict=True
            ):
                found = template.render(conversation, day=DAY)
                if found != text:
                    yield _text_difference(text, found)
                ids = native.tokenize(normalized(found, self._form))[: len(tokens)]
                if ids != tokens:
                    yield _token_difference("the first prompt that differs", tokens, ids)
        except BadTemplate as error:
            yield f"the chat template of the file {error}"

    def _stop_differences(self, wanted: Expected) -> Iterator[str]:
        native = self.native
        if native.end_token != wanted.end:
            mine, theirs = native.token_text(wanted.end), native.token_text(native.end_token)
            yield f"the end of a text is {mine!r} (token {wanted.end}), and {theirs!r} in the file"
        # Others that steer are never drawn.
        deaf = sorted(
            token
            for token in wanted.stops
            if not native.ends(token) and (token in wanted.ends or not native.steers(token))
        )
        if deaf:
            text = native.token_text(deaf[0])
            yield f"an answer ends with {text!r} (token {deaf[0]}), at which the file does not stop"
        written = {token for tokens in wanted.tokens for token in tokens}
        for token in range(native.vocabulary_size):
            if not native.ends(token) or token in wanted.stops:
                continue
            # Others that the library knows as ends, like <|endoftext|>, are never written.
            if token in written or not native.steers(token):
                text = native.token_text(token)
                yield f"the file stops at {text!r} (token {token}), which may stand in an answer"

    def logits(self, probes: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
        """Return the logits of each probe."""
        return [self.native.read_all(tokens) for tokens in probes]

    def last_logits(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """Return the logits after the last of many tokens, float32[1, vocabulary]."""
        row = last_row(self.native, tokens)
        return self.native.logits(row)[None].copy()

    def continuations(
        self, wanted: Expected, prompts: Sequence[Sequence[int]], count: int
    ) -> list[list[int]]:
        """Return how the file writes on behind each prompt, with `count` tokens at most."""
        return [continued(self.native, tokens, count, stops=wanted.stops) for tokens in prompts]


def measured(
    wanted: Expected,
    logits: Sequence[NDArray[np.float32]],
    continuations: Sequence[Sequence[int]],
) -> dict[str, float]:
    """Return by how much logits and continuations differ.

    A continuation is tied that differs first where two tokens were as good as equally likely:
    where their logits were nearer than twice what a logit may differ by.
    """
    mine, theirs = np.concatenate(logits), np.concatenate(wanted.logits)
    largest = float(np.abs(mine - theirs).max())
    pairs = [*zip(continuations, wanted.continuations, wanted.margins, strict=True)]
    splits = [_first_difference(one, other) for one, other, _ in pairs]
    spread = max(1.0, float(theirs.std()) / DEVIATION)
    tied = [
        at is not None and at < len(margins) and margins[at] <= 2 * _TIE * spread
        for at, (_, _, margins) in zip(splits, pairs, strict=True)
    ]
    return {
        "logits_max_difference": largest,
        "logits_deviation": float(theirs.std()),
        "likeliest_token_agreement": float((mine.argmax(axis=1) == theirs.argmax(axis=1)).mean()),
        "continuations": len(pairs),
        "continuations_equal": splits.count(None),
        "continuations_tied": sum(tied),
    }


def _first_difference(one: Sequence[object], other: Sequence[object]) -> int | None:
    """Return where two sequences differ first; None where they are equal."""
    pairs = zip(one, other, strict=False)
    shorter = min(len(one), len(other))
    at = next((n for n, (a, b) in enumerate(pairs) if a != b), shorter)
    return None if at == len(one) == len(other) else at


def _token_difference(what: str, wanted: Sequence[int], found: Sequence[int]) -> str:
    if len(found) == len(wanted) + 1 and list(found[1:]) == list(wanted):
        return f"tokens of {what}: the file puts token {found[0]} before them"
    if len(wanted) == len(found) + 1 and list(wanted[1:]) == list(found):
        return f"tokens of {what}: token {wanted[0]}, which begins a text, is missing"
    at = _first_difference(wanted, found) or 0
    mine, theirs = list(wanted[at : at + 4]), list(found[at : at + 4])
    return f"tokens of {what}: {mine} were trained with, the file makes {theirs} of them"


def _text_difference(wanted: str, found: str) -> str:
    at = _first_difference(wanted, found) or 0
    mine, theirs = wanted[at : at + 40], found[at : at + 40]
    return f"the chat template: {mine!r} was trained with, the file writes {theirs!r}"
