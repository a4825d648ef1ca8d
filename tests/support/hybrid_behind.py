"""Indexes twelve documents and waits for their vectors: `python hybrid_behind.py FOLDER DELAY_S`.

With `STEP WHEN CALL` behind it kills itself at the CALL-th call of STEP of `VectorStore`.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from citewell_embedded import catching_up
from hybrid import CountingEmbedder, ignore, opened_hybrid
from hybrid_reindex import kill_at
from lexical import document

TOGETHER = 8
DOCUMENTS = [document(f"d{at}", 1) for at in range(12)]


async def main(folder: Path, delay_s: float) -> None:
    async with opened_hybrid(folder, CountingEmbedder(delay_s=delay_s)) as retriever:
        await retriever.index(DOCUMENTS)
        print("indexed", flush=True)
        await retriever.catch_up(ignore)


if __name__ == "__main__":
    catching_up.TOGETHER = TOGETHER
    if len(sys.argv) > 3:
        kill_at(sys.argv[3], sys.argv[4], int(sys.argv[5]))
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
