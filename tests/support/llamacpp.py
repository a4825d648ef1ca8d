"""Opens models of the plugin `llamacpp` and asks them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import ggufs
from citewell import Constraint, Context, Delta, Generation, Marks, Passage, Prompt, Turn, Usage
from citewell.testing import make_passages
from citewell_llamacpp.opening import open_model
from citewell_llamacpp.plugin import LlamaCppConfig


@asynccontextmanager
async def opened(folder: Path, **settings: Any) -> AsyncIterator[Any]:
    """Open the tiny model."""
    config = LlamaCppConfig(**{"path": ggufs.model(), "context": 4096, **settings})
    context = Context(
        name="tuned",
        log=logging.getLogger("citewell.model.tuned"),
        data_dir=folder,
        base_dir=folder,
    )
    async with open_model(config, context) as model:
        yield model


_GIVEN = Marks(2)


def prompt(
    question: str = "How many days?",
    constraint: Constraint | None = _GIVEN,
    passages: tuple[Passage, ...] | None = None,
    turns: tuple[Turn, ...] = (),
    **bounds: Any,
) -> Prompt:
    """Return a prompt, with two passages if no others are given."""
    if passages is None:
        passages = make_passages(
            "Every employee has 28 days of leave.", "The office is closed in May."
        )
    return Prompt(
        instructions="",
        question=question,
        refusal="The documents do not say.",
        passages=passages,
        turns=turns,
        constraint=constraint,
        generation=Generation(**{"max_output_tokens": 40, "temperature": 1.0, **bounds}),
    )


async def written(model: Any, asked: Prompt) -> tuple[str, Usage]:
    """Return the whole output."""
    items = [item async for item in model.generate(asked)]
    return "".join(item.text for item in items if isinstance(item, Delta)), items[-1]
