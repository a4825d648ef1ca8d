"""The end of a sync that stays no longer: what was indexed gets its vectors."""

from __future__ import annotations

from collections.abc import Sequence

from citewell.errors import CitewellError
from citewell.library.plans import Index, Progress, ProgressListener
from citewell.protocols import CatchingUpRetriever


async def catch_up(indexes: Sequence[Index], listener: ProgressListener) -> dict[str, str]:
    """Wait until every passage has its vector; return why some have none, by retriever.

    That costs them nothing but to be found by words alone, so it is no error of the sync.
    """
    lacking: dict[str, str] = {}
    progress = Progress(is_listing=False)

    def told(embedded: int, to_embed: int) -> None:
        progress.embedded, progress.to_embed = embedded, to_embed
        listener(progress)

    for index in indexes:
        if isinstance(index.retriever, CatchingUpRetriever):
            try:
                await index.retriever.catch_up(told)
            except CitewellError as error:
                lacking[index.name] = str(error)
    return lacking
