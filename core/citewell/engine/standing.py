"""What became of the passages of an answer since it was given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from citewell.journal.records import PassageRecord
from citewell.protocols import Retriever
from citewell.types.documents import PassageRef
from citewell.types.questions import Audience

_END: Final = 2**31 - 1


class Standing(StrEnum):
    """How a passage stands now, for some audience."""

    SAME = "same"
    MOVED = "moved"
    CHANGED = "changed"
    CLOSED = "closed"
    GONE = "gone"

    @property
    def is_kept(self) -> bool:
        """Whether the text is still there."""
        return self in {Standing.SAME, Standing.MOVED}


async def standings(
    passages: Iterable[PassageRecord], retriever: Retriever, audience: Audience
) -> dict[PassageRef, Standing]:
    """Return what became of passages, read again for `audience`.

    A passage whose document has another text now is `CHANGED`; one of a document that is indexed,
    and of which the audience may read nothing, is `CLOSED`.
    """
    wanted = {PassageRef(one.id, one.content_hash): one for one in passages}
    found = (
        await retriever.fetch([one.id for one in wanted], readable_by=audience) if wanted else ()
    )
    same = {PassageRef(one.id, one.content_hash) for one in found if audience.may_read(one.labels)}
    lost = {ref: one.document_id for ref, one in wanted.items() if ref not in same}
    hashes = {name: await _hashes(name, retriever, audience) for name in set(lost.values())}
    indexed: Mapping[str, str] = {}
    if not all(hashes.values()):
        indexed = await retriever.versions()
    told = dict.fromkeys(same & wanted.keys(), Standing.SAME)
    for ref, document_id in lost.items():
        if ref.content_hash in hashes[document_id]:
            told[ref] = Standing.MOVED
        elif hashes[document_id]:
            told[ref] = Standing.CHANGED
        else:
            told[ref] = Standing.CLOSED if document_id in indexed else Standing.GONE
    return told


async def _hashes(document_id: str, retriever: Retriever, audience: Audience) -> frozenset[str]:
    """Return the hashes of what `audience` may read of a document now."""
    found = await retriever.within(document_id, start=0, end=_END, readable_by=audience)
    return frozenset(one.content_hash for one in found if audience.may_read(one.labels))
