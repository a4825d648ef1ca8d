"""Asks an index for documents, over and over: `python -m proofs._kills_reader CONFIG`.

Ends when its standard input closes; then prints what it saw as JSON. Standard input carries lines:
the highest version that is on disk.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import threading
from collections import Counter
from pathlib import Path

from citewell import Query, Retriever
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from proofs._kills_corpus import STABLE_SHARE, name_of, parts_in
from proofs.harness import READER

_MOST_SHOWN = 5
_PAUSE_S = 0.002


class Newest:
    """The highest version that is on disk, as the parent tells it."""

    def __init__(self) -> None:
        self.version = 0
        self.is_over = False
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in sys.stdin:
            self.version = int(line)
        self.is_over = True


class Asker:
    """Asks for one document after another, and counts what is wrong."""

    def __init__(self, retriever: Retriever, newest: Newest, *, files: int, seed: int) -> None:
        self._retriever = retriever
        self._newest = newest
        self._files = files
        self._random = random.Random(seed)
        self._seen: dict[str, int] = {}
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []

    async def ask(self) -> None:
        """Ask for one document, then read again what was found."""
        number = self._random.randrange(self._files)
        name = name_of(number)
        found = await self._retriever.retrieve(Query(text=name), limit=30, readable_by=READER)
        own = [passage for passage in found if passage.document_id == f"docs:{name}.md"]
        self.counts["answers"] += 1
        if not own:
            self.counts["absent"] += 1
            if number < self._files * STABLE_SHARE:
                self._blame(f"{name} is not found")
            return
        self._judge(name, [parts_in(passage.text) for passage in own])
        again = await self._retriever.fetch([passage.id for passage in own], readable_by=READER)
        self.counts["read again"] += 1
        if again and [passage.text for passage in again] != [passage.text for passage in own]:
            self._blame(f"{name}: {len(again)} of {len(own)} passages when read again")

    def _judge(self, name: str, stated: list[list[tuple[str, int, int, int]]]) -> None:
        parts = sorted(part for passage in stated for part in passage)
        versions = {version for _, version, _, _ in parts}
        expected = [(name, version, part, parts[0][3]) for version in versions
                    for part in range(1, parts[0][3] + 1)]  # fmt: skip
        if len(versions) != 1 or parts != expected:
            self._blame(f"{name} is not whole: {parts}")
            return
        (version,) = versions
        if not self._seen.get(name, 0) <= version <= self._newest.version:
            self._blame(f"{name}: version {version} after {self._seen.get(name)}")
        self.counts["newer version"] += version > self._seen.get(name, version)
        self._seen[name] = version

    def _blame(self, what: str) -> None:
        self.counts["wrong"] += 1
        if len(self.wrong) < _MOST_SHOWN:
            self.wrong.append(what)


async def main(config: Path, *, files: int, seed: int) -> None:
    """Ask until the parent has had enough."""
    newest = Newest()
    async with open_runtime(load_settings(config)) as runtime:
        asker = Asker(await runtime.retriever("main"), newest, files=files, seed=seed)
        print("ready", flush=True)
        while not newest.is_over:
            if newest.version:
                await asker.ask()
            # Two processes and a half share the cores of a small machine.
            await asyncio.sleep(_PAUSE_S)
    print(json.dumps({"counts": asker.counts, "wrong": asker.wrong}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), files=int(sys.argv[2]), seed=int(sys.argv[3])))
