"""Asks an index for documents, over and over: `python -m proofs._kills_reader CONFIG`.

Ends when its standard input closes; then prints what it saw as JSON. Standard input carries lines
of JSON: the highest version that is on disk; or the one that was acknowledged, and which documents
are gone with it.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from citewell import HybridRetriever, Query, StoreError
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from proofs._kills_corpus import STABLE_SHARE, name_of, parts_in
from proofs.harness import READER

_MOST_SHOWN = 5
_PAUSE_S = 0.002


@dataclass(frozen=True)
class Acknowledged:
    """What a sync that ended promises, until another one begins."""

    version: int = 0
    gone: frozenset[str] = frozenset()


class News:
    """What the parent tells.

    Attributes:
        newest: the highest version that is on disk.
        acknowledged: by the last sync that ended.
    """

    def __init__(self) -> None:
        self.newest = 0
        self.acknowledged = Acknowledged()
        self.is_over = False
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in sys.stdin:
            news = json.loads(line)
            if "newest" in news:
                self.newest = news["newest"]
            else:
                self.acknowledged = Acknowledged(news["acknowledged"], frozenset(news["gone"]))
        self.is_over = True

    def holds(self, acknowledged: Acknowledged) -> bool:
        """Tell whether nothing was begun after what was acknowledged."""
        return self.newest == acknowledged.version == self.acknowledged.version


class Asker:
    """Asks for one document after another, and counts what is wrong."""

    def __init__(self, retriever: HybridRetriever, news: News, *, files: int, seed: int) -> None:
        self._retriever = retriever
        self._news = news
        self._files = files
        self._random = random.Random(seed)
        self._seen: dict[str, int] = {}
        self._shown: dict[str, tuple[int, list[str]]] = {}
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []

    async def ask(self) -> None:
        """Ask for one document, then read again what was found."""
        number = self._random.randrange(self._files)
        name = name_of(number)
        acknowledged = self._news.acknowledged
        await self._look_for_what_is_gone(name, acknowledged)
        found = await self._retriever.retrieve(Query(text=name), limit=30, readable_by=READER)
        own = [passage for passage in found if passage.document_id == f"docs:{name}.md"]
        self.counts["answers"] += 1
        if not own:
            self.counts["absent"] += 1
            if number < self._files * STABLE_SHARE:
                self._blame(f"{name} is not found")
            return
        self._judge(name, [parts_in(passage.text) for passage in own], acknowledged)
        if name in acknowledged.gone and self._news.holds(acknowledged):
            self._blame(f"{name} is found, and gone since version {acknowledged.version}")
        ids = [passage.id for passage in own]
        self._shown[name] = self._seen.get(name, 0), ids
        again = await self._retriever.fetch(ids, readable_by=READER)
        self.counts["read again"] += 1
        if again and [passage.text for passage in again] != [passage.text for passage in own]:
            self._blame(f"{name}: {len(again)} of {len(own)} passages when read again")

    async def compare(self) -> None:
        """Ask both halves for one document: what they find must be of one version."""
        name = name_of(self._random.randrange(int(self._files * STABLE_SHARE)))
        try:
            halves = await self._retriever.halves(Query(text=name), limit=30, readable_by=READER)
        except StoreError as error:
            # A new version of everything is found by words before its vectors are there.
            if "not every passage" not in str(error):
                raise
            self.counts["by words alone"] += 1
            return
        versions = [
            {version for hit in half for of, version, *_ in parts_in(hit.text) if of == name}
            for half in halves
        ]
        if versions[1]:
            self.counts["by both halves"] += 1
            if versions[0] != versions[1]:
                self._blame(f"{name}: words of {versions[0]}, vectors of {versions[1]}")

    async def _look_for_what_is_gone(self, name: str, acknowledged: Acknowledged) -> None:
        """Try to show, as an old answer would, what a sync that ended has replaced or deleted."""
        version, ids = self._shown.get(name, (acknowledged.version, []))
        if version < acknowledged.version:
            again = await self._retriever.fetch(ids, readable_by=READER)
            self.counts["gone for good"] += 1
            if again:
                self._blame(f"{name}: {len(again)} passages of version {version} can be shown")

    def _judge(
        self, name: str, stated: list[list[tuple[str, int, int, int]]], acknowledged: Acknowledged
    ) -> None:
        parts = sorted(part for passage in stated for part in passage)
        versions = {version for _, version, _, _ in parts}
        expected = [(name, version, part, parts[0][3]) for version in versions
                    for part in range(1, parts[0][3] + 1)]  # fmt: skip
        if len(versions) != 1 or parts != expected:
            self._blame(f"{name} is not whole: {parts}")
            return
        (version,) = versions
        lowest = max(self._seen.get(name, 0), acknowledged.version)
        if not lowest <= version <= self._news.newest:
            self._blame(f"{name}: version {version} after {lowest}")
        self.counts["newer version"] += version > self._seen.get(name, version)
        self._seen[name] = version

    def _blame(self, what: str) -> None:
        self.counts["wrong"] += 1
        if len(self.wrong) < _MOST_SHOWN:
            self.wrong.append(what)


async def main(config: Path, *, files: int, seed: int) -> None:
    """Ask until the parent has had enough."""
    news = News()
    async with open_runtime(load_settings(config)) as runtime:
        retriever = cast("HybridRetriever", await runtime.retriever("main"))
        asker = Asker(retriever, news, files=files, seed=seed)
        print("ready", flush=True)
        while not news.is_over:
            if news.newest:
                await asker.ask()
                await asker.compare()
            # Several processes share the cores of a small machine.
            await asyncio.sleep(_PAUSE_S)
    print(json.dumps({"counts": asker.counts, "wrong": asker.wrong}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), files=int(sys.argv[2]), seed=int(sys.argv[3])))
