"""Measures Citewell: `python -m benchmarks.ours SYSTEM PASSAGES QUESTIONS ROUNDS`.

An index on disk, through the retriever's own protocol, with questions as they are asked. With 50
labels the passages are spread over them and the reader holds a tenth, so that the search has to
filter.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks.measuring import LIMIT, Answer, Make, Passage, Question, main
from citewell import (
    EVERYONE,
    Audience,
    Context,
    IndexedDocument,
    Place,
    Placed,
    Query,
)
from citewell import Passage as CitewellPassage
from citewell.engine.registry import Registry


class Citewell:
    """The retriever `lexical`.

    Args:
        folder: of the index.
        labels: that the passages have, one each.
    """

    def __init__(self, folder: Path, *, labels: int = 1) -> None:
        spec = Registry.load().retrievers["lexical"]
        context = Context(
            name="main", log=logging.getLogger("benchmark"), data_dir=folder, base_dir=folder
        )
        self._labels = [EVERYONE, *(f"team {at}" for at in range(1, labels))]
        self._audience = Audience.of(*self._labels[: max(1, labels // 10)])
        self._added = 0
        # The process ends with the measurement, and nothing else closes it.
        self._runner = asyncio.Runner()
        self._opening = spec.build(spec.config(), context)
        self._retriever = self._runner.run(self._opening.__aenter__())

    def add(self, passages: Sequence[Passage]) -> None:
        documents = [self._document(one) for one in passages]
        self._runner.run(self._retriever.index(documents))

    def finish(self) -> None:
        """Do nothing: what `add` indexed is durable and found."""

    def ask(self, questions: Iterable[Question]) -> Iterator[Answer]:
        yield from asyncio.run(self._asked(questions))

    async def _asked(self, questions: Iterable[Question]) -> list[Answer]:
        answers: list[Answer] = []
        for question in questions:
            begin = time.perf_counter()
            found = await self._retriever.retrieve(
                Query(text=question["text"]), limit=LIMIT, readable_by=self._audience
            )
            taken_ms = (time.perf_counter() - begin) * 1000
            answers.append({"ms": taken_ms, "ids": [passage.id for passage in found]})
        return answers

    def _document(self, entry: Passage) -> IndexedDocument:
        label = self._labels[self._added % len(self._labels)]
        self._added += 1
        passage = CitewellPassage(
            id=entry["id"],
            document_id=f"library:{entry['id']}",
            title="",
            text=entry["text"],
            start=0,
            end=len(entry["text"]),
            places=(Placed(0, Place(line=1)),),
            labels=frozenset({label}),
        )
        return IndexedDocument(id=passage.document_id, version="1", title="", passages=(passage,))


SYSTEMS: dict[str, Make] = {
    "citewell": Citewell,
    "citewell, 50 labels": partial(Citewell, labels=50),
}

if __name__ == "__main__":
    main(SYSTEMS)
