"""Asks a loaded model what its file is proven by."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from citewell_llamacpp.native import Native
from citewell_llamacpp.normalizing import KEY, normalized
from citewell_llamacpp.proof import Probe, Proof
from citewell_llamacpp.templates import BadTemplate, Template
from citewell_llamacpp.wire import CHUNK, Message


def problem(
    native: Native, template: Template, proof: Proof, *, slot: int, computes: bool = True
) -> str | None:
    """Return how a model differs from what its proof says, in one line; None where it does not.

    Args:
        native: with the adapter in use that the proof is of.
        template: that lays out conversations.
        proof: of the model or the adapter.
        slot: a conversation that may be forgotten.
        computes: compare what is computed as well: not where an adapter is used with another file
            of its base than the one that it was tried with.

    Raises:
        NativeError: the library failed.
    """
    found = _differences(native, template, proof)
    first = next(found, None)
    if first is None and computes:
        first = next(_computed(native, proof, slot), None)
    return first


def continued(
    native: Native, tokens: Sequence[int], count: int, *, stops: Collection[int]
) -> list[int]:
    """Return the likeliest next tokens, `count` at most, up to one that ends the answer.

    Raises:
        NativeError: the library failed.
    """
    native.clear(0)
    row = 0
    for at in range(0, len(tokens), CHUNK):
        row = native.read(0, at, tokens[at : at + CHUNK], wanted=at + CHUNK >= len(tokens))
    written: list[int] = []
    while True:
        written.append(int(np.argmax(native.logits(row))))
        if written[-1] in stops or len(written) == count:
            return written
        native.extend([(0, len(tokens) + len(written) - 1, written[-1])])
        row = 0


def _differences(native: Native, template: Template, proof: Proof) -> Iterator[str]:
    form = native.value(KEY)
    for text, tokens in proof.texts:
        if native.special_tokens(normalized(text, form)) != list(tokens):
            yield f"makes other tokens of {text!r:.40} than it was trained with"
    for chat in proof.chats:
        messages = [Message(role, content) for role, content in chat.messages]
        try:
            laid_out = template.render(messages)
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


def _largest_difference(native: Native, probe: Probe, slot: int) -> float:
    """Return by how much a logit differs, or the likeliest tokens fall short."""
    given = [*probe.tokens, *probe.continuation[:-1]]
    rows = native.read_all(given, slot=slot)
    last = rows[len(probe.tokens) - 1]
    differences = [abs(float(last[token]) - logit) for token, logit in probe.likeliest]
    behind = rows[len(probe.tokens) - 1 :]
    # One of two that are as good as equally likely may win elsewhere.
    short = [
        (float(row.max()) - float(row[token])) / 2
        for row, token in zip(behind, probe.continuation, strict=False)
    ]
    return max([*differences, *short])
