"""What a file carries to be proven by, wherever it is loaded."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from citewell_llamacpp.wire import CHUNK

KEY = "citewell.proof"
VERSION = 1
DAY = datetime(2026, 1, 1, tzinfo=UTC)
"""Today, as far as chat templates are told while files are proven."""

KINDS = ("adapter", "F32", "F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M")
_MOST = 1_000


class Chat(Struct, frozen=True):
    """A conversation, and the prompt that the chat template makes of it."""

    messages: Sequence[tuple[str, str]]
    prompt: str


class Probe(Struct, frozen=True):
    """Tokens, and what stands behind them.

    Attributes:
        tokens: that are given.
        likeliest: the next tokens with the highest logits, and these.
        continuation: the likeliest next tokens.
    """

    tokens: Sequence[int]
    likeliest: Sequence[tuple[int, float]]
    continuation: Sequence[int]


class Proof(Struct, frozen=True, kw_only=True):
    """What a file must do, and how equal it was when it was made.

    Attributes:
        version: of this form.
        kind: of the file.
        texts: with the tokens that become of each.
        chats: with their prompts.
        end: token that ends a text.
        stops: tokens that end an answer.
        probes: with what the file computes.
        tolerance: by how much a logit may differ elsewhere.
        base: SHA-256 of the file that an adapter was tried with; empty for a model.
        figures: of the comparison with what was trained.
        made: by what, name to version.
        hashes: of what it was made from, name to SHA-256.
    """

    version: int = VERSION
    kind: str
    texts: Sequence[tuple[str, Sequence[int]]]
    chats: Sequence[Chat]
    end: int
    stops: Sequence[int]
    probes: Sequence[Probe]
    tolerance: float
    base: str = ""
    figures: Mapping[str, float]
    made: Mapping[str, str]
    hashes: Mapping[str, str]


def encoded(proof: Proof) -> str:
    """Return the text that a file carries."""
    return msgspec.json.encode(proof).decode()


def decoded(text: str) -> Proof | None:
    """Return the proof in a text; None where it is none, proves nothing, or has another version."""
    try:
        proof = msgspec.json.decode(text, type=Proof)
    except (msgspec.DecodeError, RecursionError):
        return None
    return proof if proof.version == VERSION and _proves(proof) else None


def _proves(proof: Proof) -> bool:
    """Tell whether a proof demands something, and nothing absurd."""
    parts = (proof.texts, proof.chats, proof.stops, proof.probes)
    return (
        proof.kind in KINDS
        and all(0 < len(one) <= _MOST for one in parts)
        and 0 < proof.tolerance < math.inf
        and all(
            one.tokens
            and one.likeliest
            and one.continuation
            and len(one.tokens) + len(one.continuation) <= CHUNK
            for one in proof.probes
        )
    )


def highest_token(proof: Proof) -> int:
    """Return the highest number of a token that a proof speaks of; -1 where one is negative."""
    probes = [
        number
        for one in proof.probes
        for number in (*one.tokens, *one.continuation, *(token for token, _ in one.likeliest))
    ]
    every = [proof.end, *proof.stops, *probes]
    return -1 if min(every) < 0 else max(every)
