"""What was said before is remembered only while those who read now may read where it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from citewell.protocols import Retriever
from citewell.types.questions import Audience, Turn


class Remembered(Struct, frozen=True, kw_only=True):
    """A question and its answer, of before.

    Attributes:
        turns: what was asked, and what was said.
        passages: content hash by id, of each passage that the answer was written from.
    """

    turns: tuple[Turn, ...]
    passages: Mapping[str, str] = {}


async def still_readable(
    remembered: Sequence[Remembered], retriever: Retriever | None, audience: Audience
) -> tuple[Turn, ...]:
    """Return the turns whose passages are all there now, unchanged and readable; oldest first.

    Args:
        remembered: oldest first.
        retriever: reads passages again; None where there are no documents.
        audience: who reads what is said now.
    """
    ids = list(dict.fromkeys(_ids(remembered)))
    found = await retriever.fetch(ids, readable_by=audience) if retriever and ids else ()
    # A store may answer with more than it was asked for.
    now = {one.id: one.content_hash for one in found if audience.may_read(one.labels)}
    return tuple(
        turn
        for one in remembered
        if all(now.get(name) == kept for name, kept in one.passages.items())
        for turn in one.turns
    )


def _ids(remembered: Sequence[Remembered]) -> Iterable[str]:
    return (name for one in remembered for name in one.passages)
