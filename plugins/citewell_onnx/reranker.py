"""The reranker `onnx`: asks its process."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from citewell import Passage, Query
from citewell.asking import asked_text
from citewell_onnx.embedder import encodable
from citewell_onnx.process import ModelProcess

# Few enough that no question waits long behind the passages of another.
_TOGETHER = 8


class OnnxReranker:
    """A cross-encoder in a process of its own: it reads a question and a passage together.

    Args:
        process: has the model.
    """

    def __init__(self, process: ModelProcess) -> None:
        self._process = process

    async def rerank(
        self, query: Query, passages: Sequence[Passage], *, limit: int
    ) -> Sequence[Passage]:
        """Return the `limit` best of `passages`, best first, with the scores of the model.

        Raises:
            ModelError: the model fails.
        """
        question = encodable(asked_text(query.text))
        texts = [encodable(_shown(one)) for one in passages]
        rows: list[Sequence[float]] = []
        for at in range(0, len(texts), _TOGETHER):
            rows += await self._process.rows(texts[at : at + _TOGETHER], question)
        scored = [replace(one, score=row[0]) for one, row in zip(passages, rows, strict=True)]
        return sorted(scored, key=lambda passage: -passage.score)[:limit]


def _shown(passage: Passage) -> str:
    """Return a passage with what it stands below: its headings, and the header of its table."""
    headings = " > ".join(passage.place.headings)
    return "\n".join(filter(None, (headings, passage.header, passage.text)))
