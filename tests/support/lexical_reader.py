"""Reads an index until FOLDER/stop is there: `python lexical_reader.py FOLDER`.

Fails when a document is not whole; prints how many rounds it read and how many versions it saw.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from lexical import found, opened


async def main(folder: Path) -> None:
    rounds, seen = 0, set()
    async with opened(folder) as retriever:
        print("ready", flush=True)
        while not (folder / "stop").exists():
            ids = sorted(passage.id for passage in await found(retriever, "beacon"))
            version = ids[0].split(".")[1]
            for name, expected in (("a", version), ("b", "0")):
                parts = [passage_id for passage_id in ids if passage_id.startswith(f"{name}.")]
                if parts != [f"{name}.{expected}.{part}" for part in range(3)]:
                    raise AssertionError(f"not whole: {parts}")
            rounds += 1
            seen.add(version)
    print(rounds, len(seen))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
