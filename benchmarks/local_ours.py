"""Asks Citewell's local model: `python -m benchmarks.local_ours MODEL USERS QUESTIONS [--batches]`.

Every user asks the next question when the last one is answered, all users at once. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.conversations import CONTEXT, prompts
from citewell import Context, Delta, Model, Prompt, Usage
from citewell.engine.registry import Registry


async def main(model: Path, *, users: int, questions: int, batches: bool) -> dict[str, object]:
    spec = Registry.load().models["llamacpp"]
    config = spec.config(path=str(model), context=CONTEXT, batches=batches)
    conversations = [prompts(user, count=1 + questions) for user in range(users)]
    with TemporaryDirectory() as folder:
        context = Context(
            name="local",
            log=logging.getLogger("benchmark"),
            data_dir=Path(folder),
            base_dir=Path(folder),
        )
        async with spec.build(config, context) as opened:
            for conversation in conversations:
                await _answer(opened, conversation[0])
            begin = time.perf_counter()
            async with asyncio.TaskGroup() as group:
                asking = [group.create_task(_talk(opened, one[1:])) for one in conversations]
            seconds = time.perf_counter() - begin
    answers = [answer for task in asking for answer in task.result()]
    return {
        "seconds": seconds,
        "output_tokens": sum(usage.output_tokens for _, usage in answers),
        "reused_tokens": [usage.reused_tokens for _, usage in answers],
        "texts": [text for text, _ in answers],
    }


async def _talk(model: Model, asked: Sequence[Prompt]) -> list[tuple[str, Usage]]:
    return [await _answer(model, prompt) for prompt in asked]


async def _answer(model: Model, prompt: Prompt) -> tuple[str, Usage]:
    text, usage = "", None
    async for item in model.generate(prompt):
        if isinstance(item, Delta):
            text += item.text
        else:
            usage = item
    assert usage is not None
    return text, usage


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("users", type=int)
    parser.add_argument("questions", type=int)
    parser.add_argument("--batches", action="store_true")
    given = parser.parse_args()
    found = main(given.model, users=given.users, questions=given.questions, batches=given.batches)
    print(json.dumps(asyncio.run(found)))
