"""Documents as an index holds them, for questions to be made from."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from msgspec import Struct

from citewell.protocols import Retriever
from citewell.types.documents import Passage
from citewell.types.questions import Audience

_FURTHEST = 1 << 40
_SPARE_DOCUMENTS, _DOCUMENTS_A_QUESTION = 20, 3


class Wish(Struct, frozen=True, kw_only=True):
    """What is wanted.

    Attributes:
        number: of questions, at most.
        held_out: share of the documents, and of the questions, in [0, 1).
        seed: of every choice.
        with_gaps: whether sentences with a gap may fill up what is missing.
        several: share of the questions that need two documents at once.
        in_form: share of the questions that ask for a form.
    """

    number: int
    held_out: float = 0.0
    seed: int = 0
    with_gaps: bool = True
    several: float = 0.0
    in_form: float = 0.0


class Material(Struct, frozen=True):
    """A document, as passages in the order of its text."""

    id: str
    passages: Sequence[Passage]


class Reading(Struct, frozen=True):
    """What questions are made from.

    Attributes:
        documents: that were read, in a random order.
        held_out: ids of the documents of the index that are left out, read or not.
    """

    documents: Sequence[Material]
    held_out: frozenset[str] = frozenset()


async def read(
    retriever: Retriever, audience: Audience, wish: Wish, told: Callable[[int, int], None]
) -> Reading:
    """Read as many documents as the questions need, as far as `audience` may read them.

    Args:
        retriever: holds the documents.
        audience: who asks.
        wish: what is wanted; each part of the documents is read in its share.
        told: given how many documents are read, of how many.
    """
    choose = random.Random(wish.seed)  # noqa: S311 - a draw is no secret
    ids = sorted(await retriever.versions())
    choose.shuffle(ids)
    cut = _cut(len(ids), wish.held_out)
    limit = _SPARE_DOCUMENTS + _DOCUMENTS_A_QUESTION * wish.number
    wanted = [*ids[:cut][:limit], *ids[cut:][:limit]]
    documents = []
    for number, id_ in enumerate(wanted, 1):
        document = await _material(retriever, id_, audience)
        if document.passages:
            documents.append(document)
        told(number, len(wanted))
    return Reading(documents, frozenset(ids[:cut]))


def _cut(number: int, share: float) -> int:
    """Return how many are left out: of a share at least one, and never all."""
    if not share or number < 2:
        return 0
    return min(max(round(number * share), 1), number - 1)


async def _material(retriever: Retriever, document_id: str, audience: Audience) -> Material:
    passages = await retriever.within(document_id, start=0, end=_FURTHEST, readable_by=audience)
    return Material(document_id, tuple(passages))
