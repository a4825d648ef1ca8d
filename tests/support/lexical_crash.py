"""Writes an index and is killed on the way: `python lexical_crash.py FOLDER STEP WHEN CALL [KIND]`.

Kills itself at the CALL-th call of STEP, before or after it, and notes in FOLDER/acknowledged how
many of the changes had returned. KIND is `lexical` or `hybrid`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from citewell import Retriever
from citewell_embedded.index import IndexWriter
from citewell_embedded.store import StoreWriter
from hybrid import opened_hybrid
from lexical import document, opened

STATES = (
    {},
    {"a": "1", "b": "1"},
    {"a": "2", "b": "1"},
    {"a": "3", "b": "1", "c": "1"},
    {"a": "3", "c": "1"},
)
"""What is there after so many changes."""


async def change(retriever: Retriever, number: int) -> None:
    match number:
        case 1:
            await retriever.index([document("a", 1), document("b", 1)])
        case 2:
            await retriever.index([document("a", 2)])
        case 3:
            await retriever.index([document("a", 3), document("c", 1)])
        case 4:
            await retriever.delete(["library:b"])


def kill_at(step: str, when: str, call: int) -> None:
    """Let the `call`-th call of `Class.method` be the last thing this process does."""
    owner_name, method = step.split(".")
    owner = {"StoreWriter": StoreWriter, "IndexWriter": IndexWriter}[owner_name]
    original = getattr(owner, method)
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

    setattr(owner, method, counted)


async def main(folder: Path, kind: str = "lexical") -> None:
    acknowledged = folder / "acknowledged"
    async with opened_hybrid(folder) if kind == "hybrid" else opened(folder) as retriever:
        for number in range(1, len(STATES)):
            await change(retriever, number)
            acknowledged.write_text(str(number))


if __name__ == "__main__":
    kill_at(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[5:]))
