"""What was said before is remembered only while those who read now may read where it came from."""

from __future__ import annotations

from collections.abc import Sequence

from citewell.journal.conversations import Remembered
from citewell.protocols import Retriever
from citewell.types.documents import PassageRef
from citewell.types.questions import Audience, Turn


async def still_readable(
    remembered: Sequence[Remembered], retriever: Retriever | None, audience: Audience
) -> tuple[Turn, ...]:
    """Return the turns whose passages are all there now, unchanged and readable; oldest first.

    Args:
        remembered: oldest first.
        retriever: reads passages again; None where there are no documents.
        audience: who reads what is said now.
    """
    ids = list(dict.fromkeys(leant.id for one in remembered for leant in one.passages))
    found = await retriever.fetch(ids, readable_by=audience) if retriever and ids else ()
    # A store may answer with more than it was asked for.
    now = {PassageRef(one.id, one.content_hash) for one in found if audience.may_read(one.labels)}
    return tuple(turn for one in remembered if one.passages <= now for turn in one.turns)
