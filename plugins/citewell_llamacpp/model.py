"""The model `llamacpp`: asks its worker, and fits the prompt into the context."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal, cast

from msgspec.structs import replace

from citewell import (
    Choices,
    Delta,
    Marks,
    OutputSchema,
    Prompt,
    PromptRefused,
    Usage,
    chat_messages,
)
from citewell_llamacpp.plugin import LlamaCppConfig
from citewell_llamacpp.wire import Done, File, Generate, Message, Piece
from citewell_llamacpp.worker import PromptTooLong, Worker

# Prompts are cut a little shorter than one would have to, so that few tries are needed.
_SPARE = 0.97


class LlamaCppModel:
    """A model in a worker process.

    Args:
        worker: has the base model.
        config: says how to decode.
        adapter: the LoRA adapter, or None.
    """

    def __init__(
        self, worker: Worker, config: LlamaCppConfig, *, adapter: File | None, form: str
    ) -> None:
        self._form = form
        self._worker = worker
        self._config = config
        self._adapter = adapter

    @property
    def process_id(self) -> int | None:
        """The process that has the model now."""
        return self._worker.process_id

    async def generate(self, prompt: Prompt) -> AsyncGenerator[Delta | Usage, None]:
        """Yield the output.

        Of passages that do not fit, the last are left out; then the first of the earlier turns.

        Raises:
            ModelError: the model fails, or not even the question and its first passage fit.
        """
        while True:
            try:
                async with aclosing(self._worker.generate(self._request(prompt))) as items:
                    async for item in items:
                        yield Delta(item.text) if isinstance(item, Piece) else _usage(item, prompt)
            except PromptTooLong as error:
                prompt = _shortened(prompt, error)
            else:
                return

    def _request(self, prompt: Prompt) -> Generate:
        generation, constraint = prompt.generation, prompt.constraint
        request = Generate(
            id=0,
            messages=tuple(
                Message(message["role"], message["content"]) for message in chat_messages(prompt)
            ),
            adapter=self._adapter,
            form=self._form,
            max_output_tokens=generation.max_output_tokens,
            temperature=generation.temperature,
            top_p=self._config.top_p,
            seed=generation.seed,
            stop=generation.stop,
        )
        if isinstance(constraint, OutputSchema):
            return replace(request, schema=json.dumps(constraint.schema))
        if isinstance(constraint, Choices):
            return replace(request, choices=constraint.choices)
        if isinstance(constraint, Marks) and self._config.constrain:
            return replace(request, highest=min(constraint.highest, len(prompt.passages)))
        return request


def _usage(done: Done, prompt: Prompt) -> Usage:
    return Usage(
        input_tokens=done.input_tokens,
        reused_tokens=done.reused_tokens,
        output_tokens=done.output_tokens,
        passages=len(prompt.passages),
        turns=len(prompt.turns),
        finish=cast("Literal['stop', 'length', 'cancelled']", done.finish),
    )


def _shortened(prompt: Prompt, error: PromptTooLong) -> Prompt:
    """Return the prompt without as many of its last passages as have to go, one at least.

    With a single passage left, the older half of the earlier turns goes.

    Raises:
        PromptRefused: there is nothing that could go.
    """
    if len(prompt.passages) < 2 and prompt.turns:
        return replace(prompt, turns=prompt.turns[(len(prompt.turns) + 1) // 2 :])
    if len(prompt.passages) < 2:
        raise PromptRefused(
            f"the question and its first passage take {error.tokens:,} tokens, and {error.limit:,} "
            "fit; raise `context`, or lower passage_chars of the library"
        ) from error
    sizes = [len(passage.text) + len(passage.header) for passage in prompt.passages]
    whole = sum(len(message["content"]) for message in chat_messages(prompt))
    excess = whole * (1 - _SPARE * error.limit / error.tokens)
    kept = len(sizes) - 1
    excess -= sizes[kept]
    while excess > 0 and kept > 1:
        kept -= 1
        excess -= sizes[kept]
    return replace(prompt, passages=prompt.passages[:kept])
