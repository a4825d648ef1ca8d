"""Asks a loaded model what its file is proven by."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from citewell_llamacpp.native import Native
from citewell_llamacpp.normalizing import normalized
from citewell_llamacpp.proof import DAY, Probe, Proof, highest_token
from citewell_llamacpp.templates import BadTemplate, Template
from citewell_llamacpp.wire import CHUNK, Message

_LEAST_AGREEMENT = 0.5


def problem(
    native: Native, template: Template, proof: Proof, *, form: str, slot: int, computes: bool = True
) -> str | None:
    """Return how a model differs from what its proof says, in one line; None where it does not.

    Args:
        native: with the adapter in use that the proof is of.
        template: that lays out conversations.
        proof: of the model or the adapter.
        form: Unicode form that text is brought into.
        slot: a conversation that may be forgotten.
        computes: compare numbers: not where an adapter is used with another file of its base than
            the one that it was tried with; then most of the likeliest tokens have to be the same.

    Raises:
        NativeError: the library failed.
    """
    if not 0 <= highest_token(proof) < native.vocabulary_size:
        return "speaks of tokens that it does not have"
    first = next(_differences(native, template, proof, form), None)
    if first is not None:
        return first
    if computes:
        return next(_computed(native, proof, slot), None)
    share = _agreement(native, proof, slot)
    if share < _LEAST_AGREEMENT:
        return f"goes on otherwise with this base than it was trained to: {share:.0%} alike"
    return None


def continued(
    native: Native, tokens: Sequence[int], count: int, *, stops: Collection[int]
) -> list[int]:
    """Return the likeliest next tokens, `count` at most, up to one that ends the answer.

    Raises:
        NativeError: the library failed.
    """
    row = last_row(native, tokens)
    written: list[int] = []
    while True:
        written.append(int(np.argmax(native.logits(row))))
        if written[-1] in stops or len(written) == count:
            return written
        native.extend([(0, len(tokens) + len(written) - 1, written[-1])])
        row = 0


def last_row(native: Native, tokens: Sequence[int]) -> int:
    """Begin the first conversation anew with many tokens, and return the row of the last logits.

    Raises:
        NativeError: the library failed.
    """
    native.clear(0)
    row = 0
    for at in range(0, len(tokens), CHUNK):
        row = native.read(0, at, tokens[at : at + CHUNK], wanted=at + CHUNK >= len(tokens))
    return row


def _differences(native: Native, template: Template, proof: Proof, form: str) -> Iterator[str]:
    for text, tokens in proof.texts:
        if native.special_tokens(normalized(text, form)) != list(tokens):
            yield f"makes other tokens of {text!r:.40} than it was trained with"
    for chat in proof.chats:
        messages = [Message(role, content) for role, content in chat.messages]
        try:
            laid_out = template.render(messages, day=DAY)
        except BadTemplate as error:
            yield f"has a chat template that {error}"
            return
        if laid_out != chat.prompt:
            yield (
                "lays out conversations otherwise than it was trained with: its chat template is "
                "another one"
            )
    if native.end_token != proof.end:
        text = native.token_text(proof.end)
        yield f"ends a text otherwise than with {text!r}, with which it was trained"
    for token in proof.stops:
        if not native.ends(token):
            text = native.token_text(token)
            yield f"does not stop at {text!r}, with which it was trained to end an answer"


def _computed(native: Native, proof: Proof, slot: int) -> Iterator[str]:
    for probe in proof.probes:
        largest = _largest_difference(native, probe, slot)
        if not largest <= proof.tolerance:
            yield (
                f"computes something else than it was proven to: a logit differs by {largest:.3g}, "
                f"where {proof.tolerance:.3g} is allowed"
            )


def _agreement(native: Native, proof: Proof, slot: int) -> float:
    """Return the share of tokens behind the probes that are the likeliest ones here as well."""
    alike: list[bool] = []
    for probe in proof.probes:
        rows = _behind(native, probe, slot)
        alike += [
            int(row.argmax()) == token for row, token in zip(rows, probe.continuation, strict=False)
        ]
    return sum(alike) / len(alike)


def _behind(native: Native, probe: Probe, slot: int) -> NDArray[np.float32]:
    """Return the logits behind a probe, and behind each token that it is written on with."""
    given = [*probe.tokens, *probe.continuation[:-1]]
    return native.read_all(given, slot=slot)[len(probe.tokens) - 1 :]


def _largest_difference(native: Native, probe: Probe, slot: int) -> float:
    """Return by how much a logit differs, or the likeliest tokens fall short."""
    behind = _behind(native, probe, slot)
    differences = [abs(float(behind[0][token]) - logit) for token, logit in probe.likeliest]
    # One of two that are as good as equally likely may win elsewhere.
    short = [
        (float(row.max()) - float(row[token])) / 2
        for row, token in zip(behind, probe.continuation, strict=False)
    ]
    return max([*differences, *short])
