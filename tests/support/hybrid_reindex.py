"""Embeds an index anew: `python hybrid_reindex.py FOLDER SEED DELAY_S [STEP WHEN CALL]`.

With the last three it kills itself at the CALL-th call of STEP of `VectorStore`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from citewell_embedded import reindexing
from citewell_embedded.vector_store import VectorStore
from hybrid import CountingEmbedder, ignore, opened_hybrid


def kill_at(step: str, when: str, call: int) -> None:
    original = getattr(VectorStore, step)
    calls = 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = original(*args, **kwargs)
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(VectorStore, step, counted)


async def main(folder: Path, seed: int, delay_s: float) -> None:
    embedder = CountingEmbedder(seed, delay_s=delay_s)
    async with opened_hybrid(folder, embedder) as retriever:
        print("ready", flush=True)
        await retriever.reindex(ignore)


if __name__ == "__main__":
    reindexing.TOGETHER = 8
    if len(sys.argv) > 4:
        kill_at(sys.argv[4], sys.argv[5], int(sys.argv[6]))
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
